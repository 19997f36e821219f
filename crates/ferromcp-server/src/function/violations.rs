//! Finds the violations of a schema in a value, and describes them for the model.
//!
//! Used only after serde rejected the value. Each error names the path of the value and what the schema requires, for
//! example "an integer from 0 to 255". This is not a validator: keywords that generated schemas do not contain are ignored,
//! and a value without violations can still be invalid.

use std::io;

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::expectation::{MAX_DEPTH, expected, resolve, string_format};
use super::suggestion::closest_match;

/// The maximum number of subschemas that are compared with a value, so that large values with alternatives take bounded
/// time.
pub(super) const MAX_STEPS: usize = 20_000;

/// The largest integer up to which an `f64` represents every integer exactly (2⁵³).
pub(super) const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// The maximum length of an excerpt of a value or a name, in characters.
const MAX_EXCERPT_CHARS: usize = 80;

/// Returns at most `limit` violations of `schema`, a part of `root`, in the value at `path`.
///
/// `null` counts as a missing optional property, unless that is the only violation.
pub(super) fn violations(root: &Value, schema: &Value, path: &str, value: &Value, limit: usize) -> Vec<String> {
    let find = |null_is_absent| {
        let mut finder = Finder { root, path: path.to_owned(), found: Vec::new(), limit, steps: 0, null_is_absent };
        finder.check(schema, value, 0);
        finder.found
    };
    let found = find(true);
    if found.is_empty() { find(false) } else { found }
}

/// Returns whether the value has no violations of `schema`, a part of `root`.
pub(super) fn conforms(root: &Value, schema: &Value, value: &Value) -> bool {
    violations(root, schema, "", value, 1).is_empty()
}

/// A search for the violations of one value.
struct Finder<'s> {
    root: &'s Value,
    /// The path of the current value.
    path: String,
    found: Vec<String>,
    limit: usize,
    steps: usize,
    null_is_absent: bool,
}

impl<'s> Finder<'s> {
    fn check(&mut self, schema: &'s Value, value: &Value, depth: usize) {
        self.steps += 1;
        if self.found.len() >= self.limit || self.steps > MAX_STEPS || depth > MAX_DEPTH {
            return;
        }
        if *schema == Value::Bool(false) {
            return self.push("is not allowed");
        }
        let Some(schema) = resolve(self.root, schema) else { return };
        if !allows_type(schema, value) || !allows_choice(schema, value) {
            return self.push_expected(schema, value);
        }
        match value {
            Value::String(text) => self.check_string(schema, text),
            Value::Number(number) => self.check_number(schema, number),
            Value::Array(items) => self.check_array(schema, items, depth),
            Value::Object(members) => self.check_object(schema, members, depth),
            Value::Null | Value::Bool(_) => {}
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.check(part, value, depth + 1);
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(arms) = schema.get(keyword).and_then(Value::as_array) {
                self.check_arms(schema, arms, value, depth);
            }
        }
    }

    fn check_string(&mut self, schema: &Map<String, Value>, text: &str) {
        self.steps += text.len() / 256;
        let format = schema.get("format").and_then(Value::as_str).and_then(string_format);
        if let Some(format) = format.filter(|format| !(format.matches)(text)) {
            return self.push(&format!("must be {}, got {}", format.words, json_excerpt(text)));
        }
        let bounds = [("minLength", "characters long"), ("maxLength", "characters long")];
        self.check_count(schema, bounds, text.chars().count());
    }

    fn check_number(&mut self, schema: &Map<String, Value>, given: &Number) {
        let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
        let number = given.as_f64().unwrap_or_default();
        let keeps = bound("minimum").is_none_or(|low| number >= low)
            && bound("maximum").is_none_or(|high| number <= high)
            && bound("exclusiveMinimum").is_none_or(|low| number > low)
            && bound("exclusiveMaximum").is_none_or(|high| number < high);
        if keeps {
            return;
        }
        if bound("exclusiveMinimum").is_none() && bound("exclusiveMaximum").is_none() {
            return self.push_expected(schema, &Value::Number(given.clone()));
        }
        let words = [
            ("minimum", "at least"),
            ("exclusiveMinimum", "more than"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "less than"),
        ];
        let words = words.iter().filter_map(|(keyword, words)| Some(format!("{words} {}", schema.get(*keyword)?)));
        let words = words.collect::<Vec<_>>().join(" and ");
        self.push(&format!("must be {words}, got {given}"));
    }

