//! One field of a form: its prompt, and the conversion and validation of the answer.

use std::fmt::Write as _;

use ferromcp_core::model::{Choice, FieldType, PrimitiveSchema};
use ferromcp_core::text::{excerpt, reason};
use ferromcp_json_schema::Validator;
use serde_json::{Number, Value};

/// A field of a form.
#[derive(Debug)]
pub(super) struct Field<'a> {
    name: &'a str,
    schema: &'a PrimitiveSchema,
    is_required: bool,
    /// The values to choose from, with their titles. Empty if the value is free.
    options: Vec<(&'a str, &'a str)>,
    default: Option<Value>,
}

impl<'a> Field<'a> {
    /// Creates a field with its name in the form.
    pub(super) fn new(name: &'a str, schema: &'a PrimitiveSchema, is_required: bool) -> Self {
        let default = schema.default.as_ref().and_then(|default| default.decode().ok());
        Self { name, schema, is_required, options: options(schema), default }
    }

    /// Returns the text that asks for the value.
    pub(super) fn prompt(&self) -> String {
        let mut text = String::new();
        if let Some(description) = &self.schema.description {
            let _ = writeln!(text, "  {}", description.trim_end().replace('\n', "\n  "));
        }
        for (index, (value, title)) in self.options.iter().enumerate() {
            let title = if value == title { String::new() } else { format!(" ({})", excerpt(title)) };
            let _ = writeln!(text, "  {}. {}{title}", index + 1, excerpt(value));
        }
        let label = excerpt(self.schema.title.as_deref().unwrap_or(self.name));
        let hint = match self.schema.r#type {
            _ if !self.options.is_empty() && self.is_multiple() => "numbers or values, separated by commas",
            _ if !self.options.is_empty() => "number or value",
            FieldType::Boolean => "y/n",
            FieldType::Integer => "integer",
            FieldType::Number => "number",
            _ => self.schema.format.as_deref().unwrap_or("text"),
        };
        let default = match &self.default {
            Some(Value::String(text)) => format!(" [{}]", excerpt(text)),
            Some(value) => format!(" [{}]", excerpt(&value.to_string())),
            None if self.is_required => String::new(),
            None => " [skip]".to_owned(),
        };
        let _ = write!(text, "{label} ({hint}){default}: ");
        text
    }

    fn is_multiple(&self) -> bool {
        self.schema.r#type == FieldType::Array
    }

    /// Converts and validates an answer. Returns `None` if the field is skipped.
    ///
    /// # Errors
    /// Returns the reason why the answer is not accepted.
    pub(super) fn parse(&self, line: &str) -> Result<Option<Value>, String> {
        if line.is_empty() {
            return match &self.default {
                Some(default) => Ok(Some(default.clone())),
                None if self.is_required => Err("a value is required".to_owned()),
                None => Ok(None),
            };
        }
        let value = self.convert(line)?;
        self.validate(&value)?;
        Ok(Some(value))
    }

    fn convert(&self, line: &str) -> Result<Value, String> {
        let trimmed = line.trim();
        match self.schema.r#type {
            FieldType::Array => trimmed.split(',').map(|part| self.option(part.trim())).collect(),
            _ if !self.options.is_empty() => self.option(trimmed),
            FieldType::Boolean => match trimmed.to_ascii_lowercase().as_str() {
                "y" | "yes" | "true" => Ok(Value::Bool(true)),
                "n" | "no" | "false" => Ok(Value::Bool(false)),
                _ => Err("answer y or n".to_owned()),
            },
            FieldType::Integer => trimmed.parse::<i64>().map(Value::from).map_err(|_| "enter an integer".to_owned()),
            FieldType::Number => {
                serde_json::from_str::<Number>(trimmed).map(Value::Number).map_err(|_| "enter a number".to_owned())
            }
            _ => Ok(Value::String(line.to_owned())),
        }
    }

    /// Returns the option with this value, title or number.
    fn option(&self, text: &str) -> Result<Value, String> {
        if self.options.is_empty() {
            return Ok(Value::String(text.to_owned()));
        }
        let by_name = self.options.iter().find(|(value, title)| *value == text || *title == text);
        let by_number = || text.parse::<usize>().ok().and_then(|number| self.options.get(number.checked_sub(1)?));
        match by_name.or_else(by_number) {
            Some((value, _)) => Ok(Value::String((*value).to_owned())),
            None => Err(format!("enter a number from 1 to {}, or one of the values", self.options.len())),
        }
    }

    /// Validates a value by the schema. The server validates formats too; common mistakes are found here.
    fn validate(&self, value: &Value) -> Result<(), String> {
        if let (Some(format), Value::String(text)) = (self.schema.format.as_deref(), value) {
            let is_valid = match format {
                "email" => text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()),
                "uri" => url::Url::parse(text).is_ok(),
                "date" => is_date(text),
                "date-time" => {
                    text.split_once(['T', 't', ' ']).is_some_and(|(date, time)| is_date(date) && !time.is_empty())
                }
                _ => true,
            };
            if !is_valid {
                return Err(format!("not a valid {}", reason(format)));
            }
        }
        let schema = serde_json::to_string(self.schema).map_err(|error| error.to_string())?;
        // The client rejects the answer if the schema is invalid.
        let Ok(validator) = Validator::compile(&schema) else { return Ok(()) };
        validator.validate(&value.to_string()).map_err(|error| reason(&error.to_string()).to_string())
    }
}

