//! A protocol revision is named once: code elsewhere asks `Revision` what holds, so that a new revision is one new file
//! and no hunt for string comparisons.

use proc_macro2::TokenTree;

use super::{SourceFile, Violation};

/// The revisions, year and day apart so that this file keeps its own rule.
const REVISIONS: [(&str, &str); 5] =
    [("2024", "11-05"), ("2025", "03-26"), ("2025", "06-18"), ("2025", "11-25"), ("2026", "07-28")];

pub(super) fn check(file: &SourceFile) -> Vec<Violation> {
    let mut found = Vec::new();
    if may_name_revisions(&file.path) {
        return found;
    }
    file.each_token(|token, _| {
        let TokenTree::Literal(literal) = token else { return };
        let text = literal.to_string();
        if text.contains('"') && REVISIONS.iter().any(|(year, day)| text.contains(&format!("{year}-{day}"))) {
            let what = format!(
                "{text} names a protocol revision; ask `Revision` instead (only core's revision.rs, methods.rs and \
                 wire/v*.rs and the `era/` folders name revisions)"
            );
            found.push(Violation::new(&file.path, literal.span().start().line, what));
        }
    });
    found
}

fn may_name_revisions(path: &str) -> bool {
    let in_core = path
        .strip_prefix("crates/ferromcp-core/src/")
        .is_some_and(|inner| matches!(inner, "revision.rs" | "methods.rs") || inner.starts_with("wire/v"));
    in_core || path.contains("/era/")
}
