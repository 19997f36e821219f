//! Compares the tools, resources, templates, prompts, capabilities and instructions of two servers.

use std::collections::{BTreeMap, BTreeSet};

use ferromcp_core::text::excerpt;
use serde_json::{Map, Value};

use super::report::Report;
use super::schema::{Direction, compare_schemas};
use super::text::difference;
use super::{Change, Severity};
use crate::surface::canonical::canonical;
use crate::surface::snapshot::{Items, Snapshot};

/// Maximum nesting of capabilities that is compared.
const MAX_CAPABILITY_DEPTH: usize = 8;

/// Hints of a tool with their defaults, and the value that is safer for a client that relies on it.
const HINTS: [(&str, bool, bool); 4] = [
    ("readOnlyHint", false, true),
    ("destructiveHint", true, false),
    ("idempotentHint", false, true),
    ("openWorldHint", true, false),
];

type Definition = Map<String, Value>;

/// Compares two snapshots.
pub(crate) fn compare(old: &Snapshot, new: &Snapshot) -> Report {
    let mut changes = Vec::new();
    let mut server = Collector { kind: "server", name: None, changes: &mut changes };
    server.members(&old.server, &new.server, &[]);
    server.capabilities(&old.capabilities, &new.capabilities, "", MAX_CAPABILITY_DEPTH);
    if old.instructions != new.instructions {
        let [old, new] = [old, new].map(|side| side.instructions.as_deref().unwrap_or_default());
        server.text("instructions", old, new);
    }
    items(("tool", &old.tools, &new.tools), &mut changes, tool);
    items(("resource", &old.resources, &new.resources), &mut changes, resource);
    items(("resource template", &old.templates, &new.templates), &mut changes, resource);
    items(("prompt", &old.prompts, &new.prompts), &mut changes, prompt);
    if changes.is_empty() && old != new && canonical(&old.to_json()) != canonical(&new.to_json()) {
        // For example a capability that is `false` instead of missing.
        let mut server = Collector { kind: "server", name: None, changes: &mut changes };
        server.add(Severity::Informational, "", "has definitions that are written differently");
    }
    Report::new(changes)
}

/// Compares the definitions of one kind.
fn items(
    (kind, old, new): (&'static str, &Items, &Items),
    changes: &mut Vec<Change>,
    compare: impl Fn(&mut Collector<'_>, &Definition, &Definition),
) {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let before = changes.len();
        let mut collector = Collector { kind, name: Some(name), changes };
        match (old.get(name), new.get(name)) {
            (Some(_), None) => collector.add(Severity::Breaking, "", "was removed"),
            (None, Some(_)) => collector.add(Severity::Compatible, "", "was added"),
            (Some(a), Some(b)) if a != b => {
                compare(&mut collector, a, b);
                if changes.len() == before && canonical(&a.clone().into()) != canonical(&b.clone().into()) {
                    let mut collector = Collector { kind, name: Some(name), changes };
                    collector.add(Severity::Informational, "", "is written differently");
                }
            }
            _ => {}
        }
    }
}

fn tool(collector: &mut Collector<'_>, old: &Definition, new: &Definition) {
    let schemas = [("inputSchema", Direction::Input), ("outputSchema", Direction::Output)];
    for (key, direction) in schemas {
        match (old.get(key), new.get(key)) {
            (Some(a), Some(b)) => collector.schema(a, b, direction),
            (Some(_), None) => collector.add(Severity::Breaking, key, "was removed"),
            (None, Some(_)) => collector.add(Severity::Compatible, key, "was added"),
            (None, None) => {}
        }
    }
    collector.hints(old.get("annotations"), new.get("annotations"));
    collector.task_support(old, new);
    collector.members(old, new, &["inputSchema", "outputSchema", "annotations", "execution"]);
}

fn resource(collector: &mut Collector<'_>, old: &Definition, new: &Definition) {
    if let (Some(a), b) = (old.get("mimeType"), new.get("mimeType"))
        && Some(a) != b
    {
        let shown = b.map_or("none".to_owned(), |b| excerpt(&b.to_string()).to_string());
        collector.add(Severity::Breaking, "mimeType", &format!("is {shown} instead of {}", excerpt(&a.to_string())));
    } else if new.get("mimeType") != old.get("mimeType") {
        collector.add(Severity::Compatible, "mimeType", "was added");
    }
    collector.members(old, new, &["mimeType"]);
}

fn prompt(collector: &mut Collector<'_>, old: &Definition, new: &Definition) {
    let (Some(a), Some(b)) = (arguments(old), arguments(new)) else {
        return collector.members(old, new, &[]);
    };
    let is_required = |argument: &Definition| argument.get("required") == Some(&Value::Bool(true));
    let names: BTreeSet<&str> = a.keys().chain(b.keys()).copied().collect();
    for name in names {
        let location = format!("argument `{}`", excerpt(name));
        match (a.get(name), b.get(name)) {
            (Some(_), None) => collector.add(Severity::Breaking, &location, "was removed"),
            (None, Some(b)) if is_required(b) => {
                collector.add(Severity::Breaking, &location, "was added and is required");
            }
            (None, Some(_)) => collector.add(Severity::Compatible, &location, "was added"),
            (Some(a), Some(b)) => {
                match (is_required(a), is_required(b)) {
                    (false, true) => collector.add(Severity::Breaking, &location, "is required now"),
                    (true, false) => collector.add(Severity::Compatible, &location, "is optional now"),
                    _ => {}
                }
                collector.members_at(&location, a, b, &["required"]);
            }
            (None, None) => {}
        }
    }
    collector.members(old, new, &["arguments"]);
}

/// Returns the arguments of a prompt by their names. `None` if they are invalid, or a name is repeated.
fn arguments(prompt: &Definition) -> Option<BTreeMap<&str, &Definition>> {
    let Some(arguments) = prompt.get("arguments") else { return Some(BTreeMap::new()) };
    let arguments = arguments.as_array()?;
    let named = arguments.iter().map(|argument| Some((argument.get("name")?.as_str()?, argument.as_object()?)));
    let named: BTreeMap<_, _> = named.collect::<Option<_>>()?;
    (named.len() == arguments.len()).then_some(named)
}

/// Collects the changes of one definition.
struct Collector<'a> {
    kind: &'static str,
    name: Option<&'a str>,
    changes: &'a mut Vec<Change>,
}

