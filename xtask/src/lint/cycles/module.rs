//! The definitions, re-exports and imports of one file.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::SourceFile;
use super::exemption::{self, Exemption};

/// A module, as the cycle rule needs it. All paths are absolute within the crate, without `crate`.
pub(super) struct Module {
    /// The module path; empty for the crate root.
    pub(super) name: Vec<String>,
    /// The file, relative to the workspace root.
    pub(super) path: String,
    /// Defined items.
    pub(super) items: BTreeSet<String>,
    /// Names imported or re-exported from the same crate.
    pub(super) names: BTreeMap<String, Vec<String>>,
    /// Names imported from other crates.
    pub(super) foreign: BTreeSet<String>,
    /// Modules imported by a glob.
    pub(super) globs: Vec<Vec<String>>,
    /// Paths in the code, each with its line.
    pub(super) uses: Vec<(Vec<String>, usize)>,
    /// Comments that exempt an import.
    pub(super) exemptions: Vec<Exemption>,
}

impl Module {
    /// Reads a file; returns `None` for a binary next to a library, which is a separate crate.
    pub(super) fn read(file: &SourceFile, has_lib: bool) -> Option<Self> {
        let (_, inner) = file.path.split_once("/src/")?;
        if inner.starts_with("bin/") || (has_lib && inner == "main.rs") {
            return None;
        }
        let mut name: Vec<String> = inner.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if matches!(inner, "lib.rs" | "main.rs") || name.last().is_some_and(|last| last == "mod") {
            name.pop();
        }
        let may_reexport = inner.ends_with("lib.rs") || inner.ends_with("main.rs") || inner.ends_with("mod.rs");
        let module = Self {
            name,
            path: file.path.clone(),
            items: BTreeSet::new(),
            names: BTreeMap::new(),
            foreign: BTreeSet::new(),
            globs: Vec::new(),
            uses: Vec::new(),
            exemptions: exemption::find(&file.text),
        };
        let mut reader = Reader { file, may_reexport, module, children: BTreeSet::new(), inline: Vec::new() };
        reader.declare(&file.ast.items);
        reader.visit_file(&file.ast);
        Some(reader.module)
    }

    /// Formats the module path with `crate::`.
    pub(super) fn display_name(&self) -> String {
        std::iter::once("crate").chain(self.name.iter().map(String::as_str)).collect::<Vec<_>>().join("::")
    }
}

struct Reader<'a> {
    file: &'a SourceFile,
    /// Whether re-exports in the file are exempt (`lib.rs`, `main.rs`, `mod.rs`).
    may_reexport: bool,
    module: Module,
    children: BTreeSet<String>,
    /// The inline modules around the current position.
    inline: Vec<String>,
}

