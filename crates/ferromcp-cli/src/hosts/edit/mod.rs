//! Edits the files of hosts: adds, replaces and removes one entry, and preserves every other byte.
//!
//! A parser locates the entry, and the text around it is copied. Each result is parsed again and compared with the file, so
//! that an edit either changes exactly one entry or is rejected.

mod error;
mod json;
mod json_layout;
mod place;
mod splice;
mod toml;
mod yaml;
mod yaml_tree;

use serde_json::Value;

use super::table::Format;

pub(crate) use error::{EditError, EditErrorKind};
pub(crate) use place::Place;

use place::Leaf;

/// The byte order mark that some editors write.
const BOM: &str = "\u{FEFF}";

/// Adds an entry, and returns the new text. Replaces an existing entry only if `replace` is set.
pub(crate) fn insert(
    format: Format,
    text: &str,
    place: Place<'_>,
    value: &Value,
    replace: bool,
) -> Result<String, EditError> {
    edit(format, text, place, |text| {
        if let Some(existing) = value_at(format, text, &place.path())? {
            if existing == *value {
                return Ok(text.to_owned());
            }
            if !replace {
                return Err(EditError::exists(place.name));
            }
        }
        let changed = match format {
            Format::Json | Format::Jsonc => json::insert(text, format, place, value)?,
            Format::Toml => toml::insert(text, place, value)?,
            Format::Yaml => yaml::insert(text, place, value)?,
        };
        match value_at(format, &changed, &place.path()) {
            Ok(Some(written)) if written == *value => Ok(changed),
            _ => Err(EditError::lossy()),
        }
    })
}

/// Removes an entry, and returns the new text.
pub(crate) fn remove(format: Format, text: &str, place: Place<'_>) -> Result<String, EditError> {
    edit(format, text, place, |text| {
        if value_at(format, text, &place.path())?.is_none() {
            return Err(EditError::missing(place.name));
        }
        let changed = match format {
            Format::Json | Format::Jsonc => json::remove(text, format, place)?,
            Format::Toml => toml::remove(text, place)?,
            Format::Yaml => yaml::remove(text, place)?,
        };
        match value_at(format, &changed, &place.path()) {
            Ok(None) => Ok(changed),
            _ => Err(EditError::lossy()),
        }
    })
}

/// Returns the text before the entry was added: `backup`, if adding the entry to it results in `text`.
///
/// Removal alone cannot restore a table that was empty or missing.
pub(crate) fn restore(format: Format, text: &str, backup: &str, place: Place<'_>) -> Option<String> {
    let value = value_at(format, text, &place.path()).ok()??;
    let absent = value_at(format, backup, &place.path()).ok()?.is_none();
    let added = insert(format, backup, place, &value, false).ok()?;
    (absent && added == text).then(|| backup.to_owned())
}

/// Returns the value at a path of keys. With duplicate keys it is the last one, which most hosts read.
pub(crate) fn value_at(format: Format, text: &str, path: &[String]) -> Result<Option<Value>, EditError> {
    let text = text.strip_prefix(BOM).unwrap_or(text);
    match format {
        Format::Json | Format::Jsonc => json::value_at(text, format, path),
        Format::Toml => toml::value_at(text, path),
        Format::Yaml => yaml::value_at(text, path),
    }
}

/// Returns an error for each duplicate key on the way to the table of servers, in the table and in its entries. TOML with
/// duplicate keys is invalid.
pub(crate) fn duplicates(format: Format, text: &str, key: &[String]) -> Result<Vec<EditError>, EditError> {
    let text = text.strip_prefix(BOM).unwrap_or(text);
    match format {
        Format::Json | Format::Jsonc => json::duplicates(text, format, key),
        Format::Toml => Ok(Vec::new()),
        Format::Yaml => yaml::duplicates(text, key),
    }
}

/// Returns an entry together with its table, as a new file would contain it.
pub(crate) fn snippet(format: Format, place: Place<'_>, value: &Value) -> String {
    insert(format, "", place, value, false).unwrap_or_else(|_| format!("{value:#}\n"))
}

/// Runs an edit without the byte order mark, and verifies that no other value changed.
fn edit(
    format: Format,
    text: &str,
    place: Place<'_>,
    change: impl FnOnce(&str) -> Result<String, EditError>,
) -> Result<String, EditError> {
    let (bom, body) = text.strip_prefix(BOM).map_or(("", text), |body| (BOM, body));
    let changed = change(body)?;
    let path = place.path();
    let others = |text: &str| -> Result<Vec<Leaf>, EditError> {
        let mut leaves = match format {
            Format::Json | Format::Jsonc => json::leaves(text, format)?,
            Format::Toml => toml::leaves(text)?,
            Format::Yaml => yaml::leaves(text)?,
        };
        leaves.retain(|(at, _)| !at.starts_with(&path));
        leaves.sort();
        Ok(leaves)
    };
    let after = others(&changed).map_err(|_| EditError::lossy())?;
    if others(body)? == after { Ok(format!("{bom}{changed}")) } else { Err(EditError::lossy()) }
}

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
