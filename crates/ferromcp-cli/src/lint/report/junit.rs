//! JUnit XML: one test case for each rule, so that the names of test cases do not change between runs.

use std::fmt::Write;

use super::content::Report;
use crate::lint::finding::Finding;
use crate::lint::rule::{Rule, Severity};

/// Returns the document.
pub(super) fn document(report: &Report<'_>) -> String {
    let findings = &report.lint.findings;
    let is_failure = |severity: Option<Severity>| {
        report.fail_on.is_some_and(|least| severity.is_some_and(|severity| severity >= least))
    };
    let failures = findings.rules().filter(|(_, severity, count)| *count > 0 && is_failure(*severity)).count();
    let (tests, skipped) =
        (findings.rules().count(), findings.rules().filter(|(_, severity, _)| severity.is_none()).count());
    let name = escape(report.server());
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"");
    // Writing to a string cannot fail.
    let _ = writeln!(xml, "<testsuites name=\"mcp lint\" {counts}>\n  <testsuite name=\"{name}\" {counts}>");
    for (rule, severity, count) in findings.rules() {
        let _ = write!(xml, "    <testcase classname=\"mcp.lint\" name=\"{}\"", escape(rule.id));
        if severity.is_none() {
            xml.push_str(">\n      <skipped/>\n    </testcase>\n");
        } else if count == 0 {
            xml.push_str("/>\n");
        } else {
            xml.push_str(">\n");
            push_findings(&mut xml, report, rule, count, is_failure(severity));
            xml.push_str("    </testcase>\n");
        }
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

/// Adds the findings of a rule, as a failure or as output.
fn push_findings(xml: &mut String, report: &Report<'_>, rule: &Rule, count: usize, is_failure: bool) {
    let of_rule = report.lint.findings.list().iter().filter(|finding| finding.rule.id == rule.id);
    let lines: Vec<String> = of_rule
        .map(|Finding { item, pointer, message, .. }| escape(&format!("{item}: {message} ({pointer})")))
        .collect();
    let text = lines.join("\n");
    let _ = if is_failure {
        let message = escape(&format!("{count} findings; {}", rule.remedy));
        writeln!(xml, "      <failure type=\"{}\" message=\"{message}\">{text}</failure>", escape(rule.id))
    } else {
        writeln!(xml, "      <system-out>{text}</system-out>")
    };
}

/// Escapes a text for an element or an attribute. Characters that XML 1.0 or a terminal does not accept are replaced.
fn escape(text: &str) -> String {
    let text = ferromcp_core::text::escape(text);
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\n' | '\t' => escaped.push(' '),
            '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            _ => escaped.push(c),
        }
    }
    escaped
}