/// Returns whether a text has the form of a date, such as `2026-07-28`.
fn is_date(text: &str) -> bool {
    let parts: Vec<Option<u32>> = text.split('-').map(|part| part.parse().ok()).collect();
    text.len() == 10 && matches!(parts.as_slice(), [Some(_), Some(1..=12), Some(1..=31)])
}

/// Returns the options of a choice, with their titles.
fn options(schema: &PrimitiveSchema) -> Vec<(&str, &str)> {
    fn titled(choices: &[Choice]) -> Vec<(&str, &str)> {
        choices.iter().map(|choice| (choice.r#const.as_str(), choice.title.as_str())).collect()
    }
    fn untitled<'a>(values: &'a [String], titles: &'a [String]) -> Vec<(&'a str, &'a str)> {
        let title = |index: usize, value: &'a String| titles.get(index).unwrap_or(value).as_str();
        values.iter().enumerate().map(|(index, value)| (value.as_str(), title(index, value))).collect()
    }
    if let Some(items) = &schema.items {
        return match (&items.any_of, &items.choices) {
            (Some(choices), _) => titled(choices),
            (None, Some(values)) => untitled(values, &[]),
            _ => Vec::new(),
        };
    }
    match (&schema.one_of, &schema.choices) {
        (Some(choices), _) => titled(choices),
        (None, Some(values)) => untitled(values, schema.enum_names.as_deref().unwrap_or_default()),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(schema: Value, is_required: bool, line: &str) -> Result<Option<Value>, String> {
        let schema: PrimitiveSchema = serde_json::from_value(schema).unwrap();
        Field::new("field", &schema, is_required).parse(line)
    }

    #[test]
    fn answers_are_converted_to_the_type_of_the_field() {
        let parse = |schema, line| parse(schema, true, line).unwrap().unwrap();
        assert_eq!(parse(json!({ "type": "string" }), " a "), json!(" a "));
        assert_eq!(parse(json!({ "type": "integer" }), " 5 "), json!(5));
        assert_eq!(parse(json!({ "type": "number" }), "2.5"), json!(2.5));
        assert_eq!(parse(json!({ "type": "boolean" }), "Y"), json!(true));
        assert_eq!(parse(json!({ "type": "string", "enum": ["a", "b"] }), "2"), json!("b"));
        let titled = json!({ "type": "string", "oneOf": [{ "const": "r", "title": "Red" }] });
        assert_eq!(parse(titled, "Red"), json!("r"));
        let many = json!({ "type": "array", "items": { "type": "string", "enum": ["a", "b", "c"] } });
        assert_eq!(parse(many, "1, c"), json!(["a", "c"]));
        assert_eq!(parse(json!({ "type": "integer", "default": 7 }), ""), json!(7));
    }

    #[test]
    fn answers_are_rejected_with_a_reason() {
        for (schema, line, expected) in [
            (json!({ "type": "integer" }), "x", "enter an integer"),
            (json!({ "type": "integer", "maximum": 3 }), "4", "3"),
            (json!({ "type": "string", "minLength": 2 }), "x", "2"),
            (json!({ "type": "string", "format": "email" }), "x", "not a valid email"),
            (json!({ "type": "string", "format": "date" }), "2026-13-01", "not a valid date"),
            (json!({ "type": "string", "enum": ["a"] }), "2", "from 1 to 1"),
            (json!({ "type": "array", "items": { "enum": ["a", "b"] }, "maxItems": 1 }), "a,b", "1"),
            (json!({ "type": "string" }), "", "a value is required"),
        ] {
            let problem = parse(schema, true, line).unwrap_err();
            assert!(problem.contains(expected), "{line:?}: {problem}");
        }
        assert_eq!(parse(json!({ "type": "string" }), false, ""), Ok(None));
    }

    #[test]
    fn prompt_shows_options_and_default() {
        let schema = json!({
            "type": "string", "title": "Color", "description": "Of the car", "default": "r",
            "oneOf": [{ "const": "r", "title": "Red" }, { "const": "b", "title": "b" }],
        });
        let schema: PrimitiveSchema = serde_json::from_value(schema).unwrap();
        let prompt = Field::new("color", &schema, true).prompt();
        assert_eq!(prompt, "  Of the car\n  1. r (Red)\n  2. b\nColor (number or value) [r]: ");
    }
}
