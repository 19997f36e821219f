//! Removes `null` and blank strings from arguments where they stand for a missing optional value.

use serde_json::Value;

use super::expectation::{MAX_DEPTH, resolve};
use super::mismatch::steps;
use super::violations::{MAX_STEPS, conforms, is_required, item_schema, property, select_arm};

/// Removes `null` and blank strings from optional properties whose schema does not allow them, at any depth. Returns
/// whether any was removed.
pub(super) fn remove_blanks(root: &Value, schema: &Value, value: &mut Value) -> bool {
    let mut steps = 0;
    remove_blanks_within(root, schema, value, &mut steps, 0)
}

/// Returns whether the value stands for a missing optional value: `null` or a blank string.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

fn remove_blanks_within(root: &Value, schema: &Value, value: &mut Value, steps: &mut usize, depth: usize) -> bool {
    *steps += 1;
    if *steps > MAX_STEPS || depth > MAX_DEPTH {
        return false;
    }
    let Some(schema) = resolve(root, schema) else { return false };
    let mut removed = false;
    for keyword in ["anyOf", "oneOf"] {
        let arm = schema.get(keyword).and_then(Value::as_array).and_then(|arms| select_arm(root, arms, value));
        removed |= arm.is_some_and(|arm| remove_blanks_within(root, arm, value, steps, depth + 1));
    }
    match value {
        Value::Object(members) => {
            let no_longer_set = |(name, member): (&String, &Value)| {
                let property = schema.get("properties").and_then(|properties| properties.get(name))?;
                let remove = is_blank(member) && !is_required(schema, name) && !conforms(root, property, member);
                remove.then(|| name.clone())
            };
            let blanks: Vec<String> = members.iter().filter_map(no_longer_set).collect();
            for name in &blanks {
                members.remove(name);
            }
            removed |= !blanks.is_empty();
            for (name, member) in members.iter_mut() {
                if let Some(schema) = property(schema, name) {
                    removed |= remove_blanks_within(root, schema, member, steps, depth + 1);
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                if let Some(schema) = item_schema(schema, at) {
                    removed |= remove_blanks_within(root, schema, item, steps, depth + 1);
                }
            }
        }
        _ => {}
    }
    removed
}

/// Removes the value at a path such as `filter.owners[0].email`, if it is `null` or a blank string and an optional
/// property, for types that are stricter than their schema. Returns whether it was removed.
pub(super) fn remove_blank_at(root: &Value, schema: &Value, value: &mut Value, path: &str) -> bool {
    let steps: Vec<&str> = steps(path).take(MAX_DEPTH).collect();
    remove_blank_below(root, schema, value, &steps, 0)
}

fn remove_blank_below(root: &Value, schema: &Value, value: &mut Value, steps: &[&str], depth: usize) -> bool {
    let (Some(schema), [step, rest @ ..]) = (resolve(root, schema), steps) else { return false };
    if depth > MAX_DEPTH {
        return false;
    }
    for keyword in ["anyOf", "oneOf"] {
        let arm = schema.get(keyword).and_then(Value::as_array).and_then(|arms| select_arm(root, arms, value));
        if arm.is_some_and(|arm| remove_blank_below(root, arm, value, steps, depth + 1)) {
            return true;
        }
    }
    let inner = match value {
        Value::Object(members) if rest.is_empty() => {
            let is_declared = schema.get("properties").is_some_and(|properties| properties.get(*step).is_some());
            let remove = is_declared && !is_required(schema, step) && members.get(*step).is_some_and(is_blank);
            return remove && members.remove(*step).is_some();
        }
        Value::Object(members) => property(schema, step).zip(members.get_mut(*step)),
        Value::Array(items) => {
            let at = step.parse::<usize>().ok();
            at.and_then(|at| item_schema(schema, at).zip(items.get_mut(at)))
        }
        _ => None,
    };
    inner.is_some_and(|(schema, value)| remove_blank_below(root, schema, value, rest, depth + 1))
}
