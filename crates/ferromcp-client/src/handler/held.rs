//! Answers to forms, made ready to leave: without what was left open, with the form's defaults, and held to its rules.
//!
//! A wrong answer is a mistake of the application. It is better told here, where it can be mended, than by a server
//! that can only refuse it. Formats of texts (an email address, a date) are left to the server.
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#requested-schema>.

use ferromcp_core::model::FormSchema;
use ferromcp_core::{Error, RawJson, RawMap};

use super::defaults::fill;
use crate::validate::OutputSchema;

/// Fills in the defaults, and checks what comes of it.
///
/// # Errors
/// -32602 for a form that cannot be held against anything, -32603 for an answer that does not follow its form.
pub(super) fn hold(content: &mut RawMap, form: FormSchema) -> Result<(), Error> {
    let empty: Vec<String> =
        content.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.to_owned()).collect();
    for name in &empty {
        content.remove(name); // an `Option` that is `None`: a field left out
    }
    fill(content, &form);
    let wrong = wrong(content, form)?;
    if wrong.is_empty() {
        return Ok(());
    }
    let wrong = wrong.join("; ");
    tracing::error!(%wrong, "the answer to a form does not follow it, and is not sent; mend its handler");
    Err(Error::internal(format!("Internal error: the client's answer does not follow the form: {wrong}")))
}

/// What is wrong, without the values: those are the user's.
fn wrong(content: &RawMap, mut form: FormSchema) -> Result<Vec<String>, Error> {
    form.dialect = None; // all of a form's rules mean the same in each
    let unreadable = |why: &dyn std::fmt::Display| Error::invalid_params(format!("Invalid params: the form: {why}"));
    let schema = RawJson::new(&form).map_err(|error| unreadable(&error))?;
    let schema = OutputSchema::compile(&schema).map_err(|error| unreadable(&error))?;
    let mut wrong: Vec<String> = content
        .iter()
        .filter(|(_, value)| !is_flat(value))
        .map(|(name, _)| format!("`{name}` is neither a text, a number, yes or no, nor a list of texts"))
        .take(5)
        .collect();
    let content = RawJson::new(content).map_err(|error| Error::internal(error.to_string()))?;
    if let Err(mismatch) = schema.check(&content) {
        wrong.extend(mismatch.reasons().iter().cloned());
    }
    Ok(wrong)
}

/// Whether a form can hold the value at all.
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

    use super::hold;

    fn held(content: &str) -> Result<String, (ErrorCode, String)> {
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
        let outcome = hold(&mut content, form).map_err(|error| (error.code, error.message));
        outcome.map(|()| serde_json::to_string(&content).unwrap())
    }

    #[test]
    fn answers_are_filled_and_held() {
        let good = held(r#"{"name":"Ada","pick":"a","many":["x"],"age":null}"#);
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
            let (code, message) = held(wrong).unwrap_err();
            assert!(code == ErrorCode::INTERNAL_ERROR && message.contains(where_), "{wrong}: {message}");
        }
    }
}
