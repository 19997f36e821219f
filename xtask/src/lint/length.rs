//! Limits the length of files and functions.

use proc_macro2::Span;
use syn::visit::{self, Visit};

use super::{SourceFile, Violation};

/// The maximum length of a source file, in lines.
pub(super) const MAX_FILE: usize = 500;
/// The maximum length of a function, in lines, from its signature to its closing brace.
pub(super) const MAX_FUNCTION: usize = 80;

pub(super) fn check(file: &SourceFile) -> Vec<Violation> {
    if file.is_test_file() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let lines = file.text.lines().count();
    if lines > MAX_FILE {
        let message = format!(
            "{lines} lines, the limit is {MAX_FILE}; split the file by concept, or move its tests to `tests.rs`"
        );
        found.push(Violation::new(&file.path, MAX_FILE + 1, message));
    }
    let mut functions = Functions { file, found };
    functions.visit_file(&file.ast);
    functions.found
}

struct Functions<'a> {
    file: &'a SourceFile,
    found: Vec<Violation>,
}

impl Functions<'_> {
    fn measure(&mut self, sig: &syn::Signature, body: &syn::Block) {
        let first = sig.fn_token.span.start().line;
        let last = Span::end(&body.brace_token.span.close()).line;
        let lines = last + 1 - first;
        if lines > MAX_FUNCTION && !self.file.is_test(first) {
            let message = format!(
                "`fn {}` has {lines} lines, the limit is {MAX_FUNCTION}; extract parts into separate functions",
                sig.ident
            );
            self.found.push(Violation::new(&self.file.path, first, message));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.measure(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}