    fn check_array(&mut self, schema: &'s Map<String, Value>, items: &[Value], depth: usize) {
        self.check_count(schema, [("minItems", "items long"), ("maxItems", "items long")], items.len());
        for (at, item) in items.iter().enumerate() {
            if self.found.len() >= self.limit || self.steps > MAX_STEPS {
                return;
            }
            if let Some(schema) = item_schema(schema, at) {
                self.inside(&format!("[{at}]"), |finder| finder.check(schema, item, depth + 1));
            }
        }
    }

    /// Checks the length of a string or list. The keywords are those of the minimum and the maximum.
    fn check_count(&mut self, schema: &Map<String, Value>, keywords: [(&str, &str); 2], count: usize) {
        let [low, high] = keywords.map(|(keyword, _)| schema.get(keyword).and_then(Value::as_u64));
        let count = count as u64;
        if low.is_none_or(|low| count >= low) && high.is_none_or(|high| count <= high) {
            return;
        }
        let unit = keywords[0].1;
        let words = match (low, high) {
            (Some(1), Some(1)) => format!("1 {}", unit.replacen("s ", " ", 1)),
            (Some(low), Some(high)) if low == high => format!("{low} {unit}"),
            (Some(low), Some(high)) => format!("{low} to {high} {unit}"),
            (Some(low), None) => format!("at least {low} {unit}"),
            (_, high) => format!("at most {} {unit}", high.unwrap_or_default()),
        };
        self.push(&format!("must be {words}, got {count}"));
    }

    fn check_object(&mut self, schema: &'s Map<String, Value>, members: &Map<String, Value>, depth: usize) {
        for name in required(schema) {
            if !members.contains_key(name) {
                let hint = misspelled(schema, members, name);
                self.inside_property(name, |finder| finder.push(&format!("is missing{hint}")));
            }
        }
        for (name, member) in members {
            self.steps += 1;
            if self.found.len() >= self.limit || self.steps > MAX_STEPS {
                return;
            }
            if self.null_is_absent && member.is_null() && !is_required(schema, name) {
                continue;
            }
            match property(schema, name) {
                Some(Value::Bool(false)) => self.push_unknown(schema, name),
                Some(schema) => self.inside_property(name, |finder| finder.check(schema, member, depth + 1)),
                None => {}
            }
        }
    }

