//! The sources the rules read: which files count, and one file parsed, with the lines that belong to tests known.

use std::ops::RangeInclusive;
use std::path::Path;

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::Violation;

/// One parsed source file.
pub struct SourceFile {
    /// From the workspace root, with `/` between folders.
    pub path: String,
    /// What stands in it.
    pub text: String,
    /// Its syntax tree.
    pub ast: syn::File,
    tokens: TokenStream,
    tests: Vec<RangeInclusive<usize>>,
}

impl std::fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SourceFile {
    /// Parses `text`; what does not parse is a broken rule of its own.
    pub fn parse(path: impl Into<String>, text: impl Into<String>) -> Result<Self, Violation> {
        let (path, text) = (path.into(), text.into());
        let broken = |line: usize, why: String| {
            Violation::new(&path, line, format!("does not parse ({why}); the compiler will say more"))
        };
        let ast = syn::parse_file(&text).map_err(|e| broken(e.span().start().line, e.to_string()))?;
        let tokens: TokenStream =
            text.parse().map_err(|e: proc_macro2::LexError| broken(e.span().start().line, e.to_string()))?;
        let mut finder = TestFinder::default();
        finder.visit_file(&ast);
        Ok(Self { path, text, ast, tokens, tests: finder.found })
    }

    /// Whether the whole file is a test or a benchmark.
    pub fn is_test_file(&self) -> bool {
        is_test_path(&self.path)
    }

    /// Whether this line (counted from 1) belongs to a test.
    pub fn is_test(&self, line: usize) -> bool {
        self.is_test_file() || self.tests.iter().any(|range| range.contains(&line))
    }

    /// Calls `look` at every token outside of tests and doc comments, with what follows it in the same group.
    pub fn each_token(&self, mut look: impl FnMut(&TokenTree, &[TokenTree])) {
        if !self.is_test_file() {
            walk(self.tokens.clone(), &mut |token, rest| {
                if !self.is_test(token.span().start().line) {
                    look(token, rest);
                }
            });
        }
    }
}

/// Whether a path names a file of tests or benchmarks.
pub(crate) fn is_test_path(path: &str) -> bool {
    path.rsplit('/').next() == Some("tests.rs") || path.split('/').any(|part| matches!(part, "tests" | "benches"))
}

/// Reads the sources of every room, in order of path; the second list holds files that do not parse.
pub(super) fn collect(root: &Path) -> Result<(Vec<SourceFile>, Vec<Violation>)> {
    let mut rooms: Vec<String> = ["examples/src", "xtask/src", "bench", "conformance"].map(str::to_owned).to_vec();
    for entry in std::fs::read_dir(root.join("crates")).context("the workspace has a folder `crates`")? {
        rooms.push(format!("crates/{}/src", entry?.file_name().to_string_lossy()));
    }
    let mut paths = Vec::new();
    for room in rooms {
        rust_files(root, &room, &mut paths)?;
    }
    paths.sort();
    let (mut sources, mut broken) = (Vec::new(), Vec::new());
    for path in paths {
        let text = std::fs::read_to_string(root.join(&path)).with_context(|| path.clone())?;
        match SourceFile::parse(path, text) {
            Ok(file) => sources.push(file),
            Err(violation) => broken.push(violation),
        }
    }
    Ok((sources, broken))
}

/// Adds every `.rs` file below `folder`; a folder that is not there holds none.
pub(crate) fn rust_files(root: &Path, folder: &str, found: &mut Vec<String>) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{folder}/{name}");
        if entry.file_type()?.is_dir() {
            if name != "target" && name != "node_modules" && !name.starts_with('.') {
                rust_files(root, &path, found)?;
            }
        } else if Path::new(&name).extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// Walks tokens depth first. Doc comments arrive as `#[doc = "…"]`; those groups are left out.
fn walk(stream: TokenStream, look: &mut impl FnMut(&TokenTree, &[TokenTree])) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    for (i, token) in tokens.iter().enumerate() {
        look(token, &tokens[i + 1..]);
        if let TokenTree::Group(group) = token {
            let after_hash = i > 0 && matches!(&tokens[i - 1], TokenTree::Punct(p) if "#!".contains(p.as_char()));
            if !(after_hash && group.delimiter() == Delimiter::Bracket && is_doc(group.stream())) {
                walk(group.stream(), look);
            }
        }
    }
}

fn is_doc(stream: TokenStream) -> bool {
    let mut tokens = stream.into_iter();
    matches!(tokens.next(), Some(TokenTree::Ident(i)) if i == "doc")
        && matches!(tokens.next(), Some(TokenTree::Punct(p)) if p.as_char() == '=' && p.spacing() == Spacing::Alone)
}

/// Collects the lines of `#[cfg(test)]` items and of test functions.
#[derive(Default)]
struct TestFinder {
    found: Vec<RangeInclusive<usize>>,
}

impl TestFinder {
    fn note(&mut self, attrs: &[syn::Attribute], span: proc_macro2::Span) -> bool {
        let test = attrs.iter().any(is_test_attr);
        if test {
            let first = attrs.iter().map(|a| a.span().start().line).chain([span.start().line]).min();
            self.found.push(first.unwrap_or(1)..=span.end().line);
        }
        test
    }
}

impl<'ast> Visit<'ast> for TestFinder {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attrs = match item {
            syn::Item::Mod(i) => &i.attrs,
            syn::Item::Fn(i) => &i.attrs,
            syn::Item::Use(i) => &i.attrs,
            syn::Item::Impl(i) => &i.attrs,
            syn::Item::Struct(i) => &i.attrs,
            syn::Item::Enum(i) => &i.attrs,
            syn::Item::Const(i) => &i.attrs,
            syn::Item::Macro(i) => &i.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !self.note(attrs, item.span()) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.note(&item.attrs, item.span());
    }
}

/// `#[test]`, `#[tokio::test]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`.
fn is_test_attr(attr: &syn::Attribute) -> bool {
    let path = attr.path();
    if path.segments.last().is_some_and(|s| s.ident == "test") {
        return true;
    }
    let syn::Meta::List(list) = &attr.meta else {
        return false;
    };
    path.is_ident("cfg") && is_test_cfg(list.tokens.clone())
}

fn is_test_cfg(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter();
    match tokens.next() {
        Some(TokenTree::Ident(i)) if i == "test" => true,
        Some(TokenTree::Ident(i)) if i == "all" => {
            matches!(tokens.next(), Some(TokenTree::Group(g)) if is_test_cfg(g.stream()))
        }
        _ => false,
    }
}
