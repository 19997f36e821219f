//! JSON for programs.

use serde_json::{Map, Value, json};

use super::content::Report;
use crate::lint::finding::Finding;
use crate::lint::rule::Severity;

/// Returns the report.
pub(super) fn value(report: &Report<'_>) -> Value {
    let findings = &report.lint.findings;
    let rules: Map<String, Value> = findings
        .rules()
        .filter(|(_, _, count)| *count > 0)
        .map(|(rule, _, count)| (rule.id.to_owned(), count.into()))
        .collect();
    json!({
        "serverInfo": report.definitions.surface.server_info,
        "tools": report.lint.tools,
        "estimatedTokens": report.lint.tokens,
        "counts": {
            "error": findings.count(Severity::Error),
            "warning": findings.count(Severity::Warning),
            "info": findings.count(Severity::Info),
        },
        "rules": rules,
        "omitted": findings.omitted(),
        "findings": findings.list().iter().map(finding).collect::<Vec<Value>>(),
    })
}

fn finding(finding: &Finding) -> Value {
    let Finding { rule, severity, item, pointer, message } = finding;
    json!({
        "rule": rule.id,
        "severity": severity.name(),
        "item": item,
        "pointer": pointer,
        "message": message,
        "remedy": rule.remedy,
    })
}