    fn push_unknown(&mut self, schema: &Map<String, Value>, name: &str) {
        // The only patterns in generated schemas are those of integer keys.
        if let Some(Value::Object(patterns)) = schema.get("patternProperties") {
            let is_signed = patterns.keys().any(|pattern| pattern.starts_with("^-?"));
            let range = if is_signed { "" } else { " of at least 0" };
            return self.push(&format!("must have integers{range} as keys, got {}", json_excerpt(name)));
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        let known: Vec<&str> =
            properties.into_iter().flat_map(Map::keys).map(String::as_str).take(MAX_CANDIDATES).collect();
        if self.path.is_empty() {
            return self.found.push(unknown_argument(name, &known));
        }
        let mut place = String::new();
        self.inside_property(name, |finder| place.clone_from(&finder.path));
        self.found.push(format!("unknown field `{}{}", excerpt(&place), after_unknown(name, &known)));
    }

    fn check_arms(&mut self, schema: &Map<String, Value>, arms: &'s [Value], value: &Value, depth: usize) {
        for arm in arms {
            let mut trial = Finder {
                root: self.root,
                path: String::new(),
                found: Vec::new(),
                limit: 1,
                steps: self.steps,
                null_is_absent: self.null_is_absent,
            };
            trial.check(arm, value, depth + 1);
            self.steps = trial.steps;
            if trial.found.is_empty() {
                return;
            }
        }
        if let Some(arm) = select_arm(self.root, arms, value) {
            return self.check(arm, value, depth + 1);
        }
        if let (Some((tag, choices)), Value::Object(members)) = (common_tag(self.root, arms), value) {
            let choices: Vec<String> = choices.iter().map(ToString::to_string).collect();
            let choices = choices.join(", ");
            let got = members.get(tag);
            return self.inside_property(tag, |finder| match got {
                Some(got) => finder.push(&format!("must be one of {choices}, got {}", json_excerpt(got))),
                None => finder.push(&format!("is missing; it must be one of {choices}")),
            });
        }
        self.push_expected(schema, value);
    }

    fn inside(&mut self, step: &str, visit: impl FnOnce(&mut Self)) {
        let end = self.path.len();
        self.path.push_str(step);
        visit(self);
        self.path.truncate(end);
    }

    fn inside_property(&mut self, name: &str, visit: impl FnOnce(&mut Self)) {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.inside(&format!("{dot}{}", excerpt(name)), visit);
    }

    fn push_expected(&mut self, schema: &Map<String, Value>, value: &Value) {
        let words = expected(self.root, schema);
        self.push(&format!("must be {words}, got {}", json_excerpt(value)));
    }

    fn push(&mut self, words: &str) {
        if self.found.len() < self.limit {
            let path = if self.path.is_empty() { "the arguments" } else { &self.path };
            self.found.push(format!("`{path}` {words}"));
        }
    }
}

/// Returns a hint if an unknown member probably stands for the missing property.
fn misspelled(schema: &Map<String, Value>, members: &Map<String, Value>, missing: &str) -> String {
    let is_unknown = |name: &&String| schema.get("properties").is_none_or(|known| known.get(name).is_none());
    let unknown: Vec<&str> = members.keys().filter(is_unknown).map(String::as_str).take(MAX_CANDIDATES).collect();
    // A rejected member gets its own error, with a suggestion.
    let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    match closest_match(missing, &unknown) {
        Some(name) if !is_closed => format!("; unknown field `{}`, did you mean `{missing}`?", excerpt(name)),
        _ => String::new(),
    }
}

/// The maximum number of names that are compared with an unknown name.
const MAX_CANDIDATES: usize = 100;

/// Returns the error for an unknown argument, with a suggestion or the known names.
pub(super) fn unknown_argument(name: &str, known: &[&str]) -> String {
    format!("unknown argument `{}{}", excerpt(name), after_unknown(name, known))
}

/// Returns the end of an error for an unknown name, from its closing quote on.
fn after_unknown(name: &str, known: &[&str]) -> String {
    match (closest_match(name, known), known) {
        (Some(suggestion), _) => format!("`; did you mean `{suggestion}`?"),
        (None, []) => "`; none are accepted".to_owned(),
        (None, known) => format!("`; known are `{}`", known.join("`, `")),
    }
}

/// Truncates a foreign text and escapes its control characters.
pub(super) fn excerpt(text: &str) -> String {
    let shown = |text| ferromcp_core::text::excerpt(text).to_string();
    match text.char_indices().nth(MAX_EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", shown(&text[..end])),
        None => shown(text),
    }
}

/// Returns the start of the JSON text of a value. Time and memory do not depend on its size.
pub(super) fn json_excerpt<T: Serialize + ?Sized>(value: &T) -> String {
    struct Start(Vec<u8>);
    impl io::Write for Start {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // UTF-8 characters have at most four bytes; the excerpt is one longer than shown, so that it is truncated.
            if self.0.len() > 4 * MAX_EXCERPT_CHARS {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.extend_from_slice(&bytes[..bytes.len().min(8 * MAX_EXCERPT_CHARS)]);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut start = Start(Vec::new());
    let _ = serde_json::to_writer(&mut start, value); // fails when the excerpt is complete
    excerpt(&String::from_utf8_lossy(&start.0))
}

fn required(schema: &Map<String, Value>) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

pub(super) fn is_required(schema: &Map<String, Value>, name: &str) -> bool {
    required(schema).any(|required| required == name)
}

/// Returns the schema of a property. The only patterns in generated schemas are those of integer keys.
pub(super) fn property<'s>(schema: &'s Map<String, Value>, name: &str) -> Option<&'s Value> {
    if let Some(property) = schema.get("properties").and_then(|properties| properties.get(name)) {
        return Some(property);
    }
    let patterns = schema.get("patternProperties").and_then(Value::as_object);
    for (pattern, schema) in patterns.into_iter().flatten() {
        let digits = if pattern.starts_with("^-?") { name.strip_prefix('-').unwrap_or(name) } else { name };
        let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_integer || !pattern.ends_with(r"\d+$") {
            return Some(schema);
        }
    }
    schema.get("additionalProperties")
}

pub(super) fn item_schema(schema: &Map<String, Value>, at: usize) -> Option<&Value> {
    let place = schema.get("prefixItems").and_then(|places| places.get(at));
    place.or_else(|| schema.get("items"))
}

/// Returns whether `type` allows the value. An integral float is an integer, unless digits were lost.
fn allows_type(schema: &Map<String, Value>, value: &Value) -> bool {
    let is = |name: &str| match (name, value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_))
        | ("number", Value::Number(_)) => true,
        ("integer", Value::Number(number)) => {
            !number.is_f64() || number.as_f64().is_some_and(|number| number.fract() == 0.0 && number.abs() <= MAX_EXACT)
        }
        _ => false,
    };
    match schema.get("type") {
        Some(Value::String(name)) => is(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

/// Returns whether `enum` and `const` allow the value.
fn allows_choice(schema: &Map<String, Value>, value: &Value) -> bool {
    let choices = schema.get("enum").and_then(Value::as_array);
    choices.is_none_or(|choices| choices.contains(value)) && schema.get("const").is_none_or(|only| only == value)
}

/// Returns the tag of internally or adjacently tagged alternatives, with its values: a property that all of them
/// require, and whose values are listed.
fn common_tag<'s>(root: &'s Value, arms: &'s [Value]) -> Option<(&'s str, Vec<&'s Value>)> {
    let first = resolve(root, arms.first()?)?;
    let values = |arm: &'s Value, tag: &str| -> Option<Vec<&'s Value>> {
        let arm = resolve(root, arm)?;
        let tag_schema = resolve(root, arm.get("properties")?.get(tag)?)?;
        let choices = tag_schema.get("enum").and_then(Value::as_array).map(|choices| choices.iter().collect());
        choices.or_else(|| Some(vec![tag_schema.get("const")?])).filter(|_| is_required(arm, tag))
    };
    required(first).find_map(|tag| {
        let choices: Option<Vec<_>> = arms.iter().map(|arm| values(arm, tag)).collect();
        Some((tag, choices?.concat()))
    })
}

/// Returns the alternative that the value is most likely meant to match, if one is the best match: by its tag, its only key,
/// its type, or the required properties that are present.
pub(super) fn select_arm<'s>(root: &'s Value, arms: &'s [Value], value: &Value) -> Option<&'s Value> {
    let resolved = || arms.iter().filter_map(|arm| Some((arm, resolve(root, arm)?)));
    if let (Some((tag, _)), Some(given)) = (common_tag(root, arms), value.as_object()) {
        let given = given.get(tag)?;
        let allows = |schema: &Map<String, Value>| {
            let tag_schema = schema.get("properties").and_then(|properties| properties.get(tag));
            tag_schema.is_some_and(|tag_schema| conforms(root, tag_schema, given))
        };
        return resolved().find(|(_, schema)| allows(schema)).map(|(arm, _)| arm);
    }
    let fits = |schema: &Map<String, Value>| allows_type(schema, value) && schema.get("enum").is_none();
    let mut candidates = resolved().filter(|(_, schema)| fits(schema));
    let first = candidates.next()?;
    let others: Vec<_> = candidates.collect();
    if others.is_empty() {
        return Some(first.0);
    }
    let Value::Object(members) = value else { return None };
    // A string that fits, such as a tag, says more than a name.
    let score = |schema: &Map<String, Value>| {
        let given: Vec<_> = required(schema).filter_map(|name| Some((name, members.get(name)?))).collect();
        let fits = |(name, value): &&(&str, &Value)| {
            value.is_string() && property(schema, name).is_some_and(|schema| conforms(root, schema, value))
        };
        (given.iter().filter(fits).count(), given.len())
    };
    let mut scores: Vec<_> = std::iter::once(first).chain(others).map(|(arm, schema)| (score(schema), arm)).collect();
    scores.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    match scores.as_slice() {
        [(best, arm), (second, _), ..] if best > second => Some(arm),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
