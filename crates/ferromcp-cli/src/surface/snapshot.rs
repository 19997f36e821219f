//! Snapshots: the definitions of a server in a deterministic form, for comparison and for files.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Read;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Surface;
use super::canonical::{parse_file, sorted, to_value};
use crate::exit::Failure;

/// Version of the format of snapshots.
const FORMAT: u64 = 1;

/// Maximum size of a file, in bytes.
pub(crate) const MAX_FILE: u64 = 64 << 20;

/// Definitions by their name or URI. If a name is repeated, the others have a suffix such as ` (2)`.
pub(crate) type Items = BTreeMap<String, Map<String, Value>>;

/// The definitions of a server, without members that differ from run to run: the revision, and the version of the server.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) server: Map<String, Value>,
    pub(crate) capabilities: Map<String, Value>,
    pub(crate) instructions: Option<String>,
    pub(crate) tools: Items,
    pub(crate) resources: Items,
    pub(crate) templates: Items,
    pub(crate) prompts: Items,
}

impl Snapshot {
    /// Creates a snapshot of these definitions.
    pub(crate) fn new(surface: &Surface) -> Self {
        let mut server = members(surface.server_info.as_ref().map(to_value));
        server.remove("version");
        Self {
            server,
            capabilities: members(Some(to_value(&surface.capabilities))),
            instructions: surface.instructions.clone(),
            tools: items(&surface.tools, "name"),
            resources: items(&surface.resources, "uri"),
            templates: items(&surface.resource_templates, "uriTemplate"),
            prompts: items(&surface.prompts, "name"),
        }
    }

    /// Returns the content of a file, with sorted keys.
    pub(crate) fn to_json(&self) -> Value {
        let list = |items: &Items| -> Value { items.values().map(|item| sorted(&item.clone().into())).collect() };
        let mut value = json!({ "mcpSnapshot": FORMAT, "serverInfo": sorted(&self.server.clone().into()) });
        value["capabilities"] = sorted(&self.capabilities.clone().into());
        if let Some(instructions) = &self.instructions {
            value["instructions"] = instructions.as_str().into();
        }
        value["tools"] = list(&self.tools);
        value["resources"] = list(&self.resources);
        value["resourceTemplates"] = list(&self.templates);
        value["prompts"] = list(&self.prompts);
        value
    }

    /// Reads a file. Returns `None` if it is not a snapshot, but for example a configuration file.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or its format is unknown.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let text = read_file(path)?;
        let Ok(Value::Object(value)) = parse_file(&text) else { return Ok(None) };
        match value.get("mcpSnapshot").map(Value::as_u64) {
            None if !value.contains_key("tools") => Ok(None),
            None | Some(Some(FORMAT)) => Self::from_members(value)
                .map(Some)
                .map_err(|cause| Failure::usage(format!("cannot read the snapshot `{}`: {cause}", path.display()))),
            Some(_) => Err(Failure::usage(format!(
                "cannot read the snapshot `{}`: its format is not {FORMAT}; create it again with `mcp snapshot`",
                path.display()
            ))),
        }
    }

    fn from_members(mut value: Map<String, Value>) -> Result<Self, String> {
        let mut server = members(value.remove("serverInfo"));
        server.remove("version");
        let mut list = |list: &str, key: &'static str| -> Result<Items, String> {
            let Some(values) = value.remove(list) else { return Ok(Items::new()) };
            let Value::Array(values) = values else { return Err(format!("`{list}` is not an array; correct it")) };
            let mut items = Collector::new(key);
            for value in values {
                let Value::Object(item) = value else {
                    return Err(format!("`{list}` has an item that is not an object"));
                };
                if !item.get(key).is_some_and(Value::is_string) {
                    return Err(format!("an item of `{list}` has no `{key}`; add it"));
                }
                items.add(item);
            }
            Ok(items.items)
        };
        Ok(Self {
            server,
            tools: list("tools", "name")?,
            resources: list("resources", "uri")?,
            templates: list("resourceTemplates", "uriTemplate")?,
            prompts: list("prompts", "name")?,
            capabilities: members(value.remove("capabilities")),
            instructions: value.get("instructions").and_then(Value::as_str).map(str::to_owned),
        })
    }
}

/// Reads a text file of at most [`MAX_FILE`] bytes.
///
/// # Errors
/// Fails if the file cannot be read, is too large, or is not UTF-8.
pub(crate) fn read_file(path: &Path) -> Result<String, Failure> {
    let failed = |cause: &str| Failure::usage(format!("cannot read the file `{}`: {cause}", path.display()));
    let file = fs::File::open(path).map_err(|error| failed(&error.to_string()))?;
    let mut text = String::new();
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(|error| failed(&error.to_string()))?;
    if text.len() as u64 > MAX_FILE {
        return Err(failed(&format!("it exceeds {MAX_FILE} bytes")));
    }
    Ok(text)
}

fn members(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

fn items(list: &[impl Serialize], key: &'static str) -> Items {
    let mut collector = Collector::new(key);
    for item in list {
        collector.add(members(Some(to_value(item))));
    }
    collector.items
}

/// Collects items by their keys.
struct Collector {
    key: &'static str,
    items: Items,
    /// How often each key occurred.
    counts: HashMap<String, usize>,
}

impl Collector {
    fn new(key: &'static str) -> Self {
        Self { key, items: Items::new(), counts: HashMap::new() }
    }

    fn add(&mut self, item: Map<String, Value>) {
        let name = item.get(self.key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let count = self.counts.entry(name.clone()).or_default();
        loop {
            *count += 1;
            let unique = if *count == 1 { name.clone() } else { format!("{name} ({count})") };
            if let Entry::Vacant(entry) = self.items.entry(unique) {
                entry.insert(item);
                return;
            }
        }
    }
}
