//! Checks that a file opens with `//!` and does not use `todo!` or `unimplemented!`; counts uses of `unsafe`.

use proc_macro2::TokenTree;

use super::{SourceFile, Violation};

pub(super) fn check(file: &SourceFile) -> Vec<Violation> {
    let mut found = Vec::new();
    let opening = file.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if !opening.starts_with("//!") {
        let message = "the file does not open with `//!`; describe the purpose of the module";
        found.push(Violation::new(&file.path, 1, message));
    }
    file.each_token(|token, rest| {
        let TokenTree::Ident(name) = token else {
            return;
        };
        let is_macro_call = matches!(rest.first(), Some(TokenTree::Punct(p)) if p.as_char() == '!');
        if is_macro_call && (name == "todo" || name == "unimplemented") {
            let message = format!("`{name}!` panics at run time; implement the item or remove it");
            found.push(Violation::new(&file.path, name.span().start().line, message));
        }
    });
    found
}

/// Counts the uses of `unsafe` outside of tests.
pub(super) fn count_unsafe(file: &SourceFile) -> usize {
    let mut count = 0;
    file.each_token(|token, _| {
        count += usize::from(matches!(token, TokenTree::Ident(i) if i == "unsafe"));
    });
    count
}
