//! Responses of a server that are nested too deep: the values that exceed the limit are removed, and the others are kept.
//!
//! A tool whose schema is nested deeper than [`MAX_DEPTH`] levels is skipped, and the other tools are listed.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::edit::{Members, elements};
use super::path::{FieldError, Path, Segment};
use super::report::{Repair, RepairKind, Repairs, item_name};
use crate::json::{MAX_DEPTH, depth_within};

/// The lists of results. An item that is nested too deep is skipped.
const LISTS: [&str; 8] =
    ["tools", "resources", "resourceTemplates", "prompts", "contents", "content", "messages", "tasks"];

/// The members of a result or an item that can be ignored. The others decide what a result or an item is.
const OPTIONAL: [&str; 5] = ["_meta", "annotations", "execution", "icons", "outputSchema"];

/// Removes the values that are nested too deep from the members of a response. Each member that remains, and each member of
/// a list item, has at most [`MAX_DEPTH`] levels, so the message has only a few more.
///
/// # Errors
/// Returns the error of a value that cannot be removed, because the result would have another meaning.
pub(crate) fn limit_depth(response: &Members<'_>, repairs: &mut Repairs) -> Result<String, FieldError> {
    let mut kept = Vec::new();
    for (name, value) in response.iter() {
        let path = Path::root(name);
        kept.push((
            name,
            match name {
                _ if !is_deep(value) => Cow::Borrowed(value),
                "result" => Cow::Owned(limit_result(value, &path, repairs)?),
                "error" => Cow::Owned(limit_error(value, &path, repairs)?),
                _ => return Err(too_deep(path)),
            },
        ));
    }
    Ok(Members::write(kept.iter().map(|(name, value)| (*name, &**value))))
}

fn limit_result(result: &str, base: &Path, repairs: &mut Repairs) -> Result<String, FieldError> {
    let members = Members::of(result).ok_or_else(|| too_deep(base.clone()))?;
    let has_content = members.get("content").and_then(elements).is_some_and(|content| !content.is_empty());
    let mut kept = Vec::new();
    for (name, value) in members.iter() {
        let path = base.join(&[Segment::key(name)]);
        match elements(value).filter(|_| LISTS.contains(&name)) {
            _ if !is_deep(value) => kept.push((name, Cow::Borrowed(value))),
            Some(items) => kept.push((name, Cow::Owned(limit_items(&items, &path, repairs)))),
            // Tools repeat their structured output as text.
            None if OPTIONAL.contains(&name) || (name == "structuredContent" && has_content) => {
                ignore(path, None, repairs);
            }
            None => return Err(too_deep(path)),
        }
    }
    Ok(Members::write(kept.iter().map(|(name, value)| (*name, &**value))))
}

/// Removes the data of an error, because its code and its message are more important.
fn limit_error(error: &str, base: &Path, repairs: &mut Repairs) -> Result<String, FieldError> {
    let members = Members::of(error).ok_or_else(|| too_deep(base.clone()))?;
    let mut kept = Vec::new();
    for (name, value) in members.iter() {
        let path = base.join(&[Segment::key(name)]);
        match name {
            _ if !is_deep(value) => kept.push((name, value)),
            "data" => ignore(path, None, repairs),
            _ => return Err(too_deep(path)),
        }
    }
    Ok(Members::write(kept))
}

fn limit_items(items: &[&RawValue], list: &Path, repairs: &mut Repairs) -> String {
    let kept = items.iter().enumerate().filter_map(|(index, item)| {
        let path = list.join(&[Segment::Index(index)]);
        match limit_item(item.get(), &path, repairs) {
            Ok(item) => Some(item),
            Err(cause) => {
                repairs.push(Repair::new(RepairKind::Skipped, &path, item_name(item.get()), cause));
                None
            }
        }
    });
    format!("[{}]", kept.collect::<Vec<_>>().join(","))
}

/// Removes the optional members of an item that are nested too deep.
///
/// # Errors
/// Returns the error of a member without which the item cannot be used.
fn limit_item<'i>(item: &'i str, path: &Path, repairs: &mut Repairs) -> Result<Cow<'i, str>, FieldError> {
    let Some(members) = Members::of(item) else {
        return if is_deep(item) { Err(too_deep(path.clone())) } else { Ok(Cow::Borrowed(item)) };
    };
    let deep: Vec<&str> = members.iter().filter(|(_, value)| is_deep(value)).map(|(name, _)| name).collect();
    if let Some(required) = deep.iter().find(|name| !OPTIONAL.contains(name)) {
        return Err(too_deep(path.join(&[Segment::key(*required)])));
    }
    if deep.is_empty() {
        return Ok(Cow::Borrowed(item));
    }
    for name in &deep {
        ignore(path.join(&[Segment::key(*name)]), item_name(item), repairs);
    }
    Ok(Cow::Owned(Members::write(members.iter().filter(|(name, _)| !deep.contains(name)))))
}

fn ignore(path: Path, item: Option<String>, repairs: &mut Repairs) {
    repairs.push(Repair::new(RepairKind::Ignored, &path.clone(), item, too_deep(path)));
}

fn is_deep(value: &str) -> bool {
    !depth_within(value.as_bytes(), MAX_DEPTH)
}

fn too_deep(path: Path) -> FieldError {
    FieldError::new(path, &format!("nested deeper than {MAX_DEPTH} levels"))
}
