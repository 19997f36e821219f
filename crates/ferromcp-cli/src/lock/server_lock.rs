//! The locked definitions of one server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::diff::{Report, compare};
use crate::surface::canonical::{canonical, digest};
use crate::surface::snapshot::{Items, Snapshot};
use crate::target::Source;

/// The members of a tool that are locked.
const TOOL: [&str; 6] = ["name", "title", "description", "inputSchema", "outputSchema", "annotations"];

/// The members of a prompt that are locked.
const PROMPT: [&str; 4] = ["name", "title", "description", "arguments"];

/// The members of a resource template that are locked.
const TEMPLATE: [&str; 6] = ["uriTemplate", "name", "title", "description", "mimeType", "annotations"];

/// A kind of definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Tools, by their name.
    Tool,
    /// Prompts, by their name.
    Prompt,
    /// Resource templates, by their URI template.
    Template,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Template => "resource template",
        }
    }

    /// Returns the members that are locked.
    pub(super) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Tool => &TOOL,
            Self::Prompt => &PROMPT,
            Self::Template => &TEMPLATE,
        }
    }
}

/// A definition, and its digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    hash: String,
    definition: Value,
}

impl Entry {
    fn new(definition: Value) -> Self {
        Self { hash: digest(&definition), definition }
    }

    fn members(&self) -> Map<String, Value> {
        self.definition.as_object().cloned().unwrap_or_default()
    }
}

/// The locked definitions of a server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ServerLock {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instructions: Option<Entry>,
    #[serde(default)]
    tools: BTreeMap<String, Entry>,
    #[serde(default)]
    prompts: BTreeMap<String, Entry>,
    #[serde(default)]
    resource_templates: BTreeMap<String, Entry>,
}

impl ServerLock {
    /// Locks the definitions of a snapshot.
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        let entries = |items: &Items, keys: &[&str]| {
            items.iter().map(|(name, item)| (name.clone(), Entry::new(locked(item, keys)))).collect()
        };
        Self {
            instructions: snapshot.instructions.as_deref().map(|text| Entry::new(text.into())),
            tools: entries(&snapshot.tools, &TOOL),
            prompts: entries(&snapshot.prompts, &PROMPT),
            resource_templates: entries(&snapshot.templates, &TEMPLATE),
        }
    }

    /// Compares the locked definitions with those of a server.
    pub(crate) fn compare(&self, current: &Self) -> Report {
        compare(&self.to_snapshot(), &current.to_snapshot())
    }

    /// Returns whether all digests are the same.
    pub(crate) fn matches(&self, current: &Self) -> bool {
        let same = |a: &BTreeMap<String, Entry>, b: &BTreeMap<String, Entry>| {
            a.len() == b.len()
                && a.iter().all(|(name, entry)| b.get(name).is_some_and(|other| other.hash == entry.hash))
        };
        let hash = |entry: &Option<Entry>| entry.as_ref().map(|entry| entry.hash.clone());
        hash(&self.instructions) == hash(&current.instructions)
            && same(&self.tools, &current.tools)
            && same(&self.prompts, &current.prompts)
            && same(&self.resource_templates, &current.resource_templates)
    }

    /// Returns the numbers of definitions, such as `2 tools, 1 prompt, 0 resource templates`.
    pub(crate) fn summary(&self) -> String {
        let count = |count: usize, name: &str| format!("{count} {name}{}", if count == 1 { "" } else { "s" });
        let instructions = if self.instructions.is_some() { ", instructions" } else { "" };
        format!(
            "{}, {}, {}{instructions}",
            count(self.tools.len(), "tool"),
            count(self.prompts.len(), "prompt"),
            count(self.resource_templates.len(), "resource template"),
        )
    }

    fn to_snapshot(&self) -> Snapshot {
        let items = |entries: &BTreeMap<String, Entry>| -> Items {
            entries.iter().map(|(name, entry)| (name.clone(), entry.members())).collect()
        };
        let text = |entry: &Entry| entry.definition.as_str().unwrap_or_default().to_owned();
        Snapshot {
            instructions: self.instructions.as_ref().map(text),
            tools: items(&self.tools),
            prompts: items(&self.prompts),
            templates: items(&self.resource_templates),
            ..Snapshot::default()
        }
    }

    /// Returns the name of an entry whose digest is not that of its definition.
    pub(super) fn damaged(&self) -> Option<&str> {
        let is_damaged = |entry: &Entry| digest(&entry.definition) != entry.hash;
        if self.instructions.as_ref().is_some_and(is_damaged) {
            return Some("instructions");
        }
        let mut entries = self.tools.iter().chain(&self.prompts).chain(&self.resource_templates);
        entries.find(|(_, entry)| is_damaged(entry)).map(|(name, _)| name.as_str())
    }

    pub(super) fn entries(&self, kind: Kind) -> &BTreeMap<String, Entry> {
        match kind {
            Kind::Tool => &self.tools,
            Kind::Prompt => &self.prompts,
            Kind::Template => &self.resource_templates,
        }
    }

    /// Compares one definition with the lock. Returns `None` if it is the same.
    pub(crate) fn check(&self, kind: Kind, name: &str, item: &Map<String, Value>) -> Option<Report> {
        let (keys, old) = (kind.keys(), self.entries(kind).get(name));
        let current = Entry::new(locked(item, keys));
        if old.is_some_and(|old| old.hash == current.hash) {
            return None;
        }
        let only = |entry: Option<&Entry>| {
            let mut lock = Self::default();
            let entries = match kind {
                Kind::Tool => &mut lock.tools,
                Kind::Prompt => &mut lock.prompts,
                Kind::Template => &mut lock.resource_templates,
            };
            entries.extend(entry.map(|entry| (name.to_owned(), entry.clone())));
            lock
        };
        Some(only(old).compare(&only(Some(&current))))
    }

    /// Returns whether the instructions are those of the lock.
    pub(crate) fn allows_instructions(&self, text: &str) -> bool {
        let locked = self.instructions.as_ref().and_then(|entry| entry.definition.as_str());
        locked == Some(text)
    }
}

