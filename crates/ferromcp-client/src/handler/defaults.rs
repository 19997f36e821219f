//! Defaults of form fields that the user left unchanged.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#requested-schema>.

use ferromcp_core::RawMap;
use ferromcp_core::model::FormSchema;

/// Inserts the defaults of the fields missing from `content`.
pub(super) fn insert_defaults(content: &mut RawMap, schema: &FormSchema) {
    for (name, field) in &schema.properties {
        if let Some(default) = field.default.as_ref().filter(|_| content.get(name).is_none()) {
            content.insert(name.as_str(), default.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use ferromcp_core::model::FormSchema;
    use ferromcp_core::{RawJson, RawMap};

    use super::insert_defaults;

    #[test]
    fn inserts_defaults_when_fields_are_missing() {
        // M26-488
        let schema: FormSchema = RawJson::parse(
            r#"{"type":"object","properties":{
                "name":{"type":"string","default":"Ada"},"age":{"type":"integer","default":36},
                "score":{"type":"number","default":0.5},"yes":{"type":"boolean","default":true},
                "pick":{"type":"string","enum":["a","b"],"default":"b"},"free":{"type":"string"}}}"#,
        )
        .unwrap()
        .decode()
        .unwrap();
        let mut content: RawMap = serde_json::from_str(r#"{"age":1}"#).unwrap();
        insert_defaults(&mut content, &schema);
        let text = serde_json::to_string(&content).unwrap();
        assert_eq!(text, r#"{"age":1,"name":"Ada","score":0.5,"yes":true,"pick":"b"}"#);
    }
}
