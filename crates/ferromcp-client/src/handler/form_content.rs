//! Preparation of form content: removes empty fields, inserts defaults, and validates against the schema of the form.
//!
//! Invalid content is a bug of the application's handler, so it is reported locally instead of by the server. String
//! formats (email address, date) are validated by the server.
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#requested-schema>.

use ferromcp_core::model::FormSchema;
use ferromcp_core::text::message;
use ferromcp_core::{Error, RawJson, RawMap};
use ferromcp_json_schema::Validator;

use super::defaults::insert_defaults;

/// Removes empty fields, inserts defaults, and validates the result.
///
/// # Errors
/// -32602 for an invalid form, -32603 for content that does not match its form.
pub(super) fn prepare_form_content(content: &mut RawMap, form: FormSchema) -> Result<(), Error> {
    let empty: Vec<String> =
        content.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.to_owned()).collect();
    for name in &empty {
        content.remove(name); // `None` serializes to `null`, and means that the field is absent
    }
    insert_defaults(content, &form);
    let problems = validate(content, form)?;
    if problems.is_empty() {
        return Ok(());
    }
    let problems = message(&problems.join("; ")).to_string(); // field names are those of the server
    tracing::error!(%problems, "form content does not match the form and is not sent; fix the form handler");
    Err(Error::internal(format!("Internal error: the form content of the client does not match the form: {problems}")))
}

/// Validates the content. Returns the problems without the values, which are the user's.
fn validate(content: &RawMap, mut form: FormSchema) -> Result<Vec<String>, Error> {
    form.dialect = None; // the keywords of forms have the same meaning in every dialect
    let invalid_form =
        |error: &dyn std::fmt::Display| Error::invalid_params(format!("Invalid params: invalid form: {error}"));
    let schema = RawJson::new(&form).map_err(|error| invalid_form(&error))?;
    let schema = Validator::compile(schema.as_str()).map_err(|error| invalid_form(&error))?;
    let mut problems: Vec<String> = content
        .iter()
        .filter(|(_, value)| !is_flat(value))
        .map(|(name, _)| format!("`{name}` must be a string, a number, a boolean or an array of strings"))
        .take(5)
        .collect();
    let content = RawJson::new(content).map_err(|error| Error::internal(error.to_string()))?;
    if let Err(error) = schema.validate(content.as_str()) {
        problems.extend(error.reasons().iter().cloned());
    }
    Ok(problems)
}

/// Returns whether a form field can have this value.
fn is_flat(value: &RawJson) -> bool {
    match value.as_str().trim_start().as_bytes().first() {
        Some(b'{') => false,
        Some(b'[') => value.decode::<Vec<String>>().is_ok(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use ferromcp_core::model::FormSchema;
    use ferromcp_core::{ErrorCode, RawJson, RawMap};

    use super::prepare_form_content;

    fn prepared(content: &str) -> Result<String, (ErrorCode, String)> {
        let form: FormSchema = RawJson::parse(
            r#"{"$schema":"http://json-schema.org/draft-04/schema","type":"object","properties":{
                "name":{"type":"string","minLength":2},"age":{"type":"integer","maximum":120,"default":36},
                "pick":{"type":"string","oneOf":[{"const":"a","title":"A"}]},
                "many":{"type":"array","items":{"type":"string","enum":["x","y"]},"maxItems":1}},"required":["name"]}"#,
        )
        .unwrap()
        .decode()
        .unwrap();
        let mut content: RawMap = serde_json::from_str(content).unwrap();
        let outcome = prepare_form_content(&mut content, form).map_err(|error| (error.code, error.message));
        outcome.map(|()| serde_json::to_string(&content).unwrap())
    }

    #[test]
    fn validates_content_after_inserting_defaults() {
        let good = prepared(r#"{"name":"Ada","pick":"a","many":["x"],"age":null}"#);
        assert_eq!(good.unwrap(), r#"{"name":"Ada","pick":"a","many":["x"],"age":36}"#);
        for (wrong, where_) in [
            ("{}", "name"),
            (r#"{"name":null}"#, "name"),
            (r#"{"name":"A"}"#, "/name"),
            (r#"{"name":"Ada","age":1.5}"#, "/age"),
            (r#"{"name":"Ada","age":"36"}"#, "/age"),
            (r#"{"name":"Ada","pick":"b"}"#, "/pick"),
            (r#"{"name":"Ada","many":["x","y"]}"#, "/many"),
            (r#"{"name":"Ada","other":{"deep":1}}"#, "`other`"),
            (r#"{"name":"Ada","other":[1]}"#, "`other`"),
        ] {
            let (code, message) = prepared(wrong).unwrap_err();
            assert!(code == ErrorCode::INTERNAL_ERROR && message.contains(where_), "{wrong}: {message}");
        }
    }
}
