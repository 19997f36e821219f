//! Rejects import cycles between the modules of a crate; a module is a file.
//!
//! Files in a cycle cannot be read, tested or moved separately. An import is a `use` item or a path in code, followed
//! through re-exports to the file that defines the item. Tests, and re-exports of child modules in `lib.rs` or `mod.rs`,
//! are not imports.
//!
//! `// lint: allow(cycle): <reason>` on the line of an import, or above it, exempts the modules imported there, in the whole
//! file. The reason is mandatory, and an exemption without which there is no cycle is a violation.

mod exemption;
mod module;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{SourceFile, Violation};
use module::Module;

/// The maximum number of re-exports to follow; longer chains are cycles of re-exports.
const MAX_REEXPORTS: usize = 8;

pub(super) fn check(files: &[SourceFile]) -> Vec<Violation> {
    let mut crates: BTreeMap<&str, Vec<&SourceFile>> = BTreeMap::new();
    for file in files.iter().filter(|f| !f.is_test_file()) {
        if let Some((root, _)) = file.path.split_once("/src/") {
            crates.entry(root).or_default().push(file);
        }
    }
    crates.values().flat_map(|files| Graph::of(files).violations()).collect()
}

/// The modules of one crate and the imports between them.
struct Graph {
    modules: Vec<Module>,
    by_name: BTreeMap<Vec<String>, usize>,
    /// For each module: the imported modules, with the line of the first import.
    edges: Vec<BTreeMap<usize, usize>>,
    /// Violations of the rules for exemptions.
    invalid_exemptions: Vec<Violation>,
}

impl Graph {
    fn of(files: &[&SourceFile]) -> Self {
        let has_lib = files.iter().any(|f| f.path.ends_with("/src/lib.rs"));
        let modules: Vec<Module> = files.iter().filter_map(|file| Module::read(file, has_lib)).collect();
        let by_name = modules.iter().enumerate().map(|(i, m)| (m.name.clone(), i)).collect();
        let mut graph = Self { modules, by_name, edges: Vec::new(), invalid_exemptions: Vec::new() };
        graph.edges = graph.modules.iter().enumerate().map(|(i, module)| graph.edges_of(i, module)).collect();
        graph.apply_exemptions();
        graph
    }

    /// Removes the exempted imports, and records exemptions without a reason or without an effect.
    fn apply_exemptions(&mut self) {
        let mut exempted: Vec<(usize, usize, BTreeSet<usize>)> = Vec::new();
        let mut invalid = Vec::new();
        for (from, module) in self.modules.iter().enumerate() {
            for exemption in &module.exemptions {
                let paths = module.uses.iter().filter(|(_, line)| *line == exemption.import).map(|(path, _)| path);
                // `use crate::a;` alone imports no item, but it names the module for the paths in the code.
                let targets =
                    paths.flat_map(|path| self.by_name.get(path).copied().into_iter().chain(self.targets(from, path)));
                exempted.push((from, exemption.line, targets.collect()));
                if !exemption.has_reason {
                    let message = "exemption without a reason; write `lint: allow(cycle): <reason>`";
                    invalid.push(Violation::new(&module.path, exemption.line, message));
                }
            }
        }
        for (from, _, targets) in &exempted {
            self.edges[*from].retain(|to, _| !targets.contains(to));
        }
        for (from, line, targets) in &exempted {
            if !targets.iter().any(|to| self.reaches(*to, *from)) {
                let message = "exemption without an effect: the import is not part of a cycle; remove the comment";
                invalid.push(Violation::new(&self.modules[*from].path, *line, message));
            }
        }
        self.invalid_exemptions = invalid;
    }

    /// Returns the modules that a path in the module `from` imports.
    fn targets(&self, from: usize, path: &[String]) -> Vec<usize> {
        let behind_glob =
            if path.last().is_some_and(|last| last == "*") { self.modules_behind_glob(path, 0) } else { Vec::new() };
        self.definition(path, 0).into_iter().chain(behind_glob).filter(|to| *to != from).collect()
    }

