//! Checks an entry of a host without starting its server.

use std::collections::BTreeMap;
use std::path::Path;

use ferromcp_core::text::excerpt;
use serde_json::{Map, Value};

use super::finding::Finding;
use crate::exit::Exit;
use crate::hosts::check::folder;
use crate::hosts::entry::{self, Server};
use crate::hosts::launch;
use crate::hosts::locate::Scope;
use crate::hosts::machine::{Machine, System};
use crate::hosts::table::{Host, Shape};

/// Keys of URLs in the files of all hosts.
const URL_KEYS: [&str; 4] = ["url", "serverUrl", "httpUrl", "uri"];
/// Maximum depth of an entry in which variables are searched.
const MAX_DEPTH: usize = 8;

/// Checks the fields, the program and the variables of an entry.
pub(crate) fn check(
    host: &Host,
    machine: &Machine,
    scope: Scope,
    shape: &Shape,
    name: &str,
    value: &Value,
) -> Vec<Finding> {
    let check = format!("{}:{}", host.id, excerpt(name));
    let Some(fields) = value.as_object() else {
        let text = "the entry is not an object";
        return vec![Finding::problem(Exit::Usage, check, text, "write an object with a command or a URL")];
    };
    if fields.get("disabled") == Some(&Value::Bool(true)) || fields.get("enabled") == Some(&Value::Bool(false)) {
        return vec![Finding::ok(check, "disabled")];
    }
    let mut findings: Vec<Finding> = check_fields(host, shape, &check, fields).into_iter().collect();
    findings.extend(check_types(shape, &check, fields));
    if let Some(Server::Stdio { command, .. }) = entry::read(shape, value) {
        findings.extend(check_program(host, machine, scope, &check, &command));
    }
    let mut unset = Vec::new();
    collect_unset(value, machine, MAX_DEPTH, &mut unset);
    for name in unset {
        let text = format!("the variable `{name}` is not set in this environment");
        let fix = format!("set `{name}` where {} starts, or write its value in the entry", host.name);
        findings.push(Finding::warning(&check, text, fix));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(check, "valid"));
    }
    findings
}

/// Returns whether an entry contains values of variables or headers.
pub(super) fn has_secrets(shape: &Shape, value: &Value) -> bool {
    let is_secret = |(_, value): &(String, String)| !value.is_empty() && !value.starts_with("${");
    match entry::read(shape, value) {
        Some(Server::Stdio { env, .. }) => env.iter().any(is_secret),
        Some(Server::Http { headers, .. }) => headers.iter().any(is_secret),
        None => false,
    }
}

/// Compares the fields with those that the host reads.
fn check_fields(host: &Host, shape: &Shape, check: &str, fields: &Map<String, Value>) -> Option<Finding> {
    let key_of = |template: &Map<String, Value>, placeholder: &str| {
        template.iter().find(|(_, value)| *value == placeholder).map(|(key, _)| key.clone())
    };
    let command_key = key_of(&shape.stdio, "$command").or_else(|| key_of(&shape.stdio, "$argv")).unwrap_or_default();
    let written = URL_KEYS.into_iter().find(|key| fields.contains_key(*key));
    let (template, is_url) = match (fields.contains_key(&command_key), written, &shape.http) {
        (true, _, _) => (&shape.stdio, false),
        (false, None, _) => {
            let text = format!("the entry has neither `{command_key}` nor a URL, so {} ignores it", host.name);
            return Some(Finding::problem(Exit::Usage, check, text, format!("write `{command_key}`, or remove it")));
        }
        (false, Some(key), None) => {
            let text = format!("{} does not read `{key}`: its file has no entries for URLs", host.name);
            return Some(Finding::problem(
                Exit::Usage,
                check,
                text,
                "replace the entry by that of `mcp install --force URL`",
            ));
        }
        (false, Some(_), Some(http)) => (http, true),
    };
    if let Some(written) = written.filter(|_| is_url) {
        let expected = key_of(template, "$url").unwrap_or_default();
        if !fields.contains_key(&expected) {
            let fix = format!("rename `{written}` to `{expected}`");
            if shape.sse_key.as_deref() == Some(written) {
                let text = format!("`{written}` selects the deprecated transport HTTP+SSE in {}", host.name);
                return Some(Finding::warning(check, text, format!("{fix}, unless the server requires HTTP+SSE")));
            }
            let text = format!("{} does not read `{written}`", host.name);
            return Some(Finding::problem(Exit::Usage, check, text, fix));
        }
    }
    // `stdio` is the default where a `type` exists.
    let expected = template.get("type").and_then(Value::as_str).filter(|kind| *kind != "stdio")?;
    if fields.contains_key("type") {
        return None;
    }
    let text = format!("`type` is missing, by which {} selects the transport", host.name);
    Some(Finding::warning(check, text, format!("add `type` with the value `{expected}`")))
}

