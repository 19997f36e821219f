//! Allows literals of protocol revisions only in a few files; other code uses `Revision`, so that a new revision needs
//! few changes.

use proc_macro2::TokenTree;

use super::{SourceFile, Violation};

/// The revisions, with year and day separated, so that this file contains no revision literal.
const REVISIONS: [(&str, &str); 5] =
    [("2024", "11-05"), ("2025", "03-26"), ("2025", "06-18"), ("2025", "11-25"), ("2026", "07-28")];

pub(super) fn check(file: &SourceFile) -> Vec<Violation> {
    let mut found = Vec::new();
    if may_contain_revisions(&file.path) {
        return found;
    }
    file.each_token(|token, _| {
        let TokenTree::Literal(literal) = token else { return };
        let text = literal.to_string();
        if text.contains('"') && REVISIONS.iter().any(|(year, day)| text.contains(&format!("{year}-{day}"))) {
            let message = format!(
                "{text} is a protocol revision; use `Revision` instead (only revision.rs, methods.rs and wire/v*.rs of \
                 ferromcp-core and the `era/` folders contain revision literals)"
            );
            found.push(Violation::new(&file.path, literal.span().start().line, message));
        }
    });
    found
}

fn may_contain_revisions(path: &str) -> bool {
    let in_core = path
        .strip_prefix("crates/ferromcp-core/src/")
        .is_some_and(|inner| matches!(inner, "revision.rs" | "methods.rs") || inner.starts_with("wire/v"));
    in_core || path.contains("/era/")
}