impl Reader<'_> {
    /// Records children, items and imports before the paths that may refer to them.
    fn declare(&mut self, items: &[syn::Item]) {
        for item in items {
            if let syn::Item::Mod(child) = item {
                let list = if child.content.is_some() { &mut self.module.items } else { &mut self.children };
                list.insert(child.ident.to_string());
            } else if let Some(name) = item_name(item) {
                self.module.items.insert(name);
            }
        }
        for item in items {
            let syn::Item::Use(line) = item else { continue };
            for (path, alias) in leaves(&line.tree) {
                match (self.absolute(&path), alias) {
                    (Some(mut path), None) => {
                        path.pop();
                        self.module.globs.push(path);
                    }
                    (Some(path), Some(alias)) => drop(self.module.names.insert(alias, path)),
                    (None, Some(alias)) => drop(self.module.foreign.insert(alias)),
                    (None, None) => {}
                }
            }
        }
    }

    /// Resolves a path within the crate; returns `None` for a path into another crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let current = || self.module.name.iter().chain(&self.inline).cloned();
        let first = path.first()?;
        if first == "crate" {
            return Some(path[1..].to_vec());
        }
        if first == "self" {
            return Some(current().chain(path[1..].iter().cloned()).collect());
        }
        let ups = path.iter().take_while(|part| *part == "super").count();
        if ups > 0 {
            let current: Vec<String> = current().collect();
            let above = current.len().saturating_sub(ups);
            return Some([&current[..above], &path[ups..]].concat());
        }
        if self.inline.is_empty() && path.len() > 1 && self.children.contains(first) {
            return Some(current().chain(path.iter().cloned()).collect());
        }
        if path.len() > 1 {
            if let Some(target) = self.module.names.get(first) {
                return Some([target.as_slice(), &path[1..]].concat());
            }
        }
        None
    }

    fn record(&mut self, path: &[String], line: usize) {
        if !self.file.is_test(line) {
            if let Some(path) = self.absolute(path) {
                self.module.uses.push((path, line));
            }
        }
    }

    /// Records paths that begin with `crate` or `super` in macro tokens, which are not in the syntax tree.
    fn record_tokens(&mut self, stream: TokenStream) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut i = 0;
        while i < tokens.len() {
            match &tokens[i] {
                TokenTree::Group(group) => self.record_tokens(group.stream()),
                TokenTree::Ident(name) if name == "crate" || name == "super" => {
                    let after_dollar = i > 0 && is_punct(&tokens[i - 1], '$');
                    let (line, path) = (name.span().start().line, path_at(&tokens, i));
                    if !after_dollar {
                        self.record(&path, line);
                    }
                    i += 3 * (path.len() - 1);
                }
                _ => {}
            }
            i += 1;
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let shared = !matches!(item.vis, syn::Visibility::Inherited);
        for (path, _) in leaves(&item.tree) {
            let of_child = path.first().is_some_and(|first| self.children.contains(first));
            if !(shared && (self.may_reexport || of_child)) {
                self.record(&path, item.span().start().line);
            }
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.inline.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.inline.pop();
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if path.leading_colon.is_none() && parts.len() > 1 {
            self.record(&parts, path.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.visit_path(&mac.path);
        self.record_tokens(mac.tokens.clone());
    }

    // `pub(in crate::a)` and attributes are not imports.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}

/// Returns the path that starts at `tokens[i]`.
fn path_at(tokens: &[TokenTree], mut i: usize) -> Vec<String> {
    let mut path = Vec::new();
    while let Some(TokenTree::Ident(name)) = tokens.get(i) {
        path.push(name.to_string());
        let colons = tokens.get(i + 1..i + 3).is_some_and(|two| two.iter().all(|t| is_punct(t, ':')));
        if !colons {
            break;
        }
        i += 3;
    }
    path
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(p) if p.as_char() == wanted)
}

/// Returns every path of a `use` tree with its local name; a glob ends in `*` and has no name.
fn leaves(tree: &syn::UseTree) -> Vec<(Vec<String>, Option<String>)> {
    let below = |first: String, rest: Vec<(Vec<String>, Option<String>)>| {
        rest.into_iter()
            .map(|(path, alias)| match path.as_slice() {
                // `a::{self}` imports `a` under its name.
                [own] if own == "self" && first != "self" => {
                    let alias = alias.filter(|a| a != "self").unwrap_or_else(|| first.clone());
                    (vec![first.clone()], Some(alias))
                }
                _ => ([vec![first.clone()], path].concat(), alias),
            })
            .collect()
    };
    match tree {
        syn::UseTree::Path(path) => below(path.ident.to_string(), leaves(&path.tree)),
        syn::UseTree::Name(name) => {
            vec![(vec![name.ident.to_string()], Some(name.ident.to_string()))]
        }
        syn::UseTree::Rename(name) => {
            vec![(vec![name.ident.to_string()], Some(name.rename.to_string()))]
        }
        syn::UseTree::Glob(_) => vec![(vec!["*".to_owned()], None)],
        syn::UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
    }
}

fn item_name(item: &syn::Item) -> Option<String> {
    let name = match item {
        syn::Item::Const(i) => &i.ident,
        syn::Item::Enum(i) => &i.ident,
        syn::Item::Fn(i) => &i.sig.ident,
        syn::Item::Macro(i) => i.ident.as_ref()?,
        syn::Item::Static(i) => &i.ident,
        syn::Item::Struct(i) => &i.ident,
        syn::Item::Trait(i) => &i.ident,
        syn::Item::TraitAlias(i) => &i.ident,
        syn::Item::Type(i) => &i.ident,
        syn::Item::Union(i) => &i.ident,
        _ => return None,
    };
    Some(name.to_string())
}