/// Checks the types of arguments, variables and headers, which hosts reject or ignore.
fn check_types(shape: &Shape, check: &str, fields: &Map<String, Value>) -> Vec<Finding> {
    let templates = [Some(&shape.stdio), shape.http.as_ref()];
    let keys: BTreeMap<&String, &Value> = templates.into_iter().flatten().flatten().collect();
    let wrong = keys.into_iter().filter_map(|(key, placeholder)| {
        let value = fields.get(key)?;
        let (is_valid, expected) = match placeholder.as_str()? {
            "$args" | "$argv" => (value.as_array().is_some_and(|items| items.iter().all(Value::is_string)), "an array"),
            "$env" | "$headers" => {
                (value.as_object().is_some_and(|map| map.values().all(Value::is_string)), "an object")
            }
            _ => return None,
        };
        let fix = format!("write {expected} of strings, for example `\"1\"` instead of `1`");
        (!is_valid).then(|| Finding::problem(Exit::Usage, check, format!("`{key}` is not {expected} of strings"), fix))
    });
    wrong.collect()
}

/// Searches the program of an entry as the host does.
fn check_program(host: &Host, machine: &Machine, scope: Scope, check: &str, command: &str) -> Option<Finding> {
    if command.contains("${") {
        return None; // the variable has its own finding
    }
    let is_path = command.contains('/') || (machine.system == System::Windows && command.contains('\\'));
    if is_path && !Path::new(command).is_absolute() && !command.starts_with('~') {
        let started = folder(host, machine, scope);
        let text =
            format!("the program `{}` is a relative path; the folder is {}", excerpt(command), started.display());
        return Some(Finding::warning(check, text, "write its absolute path"));
    }
    match launch::absolute_program(command, machine) {
        Err(error) => Some(Finding::of_text(Exit::Connect, check, &error)),
        // Applications of a desktop do not have the PATH of the shell.
        Ok(found) if !is_path && host.gui && scope == Scope::User && machine.system != System::Windows => {
            let text = format!("the program `{}` is not an absolute path", excerpt(command));
            let fix = format!("write `{found}`, because {} may have another PATH than this terminal", host.name);
            Some(Finding::warning(check, text, fix))
        }
        Ok(_) => None,
    }
}

/// Collects the variables without a default that are not set. Names that only hosts know, such as `workspaceFolder`, are
/// skipped.
fn collect_unset(value: &Value, machine: &Machine, depth: usize, found: &mut Vec<String>) {
    match value {
        _ if depth == 0 => {}
        Value::String(text) => {
            for part in text.split("${").skip(1) {
                let Some((name, _)) = part.split_once('}') else { continue };
                let (name, is_env) = name.strip_prefix("env:").map_or((name, false), |name| (name, true));
                let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                let is_variable = is_name && (is_env || !name.chars().any(|c| c.is_ascii_lowercase()));
                if is_variable && !machine.env.contains_key(name) && !found.iter().any(|other| other == name) {
                    found.push(name.to_owned());
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_unset(item, machine, depth - 1, found)),
        Value::Object(members) => members.values().for_each(|value| collect_unset(value, machine, depth - 1, found)),
        _ => {}
    }
}
