//! Edits of JSON text: all values outside of the edited location keep their text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::path::Segment;
use crate::cow_key::CowKey;

/// The members of an object, in order, including duplicates.
pub(crate) struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(key) = map.next_key::<CowKey<'de>>()? {
                    members.push((key.0, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

impl<'a> Members<'a> {
    /// Parses an object.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Returns the text of the last member with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.position(name).map(|at| self.0[at].1.get())
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().rposition(|(key, _)| key == name)
    }

    /// Serializes members given as names and raw values.
    pub(crate) fn write<'t>(members: impl IntoIterator<Item = (&'t str, &'t str)>) -> String {
        let mut text = String::from("{");
        for (name, value) in members {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&string(name));
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        text
    }

    /// Returns the names and texts of the members.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, value.get()))
    }
}

/// Serializes a string.
pub(crate) fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Parses the elements of an array.
pub(crate) fn elements(text: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(text).ok()
}

/// Returns the text of the value at `path`.
pub(crate) fn value_at<'t>(text: &'t str, path: &[Segment]) -> Option<&'t str> {
    let Some((first, rest)) = path.split_first() else { return Some(text.trim()) };
    let inner = match first {
        Segment::Key(name) => Members::of(text)?.get(name)?,
        Segment::Index(index) => elements(text)?.get(*index)?.get(),
    };
    value_at(inner, rest)
}

/// Replaces the value at `path` by `new`, or removes it if `new` is `None`. Returns `None` if there is no such value, or if
/// `path` is empty and `new` is `None`.
pub(crate) fn edit(text: &str, path: &[Segment], new: Option<&str>) -> Option<String> {
    let Some((first, rest)) = path.split_first() else { return new.map(str::to_owned) };
    let change = |inner: &str| match (rest, new) {
        ([], None) => Some(None),
        _ => edit(inner, rest, new).map(Some),
    };
    Some(match first {
        Segment::Key(name) => {
            let members = Members::of(text)?;
            let at = members.position(name)?;
            let changed = change(members.0[at].1.get())?;
            let others = members.iter().enumerate();
            Members::write(others.filter_map(|(index, (name, value))| match (index == at, &changed) {
                (true, changed) => changed.as_deref().map(|value| (name, value)),
                (false, _) => Some((name, value)),
            }))
        }
        Segment::Index(index) => {
            let elements = elements(text)?;
            let changed = change(elements.get(*index)?.get())?;
            let others = elements
                .iter()
                .enumerate()
                .filter_map(|(at, value)| if at == *index { changed.as_deref() } else { Some(value.get()) });
            format!("[{}]", others.collect::<Vec<_>>().join(","))
        }
    })
}

/// Appends a member to an object.
pub(crate) fn with_member(object: &str, name: &str, value: &str) -> Option<String> {
    let members = Members::of(object)?;
    Some(Members::write(members.iter().chain([(name, value)])))
}

/// Removes all but the last member of each name, as most JSON parsers do. Returns `None` if there are no duplicates.
pub(crate) fn without_duplicates(object: &str) -> Option<String> {
    let members = Members::of(object)?;
    let mut seen = std::collections::HashSet::new();
    let mut last: Vec<_> =
        members.iter().collect::<Vec<_>>().into_iter().rev().filter(|(n, _)| seen.insert(*n)).collect();
    last.reverse();
    (last.len() < members.0.len()).then(|| Members::write(last))
}

/// Returns the first name that occurs more than once.
pub(crate) fn duplicate_name(object: &str) -> Option<String> {
    let members = Members::of(object)?;
    let mut seen = std::collections::HashSet::new();
    members.iter().map(|(name, _)| name).find(|name| !seen.insert(*name)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_preserve_the_text_of_other_values() {
        let text = r#" {"a":[1.10,{"b\n":null,"c":"x"},[]], "n":123456789012345678901234567890}"#;
        let path = [Segment::key("a"), Segment::Index(1), Segment::key("b\n")];
        assert_eq!(value_at(text, &path), Some("null"));
        let without = edit(text, &path, None).unwrap();
        assert_eq!(without, r#"{"a":[1.10,{"c":"x"},[]],"n":123456789012345678901234567890}"#);
        let replaced = edit(text, &path[..2], Some("{}")).unwrap();
        assert_eq!(replaced, r#"{"a":[1.10,{},[]],"n":123456789012345678901234567890}"#);
        assert_eq!(edit(text, &[Segment::key("x")], None), None);
        assert_eq!(edit(text, &[], None), None);
    }

    #[test]
    fn keeps_last_member_when_names_are_duplicate() {
        assert_eq!(without_duplicates(r#"{"a":1,"b":2,"a":3}"#).unwrap(), r#"{"b":2,"a":3}"#);
        assert_eq!(without_duplicates(r#"{"a":1}"#), None);
    }
}
