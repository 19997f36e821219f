//! No import cycle between the modules of a crate; a module is a file.
//!
//! A cycle means that neither file can be read, tested or moved without the other. What counts is what a file *names*:
//! `use` lines and paths in code, followed through re-exports to the file that defines the item. What does not: a
//! `lib.rs` or `mod.rs` that re-exports its children, and tests.

mod module;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{SourceFile, Violation};
use module::Module;

/// Re-exports followed before giving up; longer chains are cycles of re-exports.
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

/// The modules of one crate and who names whom.
struct Graph {
    modules: Vec<Module>,
    by_name: BTreeMap<Vec<String>, usize>,
    /// For each module: whom it names, and the line where it first does.
    edges: Vec<BTreeMap<usize, usize>>,
}

impl Graph {
    fn of(files: &[&SourceFile]) -> Self {
        let has_lib = files.iter().any(|f| f.path.ends_with("/src/lib.rs"));
        let modules: Vec<Module> = files.iter().filter_map(|file| Module::read(file, has_lib)).collect();
        let by_name = modules.iter().enumerate().map(|(i, m)| (m.name.clone(), i)).collect();
        let mut graph = Self { modules, by_name, edges: Vec::new() };
        graph.edges = graph.modules.iter().enumerate().map(|(i, module)| graph.edges_of(i, module)).collect();
        graph
    }

    fn edges_of(&self, from: usize, module: &Module) -> BTreeMap<usize, usize> {
        let mut edges = BTreeMap::new();
        for (path, line) in &module.uses {
            let all = if path.last().is_some_and(|last| last == "*") { self.behind(path, 0) } else { Vec::new() };
            for to in self.home(path, 0).into_iter().chain(all).filter(|to| *to != from) {
                let first = edges.entry(to).or_insert(*line);
                *first = (*first).min(*line);
            }
        }
        edges
    }

    /// The module that defines what an absolute path names; `None` for a bare module and for things of other crates.
    fn home(&self, path: &[String], hops: usize) -> Option<usize> {
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
            return self.home(&target, hops + 1);
        }
        let behind_glob = module.globs.iter().find_map(|glob| {
            let target = [glob.as_slice(), &path[depth..]].concat();
            let home = self.home(&target, hops + 1)?;
            self.modules[home].items.contains(item).then_some(home)
        });
        // What is found nowhere was written by a macro, and stands where it was looked for.
        behind_glob.or(Some(id))
    }

    /// The modules whose items a glob brings in through re-exports.
    fn behind(&self, glob: &[String], hops: usize) -> Vec<usize> {
        let Some(&id) = self.by_name.get(&glob[..glob.len() - 1]).filter(|_| hops <= MAX_REEXPORTS) else {
            return Vec::new();
        };
        let module = &self.modules[id];
        let mut found: Vec<usize> = module.names.values().filter_map(|path| self.home(path, 0)).collect();
        for inner in &module.globs {
            let inner = [inner.as_slice(), &["*".to_owned()]].concat();
            found.extend(self.home(&inner, 0));
            found.extend(self.behind(&inner, hops + 1));
        }
        found
    }

    fn violations(&self) -> Vec<Violation> {
        let mut told = BTreeSet::new();
        let mut found = Vec::new();
        for start in 0..self.modules.len() {
            if told.contains(&start) {
                continue;
            }
            if let Some(cycle) = self.shortest_cycle(start) {
                found.push(self.describe(&cycle));
                told.extend(cycle);
            }
        }
        found
    }

    /// The shortest way from a module back to itself.
    fn shortest_cycle(&self, start: usize) -> Option<Vec<usize>> {
        let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for &next in self.edges[at].keys() {
                if next == start {
                    let mut way = vec![at];
                    while way.last() != Some(&start) {
                        way.push(came_from[&way[way.len() - 1]]);
                    }
                    way.reverse();
                    return Some(way);
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
        let mut way = first.shown();
        for (i, &at) in cycle.iter().enumerate() {
            let next = cycle[(i + 1) % cycle.len()];
            let line = self.edges[at][&next];
            way = format!("{way} → {} ({}:{line})", self.modules[next].shown(), self.modules[at].path);
        }
        let line = self.edges[cycle[0]][&cycle[1 % cycle.len()]];
        let what = format!("import cycle {way}; move what both need into a module below them");
        Violation::new(&first.path, line, what)
    }
}
