//! Arguments on the command line: `name=value`, `name:=json`, `name=@file`, and their conversion by a JSON Schema.

use std::io::Read as _;

use ferromcp_core::text::excerpt;
use serde_json::{Map, Number, Value};

use crate::exit::Failure;
use crate::schema::Schema;
use crate::signature::type_name;

/// Maximum size of a file that is passed as an argument, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// One argument as written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Written {
    pub(crate) name: String,
    value: WrittenValue,
}

#[derive(Debug, Clone, PartialEq)]
enum WrittenValue {
    /// A text that is converted by the schema.
    Text(String),
    /// A JSON value.
    Json(Value),
}

impl Written {
    /// Parses a word, and reads its file.
    ///
    /// # Errors
    /// Fails if the word has no `=`, the JSON is invalid, or the file cannot be read.
    pub(crate) fn parse(word: &str) -> Result<Self, Failure> {
        let Some((name, text)) = word.split_once('=').filter(|(name, _)| !matches!(*name, "" | ":")) else {
            let word = excerpt(word);
            return Err(Failure::usage(format!(
                "cannot read the argument `{word}`: `=` is missing; write `NAME=VALUE`"
            )));
        };
        let (name, is_json) = name.strip_suffix(':').map_or((name, false), |name| (name, true));
        let text = match text.strip_prefix('@') {
            Some(path) => read(name, path)?,
            None => text.to_owned(),
        };
        let value = if is_json {
            WrittenValue::Json(serde_json::from_str(&text).map_err(|error| {
                Failure::usage(format!("cannot read the argument `{}`: invalid JSON: {error}", excerpt(name)))
            })?)
        } else {
            WrittenValue::Text(text)
        };
        Ok(Self { name: name.to_owned(), value })
    }

    /// Returns the value as text, for arguments that are strings.
    pub(crate) fn into_text(self) -> String {
        match self.value {
            WrittenValue::Text(text) | WrittenValue::Json(Value::String(text)) => text,
            WrittenValue::Json(value) => value.to_string(),
        }
    }
}

/// Parses words.
pub(crate) fn parse(words: &[String]) -> Result<Vec<Written>, Failure> {
    words.iter().map(|word| Written::parse(word)).collect()
}

/// Parses a whole object, which may be `@file`.
///
/// # Errors
/// Fails if it is not a JSON object, or the file cannot be read.
pub(crate) fn whole(text: &str) -> Result<Map<String, Value>, Failure> {
    let text = match text.strip_prefix('@') {
        Some(path) => read("--args", path)?,
        None => text.to_owned(),
    };
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("cannot read `--args`: not a JSON object: {error}")))
}

/// Reads a file; `-` is stdin.
fn read(name: &str, path: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let result = if path == "-" {
        std::io::stdin().lock().take(MAX_FILE + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text))
    };
    let failed = |cause: String| {
        Failure::usage(format!("cannot read the argument `{}` from `{}`: {cause}", excerpt(name), excerpt(path)))
    };
    match result {
        Err(error) => Err(failed(error.to_string())),
        Ok(size) if size as u64 > MAX_FILE => Err(failed(format!("the file exceeds {MAX_FILE} bytes"))),
        Ok(_) => Ok(text),
    }
}

/// Converts arguments by the schema of a tool, and adds them to `whole`.
///
/// # Errors
/// Fails if a value cannot be converted, or an argument is given twice.
pub(crate) fn convert(
    written: Vec<Written>,
    schema: Schema<'_>,
    mut whole: Map<String, Value>,
) -> Result<Map<String, Value>, Failure> {
    let mut groups: Vec<(String, Vec<WrittenValue>)> = Vec::new();
    for Written { name, value } in written {
        match groups.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) => values.push(value),
            None => groups.push((name, vec![value])),
        }
    }
    for (name, values) in groups {
        let path = path(&name, schema);
        let target = path.iter().try_fold(schema, |schema, part| schema.property(part));
        let value = convert_all(&name, values, target)?;
        insert(&mut whole, &path, value)
            .map_err(|cause| Failure::usage(format!("cannot set the argument `{}`: {cause}", excerpt(&name))))?;
    }
    Ok(whole)
}

/// Splits a name at dots, unless the schema has a property with the whole name.
fn path<'n>(name: &'n str, schema: Schema<'_>) -> Vec<&'n str> {
    let is_property = schema.properties().iter().any(|(other, _)| *other == name);
    if is_property { vec![name] } else { name.split('.').collect() }
}