impl Collector<'_> {
    fn add(&mut self, severity: Severity, location: &str, message: &str) {
        self.push(severity, location, message.to_owned(), None);
    }

    fn push(&mut self, severity: Severity, location: &str, message: String, diff: Option<String>) {
        let name = self.name.map(str::to_owned);
        self.changes.push(Change { severity, kind: self.kind, name, location: location.to_owned(), message, diff });
    }

    fn text(&mut self, location: &str, old: &str, new: &str) {
        let diff = Some(difference(old, new));
        self.push(Severity::Informational, location, "changed".to_owned(), diff);
    }

    fn schema(&mut self, old: &Value, new: &Value, direction: Direction) {
        for change in compare_schemas(old, new, direction) {
            self.push(change.severity, &change.location, change.message, change.diff);
        }
    }

    /// Compares members without an effect on calls.
    fn members(&mut self, old: &Definition, new: &Definition, except: &[&str]) {
        self.members_at("", old, new, except);
    }

    fn members_at(&mut self, location: &str, old: &Definition, new: &Definition, except: &[&str]) {
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys.into_iter().filter(|key| !except.contains(&key.as_str())) {
            let (a, b) = (old.get(key), new.get(key));
            if a == b || a.map(canonical) == b.map(canonical) {
                continue;
            }
            let key = excerpt(key);
            let place = if location.is_empty() { key.to_string() } else { format!("{location}: {key}") };
            let text = |value: Option<&Value>| match value {
                None => Some(String::new()),
                Some(Value::String(text)) => Some(text.clone()),
                Some(_) => None,
            };
            match (text(a), text(b)) {
                (Some(a), Some(b)) => self.text(&place, &a, &b),
                _ => self.add(Severity::Informational, &place, "changed"),
            }
        }
    }

    fn hints(&mut self, old: Option<&Value>, new: Option<&Value>) {
        let value = |annotations: Option<&Value>, hint: &str| annotations?.get(hint)?.as_bool();
        for (hint, default, safe) in HINTS {
            let (a, b) = (value(old, hint), value(new, hint));
            let shown =
                |value: Option<bool>| value.map_or(format!("{default} (the default)"), |value| value.to_string());
            let severity = match (a.unwrap_or(default), b.unwrap_or(default)) {
                (before, after) if before == after && a == b => continue,
                (before, after) if before == after => Severity::Informational,
                (_, after) if after == safe => Severity::Compatible,
                _ => Severity::Breaking,
            };
            self.add(severity, hint, &format!("is {} instead of {}", shown(b), shown(a)));
        }
        let others = |annotations: Option<&Value>| annotations.and_then(Value::as_object).cloned().unwrap_or_default();
        self.members_at("annotations", &others(old), &others(new), &HINTS.map(|(hint, ..)| hint));
    }

    fn task_support(&mut self, old: &Definition, new: &Definition) {
        let support = |tool: &Definition| {
            let support = tool.get("execution").and_then(|execution| execution.get("taskSupport"));
            support.and_then(Value::as_str).unwrap_or("forbidden").to_owned()
        };
        let (a, b) = (support(old), support(new));
        if a != b {
            let is_compatible = matches!((a.as_str(), b.as_str()), ("forbidden" | "required", "optional"));
            let severity = if is_compatible { Severity::Compatible } else { Severity::Breaking };
            self.add(severity, "taskSupport", &format!("is {} instead of {}", excerpt(&b), excerpt(&a)));
        }
        let others = |tool: &Definition| tool.get("execution").and_then(Value::as_object).cloned().unwrap_or_default();
        self.members_at("execution", &others(old), &others(new), &["taskSupport"]);
    }

    /// Compares capabilities. One that is `false` is the same as a missing one.
    fn capabilities(&mut self, old: &Definition, new: &Definition, path: &str, depth: usize) {
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let place = if path.is_empty() { excerpt(key).to_string() } else { format!("{path}.{}", excerpt(key)) };
            let location = format!("capability `{place}`");
            let present = |value: Option<&Value>| value.is_some_and(|value| *value != false && !value.is_null());
            let (a, b) = (old.get(key), new.get(key));
            match (present(a), present(b)) {
                (true, false) => self.add(Severity::Breaking, &location, "was removed"),
                (false, true) => self.add(Severity::Compatible, &location, "was added"),
                (false, false) => {}
                (true, true) => match (a, b) {
                    (Some(Value::Object(a)), Some(Value::Object(b))) if depth > 0 => {
                        self.capabilities(a, b, &place, depth - 1);
                    }
                    (a, b) if a != b => self.add(Severity::Informational, &location, "has other settings"),
                    _ => {}
                },
            }
        }
    }
}
