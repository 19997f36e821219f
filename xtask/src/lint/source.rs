//! Collects and parses the sources that the rules check, and finds the lines that belong to tests.

use std::ops::RangeInclusive;
use std::path::Path;

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::Violation;

/// One parsed source file.
pub struct SourceFile {
    /// The path, relative to the workspace root, with `/` as separator.
    pub path: String,
    /// The content of the file.
    pub text: String,
    /// The syntax tree.
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
    /// Parses `text`; a syntax error is reported as a violation.
    pub fn parse(path: impl Into<String>, text: impl Into<String>) -> Result<Self, Violation> {
        let (path, text) = (path.into(), text.into());
        let parse_error = |line: usize, why: String| {
            Violation::new(&path, line, format!("cannot parse the file: {why}; run `cargo check` for details"))
        };
        let ast = syn::parse_file(&text).map_err(|e| parse_error(e.span().start().line, e.to_string()))?;
        let tokens: TokenStream =
            text.parse().map_err(|e: proc_macro2::LexError| parse_error(e.span().start().line, e.to_string()))?;
        let mut finder = TestFinder::default();
        finder.visit_file(&ast);
        Ok(Self { path, text, ast, tokens, tests: finder.found })
    }

    /// Whether the file contains only tests or benchmarks.
    pub fn is_test_file(&self) -> bool {
        is_test_path(&self.path)
    }

    /// Whether the line (counted from 1) belongs to a test.
    pub fn is_test(&self, line: usize) -> bool {
        self.is_test_file() || self.tests.iter().any(|range| range.contains(&line))
    }

    /// Calls `visit` for every token outside of tests and doc comments, with the tokens that follow it in the same group.
    pub fn each_token(&self, mut visit: impl FnMut(&TokenTree, &[TokenTree])) {
        if !self.is_test_file() {
            visit_tokens(self.tokens.clone(), &mut |token, rest| {
                if !self.is_test(token.span().start().line) {
                    visit(token, rest);
                }
            });
        }
    }
}

/// Whether a path belongs to tests or benchmarks.
pub(crate) fn is_test_path(path: &str) -> bool {
    path.rsplit('/').next() == Some("tests.rs") || path.split('/').any(|part| matches!(part, "tests" | "benches"))
}

/// Reads all sources, sorted by path; the second list contains syntax errors.
pub(super) fn collect(root: &Path) -> Result<(Vec<SourceFile>, Vec<Violation>)> {
    let mut folders: Vec<String> = ["examples/src", "xtask/src", "bench", "conformance"].map(str::to_owned).to_vec();
    for entry in std::fs::read_dir(root.join("crates")).context("cannot read the folder `crates`")? {
        folders.push(format!("crates/{}/src", entry?.file_name().to_string_lossy()));
    }
    let mut paths = Vec::new();
    for folder in folders {
        rust_files(root, &folder, &mut paths)?;
    }
    paths.sort();
    let (mut sources, mut parse_error) = (Vec::new(), Vec::new());
    for path in paths {
        let text = std::fs::read_to_string(root.join(&path)).with_context(|| path.clone())?;
        match SourceFile::parse(path, text) {
            Ok(file) => sources.push(file),
            Err(violation) => parse_error.push(violation),
        }
    }
    Ok((sources, parse_error))
}

/// Adds every `.rs` file below `folder`; a missing folder counts as empty.
pub(crate) fn rust_files(root: &Path, folder: &str, found: &mut Vec<String>) -> Result<()> {
    files_below(root, folder, &["rs"], found)
}

/// Adds every file below `folder` with one of the `extensions`; the empty folder is the workspace root.
pub(super) fn files_below(root: &Path, folder: &str, extensions: &[&str], found: &mut Vec<String>) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if entry.file_type()?.is_dir() {
            // Below `src`, `target` is a module instead of the build folder of Cargo.
            let is_build = name == "target" && folder.split('/').all(|part| part != "src");
            if !is_build && name != "node_modules" && !name.starts_with('.') {
                files_below(root, &path, extensions, found)?;
            }
        } else if Path::new(&name).extension().is_some_and(|end| extensions.iter().any(|one| end == *one)) {
            found.push(path);
        }
    }
    Ok(())
}

/// Visits tokens depth first. Skips doc comments, which are `#[doc = "…"]` attributes.
fn visit_tokens(stream: TokenStream, visit: &mut impl FnMut(&TokenTree, &[TokenTree])) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    for (i, token) in tokens.iter().enumerate() {
        visit(token, &tokens[i + 1..]);
        if let TokenTree::Group(group) = token {
            let after_hash = i > 0 && matches!(&tokens[i - 1], TokenTree::Punct(p) if "#!".contains(p.as_char()));
            if !(after_hash && group.delimiter() == Delimiter::Bracket && is_doc(group.stream())) {
                visit_tokens(group.stream(), visit);
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
    fn record(&mut self, attrs: &[syn::Attribute], span: proc_macro2::Span) -> bool {
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
        if !self.record(attrs, item.span()) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.record(&item.attrs, item.span());
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