    /// Returns whether `from` imports `to`, directly or through other modules.
    fn reaches(&self, from: usize, to: usize) -> bool {
        let (mut seen, mut open) = (BTreeSet::from([from]), vec![from]);
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            open.extend(self.edges[at].keys().filter(|next| seen.insert(**next)));
        }
        false
    }

    fn edges_of(&self, from: usize, module: &Module) -> BTreeMap<usize, usize> {
        let mut edges = BTreeMap::new();
        for (path, line) in &module.uses {
            for to in self.targets(from, path) {
                let first = edges.entry(to).or_insert(*line);
                *first = (*first).min(*line);
            }
        }
        edges
    }

    /// Returns the module that defines the item at an absolute path; `None` for modules and for items of other crates.
    fn definition(&self, path: &[String], hops: usize) -> Option<usize> {
        let depth = (0..=path.len()).rev().find(|n| self.by_name.contains_key(&path[..*n]))?;
        let id = self.by_name[&path[..depth]];
        let module = &self.modules[id];
        let item = path.get(depth)?;
        if hops > MAX_REEXPORTS || module.items.contains(item) {
            return Some(id);
        }
        if item == "*" {
            return (!module.items.is_empty()).then_some(id);
        }
        if module.foreign.contains(item) {
            return None;
        }
        if let Some(target) = module.names.get(item) {
            let mut target = target.clone();
            target.extend_from_slice(&path[depth + 1..]);
            return self.definition(&target, hops + 1);
        }
        let through_glob = module.globs.iter().find_map(|glob| {
            let target = [glob.as_slice(), &path[depth..]].concat();
            let definition = self.definition(&target, hops + 1)?;
            self.modules[definition].items.contains(item).then_some(definition)
        });
        // An item that is not found is generated by a macro in this module.
        through_glob.or(Some(id))
    }

    /// Returns the modules whose items a glob imports through re-exports.
    fn modules_behind_glob(&self, glob: &[String], hops: usize) -> Vec<usize> {
        let Some(&id) = self.by_name.get(&glob[..glob.len() - 1]).filter(|_| hops <= MAX_REEXPORTS) else {
            return Vec::new();
        };
        let module = &self.modules[id];
        let mut found: Vec<usize> = module.names.values().filter_map(|path| self.definition(path, 0)).collect();
        for inner in &module.globs {
            let inner = [inner.as_slice(), &["*".to_owned()]].concat();
            found.extend(self.definition(&inner, 0));
            found.extend(self.modules_behind_glob(&inner, hops + 1));
        }
        found
    }

    fn violations(&self) -> Vec<Violation> {
        let mut reported = BTreeSet::new();
        let mut found = self.invalid_exemptions.clone();
        for start in 0..self.modules.len() {
            if reported.contains(&start) {
                continue;
            }
            if let Some(cycle) = self.shortest_cycle(start) {
                found.push(self.describe(&cycle));
                reported.extend(cycle);
            }
        }
        found
    }

    /// Returns the shortest cycle through a module.
    fn shortest_cycle(&self, start: usize) -> Option<Vec<usize>> {
        let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for &next in self.edges[at].keys() {
                if next == start {
                    let mut path = vec![at];
                    while path.last() != Some(&start) {
                        path.push(came_from[&path[path.len() - 1]]);
                    }
                    path.reverse();
                    return Some(path);
                }
                if next != start && !came_from.contains_key(&next) {
                    came_from.insert(next, at);
                    queue.push_back(next);
                }
            }
        }
        None
    }

    fn describe(&self, cycle: &[usize]) -> Violation {
        let first = &self.modules[cycle[0]];
        let mut path = first.display_name();
        for (i, &at) in cycle.iter().enumerate() {
            let next = cycle[(i + 1) % cycle.len()];
            let line = self.edges[at][&next];
            path = format!("{path} → {} ({}:{line})", self.modules[next].display_name(), self.modules[at].path);
        }
        let line = self.edges[cycle[0]][&cycle[1 % cycle.len()]];
        let message = format!("import cycle {path}; move the shared items into a module that both import");
        Violation::new(&first.path, line, message)
    }
}