/// Returns the members that are locked. Those that are `null` are the same as missing ones.
fn locked(item: &Map<String, Value>, keys: &[&str]) -> Value {
    let members = keys.iter().filter_map(|key| Some(((*key).to_owned(), item.get(*key)?.clone())));
    let mut members: Map<String, Value> = members.filter(|(_, value)| !value.is_null()).collect();
    members.sort_keys();
    members.into()
}

/// Returns the name of a server in a lock file: the target as written, or `-- ` and the words of its command.
pub(crate) fn server_key(source: Source<'_>) -> String {
    match source {
        Source::Word(word) => word.to_owned(),
        Source::Command(words) => {
            // A word with a space or a quote is a JSON string, so that two commands never have the same name.
            let is_plain = |word: &str| {
                !word.is_empty()
                    && !word.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\\'))
            };
            let word = |word: &String| if is_plain(word) { word.clone() } else { canonical(&word.as_str().into()) };
            format!("-- {}", words.iter().map(word).collect::<Vec<_>>().join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lock(tools: &Value) -> ServerLock {
        let tools = tools
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| (tool["name"].as_str().unwrap().to_owned(), tool.as_object().unwrap().clone()));
        ServerLock::new(&Snapshot { tools: tools.collect(), ..Snapshot::default() })
    }

    #[test]
    fn lock_matches_when_only_the_notation_differs() {
        let a = lock(&json!([{ "name": "t", "inputSchema": { "type": "object", "maxProperties": 1 }, "icons": [] }]));
        let b =
            lock(&json!([{ "inputSchema": { "maxProperties": 1.0, "type": "object" }, "name": "t", "title": null }]));
        assert!(a.matches(&b) && a.compare(&b).is_empty());
        let c = lock(
            &json!([{ "name": "t", "description": "x", "inputSchema": { "type": "object", "maxProperties": 1 } }]),
        );
        assert!(!a.matches(&c) && a.compare(&c).to_text().contains("+x"), "{:?}", a.compare(&c));
        assert!(!a.matches(&lock(&json!([]))));
    }

    #[test]
    fn added_tool_differs_from_the_lock() {
        let a = lock(&json!([]));
        let tool = json!({ "name": "t", "inputSchema": {} });
        let report = a.check(Kind::Tool, "t", tool.as_object().unwrap()).unwrap();
        assert!(report.to_text().contains("tool `t` was added"), "{report:?}");
        assert_eq!(lock(&json!([tool])).check(Kind::Tool, "t", tool.as_object().unwrap()), None);
    }

    #[test]
    fn entry_is_damaged_when_the_definition_was_edited() {
        let mut edited = lock(&json!([{ "name": "t", "inputSchema": {} }]));
        assert_eq!(edited.damaged(), None);
        edited.tools.get_mut("t").unwrap().definition["description"] = "x".into();
        assert_eq!(edited.damaged(), Some("t"));
    }

    #[test]
    fn keys_of_commands_are_unambiguous() {
        let key = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            server_key(Source::Command(&words))
        };
        assert_eq!(key(&["demo", "--data", "/srv"]), "-- demo --data /srv");
        assert_eq!(key(&["demo", "a b", ""]), r#"-- demo "a b" """#);
        assert_ne!(key(&["a", "b c"]), key(&["a", "b", "c"]));
    }
}