fn insert(object: &mut Map<String, Value>, path: &[&str], value: Value) -> Result<(), String> {
    let Some((name, rest)) = path.split_first() else { return Ok(()) };
    if rest.is_empty() {
        if object.insert((*name).to_owned(), value).is_some() {
            return Err("it is given twice".to_owned());
        }
        return Ok(());
    }
    let inner = object.entry(*name).or_insert_with(|| Value::Object(Map::new()));
    match inner {
        Value::Object(inner) => insert(inner, rest, value),
        _ => Err(format!("`{}` is not an object", excerpt(name))),
    }
}

/// Converts the values of one argument; several values are the items of an array.
fn convert_all(name: &str, mut values: Vec<WrittenValue>, schema: Option<Schema<'_>>) -> Result<Value, Failure> {
    if values.len() == 1 {
        return match values.remove(0) {
            WrittenValue::Json(value) => Ok(value),
            WrittenValue::Text(text) => convert_text(name, &text, schema),
        };
    }
    if schema.is_some_and(|schema| !schema.is_array()) {
        return Err(Failure::usage(format!("cannot set the argument `{}`: it is given twice", excerpt(name))));
    }
    let items = schema.and_then(Schema::items);
    let item = |value| match value {
        WrittenValue::Json(value) => Ok(value),
        WrittenValue::Text(text) => convert_text(name, &text, items),
    };
    values.into_iter().map(item).collect::<Result<Vec<Value>, Failure>>().map(Value::Array)
}

fn convert_text(name: &str, text: &str, schema: Option<Schema<'_>>) -> Result<Value, Failure> {
    let Some(schema) = schema else { return Ok(guess(text)) };
    to_value(text, schema, 3).ok_or_else(|| {
        let (name, text) = (excerpt(name), excerpt(text));
        Failure::usage(format!(
            "cannot set the argument `{name}`: it must be of type {}, got `{text}`",
            type_name(schema, 3)
        ))
    })
}

/// Converts a text to a type that the schema allows: the most specific one that matches.
fn to_value(text: &str, schema: Schema<'_>, nesting: usize) -> Option<Value> {
    let alternatives = schema.alternatives();
    let values: Vec<&Value> = alternatives.iter().flat_map(|it| it.own_values()).collect();
    let types: Vec<&str> = alternatives
        .iter()
        .filter(|it| it.own_values().is_empty()) // the type of an enum does not allow other values
        .flat_map(|it| it.own_types())
        .collect();
    let is_written = |value: &&&Value| value.as_str().map_or_else(|| value.to_string() == text, |own| own == text);
    if let Some(value) = values.iter().find(is_written) {
        return Some((*value).clone());
    }
    if values.is_empty() && types.is_empty() {
        return Some(guess(text));
    }
    let allows = |name: &str| types.contains(&name);
    if allows("null") && text == "null" {
        return Some(Value::Null);
    }
    if allows("boolean") && matches!(text, "true" | "false") {
        return Some(Value::Bool(text == "true"));
    }
    if (allows("integer") || allows("number"))
        && let Some(number) = number(text, allows("number"))
    {
        return Some(Value::Number(number));
    }
    let is_json = text.starts_with(['[', '{']);
    let is_allowed = |value: &Value| (allows("array") && value.is_array()) || (allows("object") && value.is_object());
    if is_json && let Some(value) = serde_json::from_str(text).ok().filter(is_allowed) {
        return Some(value);
    }
    if allows("string") {
        return Some(Value::String(text.to_owned()));
    }
    if allows("array") && nesting > 0 {
        return list(text, schema, nesting);
    }
    None
}

/// Converts a text that is separated by commas.
fn list(text: &str, schema: Schema<'_>, nesting: usize) -> Option<Value> {
    if text.is_empty() {
        return Some(Value::Array(Vec::new()));
    }
    let items = schema.items();
    let item = |part: &str| items.map_or_else(|| Some(guess(part)), |items| to_value(part, items, nesting - 1));
    text.split(',').map(|part| item(part.trim())).collect::<Option<Vec<Value>>>().map(Value::Array)
}

/// Converts a number. `1e3` and `1.0` are integers too.
fn number(text: &str, allows_fraction: bool) -> Option<Number> {
    // `from_str` accepts JSON numbers only, unlike `f64::from_str`, which accepts `inf`.
    let number: Number = serde_json::from_str(text).ok()?;
    if allows_fraction || number.is_i64() || number.is_u64() {
        return Some(number);
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0)?;
    #[allow(clippy::cast_possible_truncation, reason = "checked above")]
    let integer = float as i64;
    Some(integer.into())
}

/// Converts a text without a schema: JSON numbers, booleans, `null`, arrays and objects; anything else is a string.
fn guess(text: &str) -> Value {
    serde_json::from_str(text).ok().filter(|value: &Value| !value.is_string()).unwrap_or_else(|| text.into())
}

#[cfg(test)]
mod tests;
