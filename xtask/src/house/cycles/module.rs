//! One file as a module: what it defines, what it re-exports, and which paths of its own crate it names.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::SourceFile;

/// A file of a crate, read for the cycle rule. All paths are absolute within the crate, without `crate`.
pub(super) struct Module {
    /// Its place in the crate; the root's is empty.
    pub(super) name: Vec<String>,
    /// Its file, from the workspace root.
    pub(super) path: String,
    /// Items it defines.
    pub(super) items: BTreeSet<String>,
    /// Names it imports or re-exports from its own crate.
    pub(super) names: BTreeMap<String, Vec<String>>,
    /// Names it imports from other crates.
    pub(super) foreign: BTreeSet<String>,
    /// Modules it re-exports whole.
    pub(super) globs: Vec<Vec<String>>,
    /// Paths it names, each with its line.
    pub(super) uses: Vec<(Vec<String>, usize)>,
}

impl Module {
    /// Reads a file; `None` for a binary beside a library, which is a crate of its own.
    pub(super) fn read(file: &SourceFile, has_lib: bool) -> Option<Self> {
        let (_, inner) = file.path.split_once("/src/")?;
        if inner.starts_with("bin/") || (has_lib && inner == "main.rs") {
            return None;
        }
        let mut name: Vec<String> = inner.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if matches!(inner, "lib.rs" | "main.rs") || name.last().is_some_and(|last| last == "mod") {
            name.pop();
        }
        let gathers = inner.ends_with("lib.rs") || inner.ends_with("main.rs") || inner.ends_with("mod.rs");
        let module = Self {
            name,
            path: file.path.clone(),
            items: BTreeSet::new(),
            names: BTreeMap::new(),
            foreign: BTreeSet::new(),
            globs: Vec::new(),
            uses: Vec::new(),
        };
        let mut reader = Reader { file, gathers, module, children: BTreeSet::new(), inline: Vec::new() };
        reader.declare(&file.ast.items);
        reader.visit_file(&file.ast);
        Some(reader.module)
    }

    /// Its name as one would write it.
    pub(super) fn shown(&self) -> String {
        std::iter::once("crate").chain(self.name.iter().map(String::as_str)).collect::<Vec<_>>().join("::")
    }
}

struct Reader<'a> {
    file: &'a SourceFile,
    /// Whether the file is one that may re-export freely.
    gathers: bool,
    module: Module,
    children: BTreeSet<String>,
    /// Inline modules around the place being read.
    inline: Vec<String>,
}

impl Reader<'_> {
    /// Notes children, items and imports first: a path may name them before they come.
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

    /// Where a path leads within the crate; `None` when it starts in another one.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let here = || self.module.name.iter().chain(&self.inline).cloned();
        let first = path.first()?;
        if first == "crate" {
            return Some(path[1..].to_vec());
        }
        if first == "self" {
            return Some(here().chain(path[1..].iter().cloned()).collect());
        }
        let ups = path.iter().take_while(|part| *part == "super").count();
        if ups > 0 {
            let here: Vec<String> = here().collect();
            let above = here.len().saturating_sub(ups);
            return Some([&here[..above], &path[ups..]].concat());
        }
        if self.inline.is_empty() && path.len() > 1 && self.children.contains(first) {
            return Some(here().chain(path.iter().cloned()).collect());
        }
        if path.len() > 1 {
            if let Some(target) = self.module.names.get(first) {
                return Some([target.as_slice(), &path[1..]].concat());
            }
        }
        None
    }

    fn note(&mut self, path: &[String], line: usize) {
        if !self.file.is_test(line) {
            if let Some(path) = self.absolute(path) {
                self.module.uses.push((path, line));
            }
        }
    }

    /// Paths from `crate` or `super` inside a macro's tokens, which the syntax tree does not show.
    fn note_tokens(&mut self, stream: TokenStream) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut i = 0;
        while i < tokens.len() {
            match &tokens[i] {
                TokenTree::Group(group) => self.note_tokens(group.stream()),
                TokenTree::Ident(name) if name == "crate" || name == "super" => {
                    let after_dollar = i > 0 && is_punct(&tokens[i - 1], '$');
                    let (line, path) = (name.span().start().line, path_at(&tokens, i));
                    if !after_dollar {
                        self.note(&path, line);
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
            if !(shared && (self.gathers || of_child)) {
                self.note(&path, item.span().start().line);
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
            self.note(&parts, path.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.visit_path(&mac.path);
        self.note_tokens(mac.tokens.clone());
    }

    // `pub(in crate::a)` and attributes name modules without needing them.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}

/// The path that starts at `tokens[i]`.
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

/// Every path of a `use`, with the name it gets here; a glob ends in `*` and gets none.
fn leaves(tree: &syn::UseTree) -> Vec<(Vec<String>, Option<String>)> {
    let below = |first: String, rest: Vec<(Vec<String>, Option<String>)>| {
        rest.into_iter()
            .map(|(path, alias)| match path.as_slice() {
                // `a::{self}` is `a` by its own name.
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
