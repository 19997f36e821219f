//! Small manners of a file: it says what it is, it leaves nothing half done, and it counts its `unsafe`.

use proc_macro2::TokenTree;

use super::{SourceFile, Violation};

pub(super) fn check(file: &SourceFile) -> Vec<Violation> {
    let mut found = Vec::new();
    let opening = file.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if !opening.starts_with("//!") {
        let what = "the file does not open with `//!`; say what lives here and why";
        found.push(Violation::new(&file.path, 1, what));
    }
    file.each_token(|token, rest| {
        let TokenTree::Ident(name) = token else {
            return;
        };
        let called = matches!(rest.first(), Some(TokenTree::Punct(p)) if p.as_char() == '!');
        if called && (name == "todo" || name == "unimplemented") {
            let what = format!("`{name}!` is a promise the caller cannot read; write it, or do not offer it");
            found.push(Violation::new(&file.path, name.span().start().line, what));
        }
    });
    found
}

/// How often the file writes `unsafe` outside of tests.
pub(super) fn count_unsafe(file: &SourceFile) -> usize {
    let mut count = 0;
    file.each_token(|token, _| {
        count += usize::from(matches!(token, TokenTree::Ident(i) if i == "unsafe"));
    });
    count
}
