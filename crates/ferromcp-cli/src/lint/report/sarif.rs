//! SARIF 2.1.0. Spec: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use std::fmt::Write;

use serde_json::{Value, json};

use super::content::Report;
use crate::lint::finding::Finding;
use crate::lint::rule::{RULES, Rule, Severity};

/// The JSON Schema of the format.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Returns the log, with one run.
pub(super) fn value(report: &Report<'_>) -> Value {
    let findings = &report.lint.findings;
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "mcp lint",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(descriptor).collect::<Vec<Value>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": findings.list().iter().map(|finding| result(finding, report.file)).collect::<Vec<Value>>(),
            "properties": {
                "server": report.server(),
                "tools": report.lint.tools,
                "estimatedTokens": report.lint.tokens,
                "omitted": findings.omitted(),
            },
        }],
    })
}

fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.summary },
        "help": { "text": rule.remedy },
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn result(finding: &Finding, file: Option<&str>) -> Value {
    let Finding { rule, severity, item, pointer, message } = finding;
    let index = RULES.iter().position(|other| other.id == rule.id);
    let mut location = json!({ "logicalLocations": [{ "name": item, "fullyQualifiedName": pointer }] });
    if let Some(file) = file {
        // The line of an item is not known; viewers require a region.
        location["physicalLocation"] =
            json!({ "artifactLocation": { "uri": file_uri(file) }, "region": { "startLine": 1 } });
    }
    json!({
        "ruleId": rule.id,
        "ruleIndex": index,
        "level": level(*severity),
        "message": { "text": format!("{item}: {message}; {}", rule.remedy) },
        "locations": [location],
        "partialFingerprints": { "pointer/v1": format!("{}:{pointer}", rule.id) },
    })
}

/// Returns a path as a URI reference, relative if the path is.
fn file_uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~') {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
