//! A list with a damaged item, or a result with a damaged optional field: the other items are kept.

use ferromcp_core::{RawJson, ServerResult};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::schema_validity::try_many;
use crate::strategies::basic::{Json, any_json, constant, either, one_of, some};
use crate::strategies::{Fill, content, listed};

/// A list: the method, the member of the result, the items, and the optional members of an item.
type List = (&'static str, &'static str, Json, &'static [&'static str]);

fn lists() -> Vec<List> {
    let described = &["title", "description", "mimeType", "icons", "annotations", "_meta"];
    vec![
        (
            "tools/list",
            "tools",
            listed::tool(Fill::Both),
            &["title", "description", "inputSchema", "outputSchema", "annotations", "execution", "icons", "_meta"],
        ),
        ("resources/list", "resources", listed::resource(), described),
        ("resources/templates/list", "resourceTemplates", listed::template(), described),
        ("prompts/list", "prompts", listed::prompt(), &["title", "description", "arguments", "icons", "_meta"]),
        ("tools/call", "content", content::content_block(), &["annotations", "_meta"]),
        ("resources/read", "contents", content::contents(), &["mimeType", "_meta"]),
        ("prompts/get", "messages", content::prompt_message(), &["_meta"]),
    ]
}

/// Decodes a result and returns the items of its list as JSON.
fn items(method: &str, field: &str, result: &Value) -> Result<Vec<Value>, TestCaseError> {
    let decoded = ServerResult::decode(method, &RawJson::from(result.clone()));
    let decoded = decoded.map_err(|error| TestCaseError::fail(format!("{method}: {error}")))?;
    let json = serde_json::to_value(&decoded).unwrap();
    Ok(json[field].as_array().cloned().unwrap_or_default())
}

/// Compares the items with those of the undamaged list. `may_skip` allows the damaged item to be missing.
fn others_survive(before: &[Value], after: &[Value], damaged: usize, may_skip: bool) -> Result<(), TestCaseError> {
    let skipped = before.len() == after.len() + 1;
    prop_assert!(before.len() == after.len() || may_skip && skipped, "{} items, before {}", after.len(), before.len());
    for (index, item) in before.iter().enumerate().filter(|(index, _)| *index != damaged) {
        let now = index - usize::from(skipped && index > damaged);
        prop_assert_eq!(item, &after[now]);
    }
    Ok(())
}

#[test]
fn other_items_are_unchanged_when_one_item_is_damaged() {
    // C2, C3
    for (method, field, item, optional) in lists() {
        let damage =
            (some(item), any::<prop::sample::Index>(), any::<prop::sample::Index>(), any_json(), any::<bool>());
        try_many(250, &damage, |(list, at, member, anything, is_optional)| {
            let mut list = list.as_array().cloned().unwrap();
            let before = items(method, field, &json!({ field: list }))?;
            let at = at.index(list.len());
            let names: Vec<String> = match (is_optional, list[at].as_object()) {
                (true, _) => optional.iter().map(|name| (*name).to_owned()).collect(),
                (false, present) => present.into_iter().flat_map(|item| item.keys().cloned()).collect(),
            };
            list[at][&names[member.index(names.len())]] = anything.clone();
            let after = items(method, field, &json!({ field: list }))?;
            others_survive(&before, &after, at, !is_optional)?;
            list[at] = anything;
            others_survive(&before, &items(method, field, &json!({ field: list }))?, at, true)
        });
    }
}

#[test]
fn items_are_unchanged_when_another_field_of_the_result_is_damaged() {
    // C2, C3
    let fields = one_of(&["nextCursor", "ttlMs", "cacheScope", "_meta", "isError", "description", "unknown"]);
    for (method, field, item, _) in lists() {
        try_many(60, &(some(item), fields.clone(), any_json()), |(list, other, anything)| {
            let mut result = json!({ field: list });
            let before = items(method, field, &result)?;
            result[other.as_str().unwrap()] = anything;
            prop_assert_eq!(before, items(method, field, &result)?);
            Ok(())
        });
    }
}

#[test]
fn half_surrogates_are_replaced_anywhere_in_a_result() {
    // C10
    let damage = (any_json(), any::<prop::sample::Index>(), either([constant(r"\ud83d"), constant(r"\udc00")]));
    try_many(500, &damage, |(anything, at, half)| {
        // Insert the escape after an opening quote, so that it is in a key or a string.
        let text = json!({ "content": [{ "type": "text", "text": "x", "_meta": { "a": anything } }] }).to_string();
        let structure = serde_json::from_str::<Value>(&text).unwrap().to_string();
        let quotes: Vec<usize> = string_starts(&structure);
        let at = quotes[at.index(quotes.len())];
        let damaged = format!("{}{}{}", &structure[..at], half.as_str().unwrap(), &structure[at..]);
        let replaced = format!("{}\\ufffd{}", &structure[..at], &structure[at..]);
        let decode = |text: String| ServerResult::decode("tools/call", &RawJson::parse(text).unwrap());
        let (damaged, replaced) = (decode(damaged), decode(replaced));
        let json =
            |result: &ServerResult| serde_json::to_value(RawJson::new(result).unwrap().decode::<Value>().unwrap());
        prop_assert_eq!(
            damaged.as_ref().map(json).ok().map(Result::unwrap),
            replaced.as_ref().map(json).ok().map(Result::unwrap)
        );
        Ok(())
    });
}

/// Returns the positions after the opening quotes of keys and strings.
fn string_starts(json: &str) -> Vec<usize> {
    let (mut starts, mut in_string, mut escaped) = (Vec::new(), false, false);
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => {
                in_string = !in_string;
                if in_string {
                    starts.push(at + 1);
                }
            }
            _ => {}
        }
    }
    starts
}
