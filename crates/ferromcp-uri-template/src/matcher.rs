//! Matches a URI without backtracking.
//!
//! A table is computed from the last step to the first: whether the remaining steps match the rest of the URI. A forward
//! pass then takes, at each step, the preferred option among those that lead to a match. Both passes take time
//! proportional to the length of the URI times the number of steps, for any URI.

use std::ops::Range;

use super::{
    compile::{Named, Plan, Run, Step},
    encode,
    variable::Variable,
};

/// The byte ranges of the values of each variable: none if it is absent, several for a list.
pub(super) type Spans = Vec<Vec<Range<usize>>>;

/// Matches a URI normalized by [`encode::normalise`].
pub(super) fn find(plan: &Plan, variables: &[Variable], uri: &[u8]) -> Option<Spans> {
    if let Some(Step::Literal(text)) = plan.steps.first() {
        // Fast path: most mismatches differ in the first literal.
        if !uri.starts_with(text) {
            return None;
        }
    }
    let search = Search::new(plan, uri);
    if search.can(0, 0) { search.walk(variables) } else { None }
}

struct Search<'a> {
    plan: &'a Plan,
    uri: &'a [u8],
    /// For each step (and the end) and each position in the URI: true if the rest matches.
    table: Vec<bool>,
    /// The number of characters before each position; empty if no step needs it.
    characters: Vec<usize>,
}

impl<'a> Search<'a> {
    fn new(plan: &'a Plan, uri: &'a [u8]) -> Self {
        let width = uri.len() + 1;
        let steps = plan.steps.len();
        let characters = if plan.counts { count_characters(uri) } else { Vec::new() };
        let mut search = Self { plan, uri, table: vec![false; width * (steps + 1)], characters };
        search.table[width * (steps + 1) - 1] = true;
        for step in (0..steps).rev() {
            search.fill(step);
        }
        search
    }

    fn cell(&self, step: usize, at: usize) -> usize {
        step * (self.uri.len() + 1) + at
    }

    fn can(&self, step: usize, at: usize) -> bool {
        self.table[self.cell(step, at)]
    }

    fn fill(&mut self, step: usize) {
        let plan = self.plan;
        match &plan.steps[step] {
            Step::Literal(text) => {
                for at in 0..=self.uri.len() {
                    let fits = self.uri[at..].starts_with(text) && self.can(step + 1, at + text.len());
                    self.set(step, at, fits);
                }
            }
            Step::Optional { end } => {
                for at in 0..=self.uri.len() {
                    let fits = self.can(step + 1, at) || self.can(*end, at);
                    self.set(step, at, fits);
                }
            }
            Step::Run(run) => self.fill_run(step, run),
            Step::Named(named) => {
                let mut end = self.uri.len();
                for at in (0..self.uri.len()).rev() {
                    let byte = self.uri[at];
                    self.set(step, at, named.markers.has(byte) && self.can(step + 1, end));
                    if named.stops.has(byte) {
                        end = at;
                    }
                }
            }
        }
    }

    fn fill_run(&mut self, step: usize, run: &Run) {
        // The nearest end is within the limit if any end is.
        let mut nearest = None;
        for at in (0..=self.uri.len()).rev() {
            match self.uri.get(at) {
                Some(&byte) if !run.excluded.has(byte) => {
                    if self.can(step + 1, at + 1) {
                        nearest = Some(at + 1);
                    }
                }
                _ => nearest = None,
            }
            let some = nearest.is_some_and(|end| self.within(run, at, end));
            let none = run.may_be_empty && self.can(step + 1, at);
            self.set(step, at, some || none);
        }
    }

    fn set(&mut self, step: usize, at: usize, fits: bool) {
        let cell = self.cell(step, at);
        self.table[cell] = fits && !self.inside_triplet(at);
    }

    fn inside_triplet(&self, at: usize) -> bool {
        self.uri[at.saturating_sub(2)..at].contains(&b'%')
    }

    fn within(&self, run: &Run, start: usize, end: usize) -> bool {
        run.limit.is_none_or(|limit| self.characters[end] - self.characters[start] <= usize::from(limit))
    }

    /// Follows the table from the start. A match must exist.
    fn walk(&self, variables: &[Variable]) -> Option<Spans> {
        let mut spans = vec![Vec::new(); variables.len()];
        let (mut step, mut at) = (0, 0);
        while let Some(current) = self.plan.steps.get(step) {
            match current {
                Step::Literal(text) => at += text.len(),
                Step::Optional { end } => {
                    if !self.can(step + 1, at) {
                        step = *end;
                        continue;
                    }
                }
                Step::Run(run) => {
                    let end = self.choose(step, run, at)?;
                    split(&self.uri[at..end], run.split, at, &mut spans[run.variable]);
                    at = end;
                }
                Step::Named(named) => {
                    let rest = &self.uri[at + 1..];
                    let length = rest.iter().position(|&byte| named.stops.has(byte)).unwrap_or(rest.len());
                    self.parameters(named, at + 1..at + 1 + length, variables, &mut spans)?;
                    at += 1 + length;
                }
            }
            step += 1;
        }
        Some(spans)
    }

    /// Returns the end of a value: the position at which the most following optional expressions are present, nearest first;
    /// otherwise the farthest position.
    fn choose(&self, step: usize, run: &Run, start: usize) -> Option<usize> {
        let length = self.uri[start..].iter().position(|&byte| run.excluded.has(byte));
        let end = length.map_or(self.uri.len(), |length| start + length);
        let first = if run.may_be_empty { start } else { start + 1 };
        let longest =
            |next: usize| (first..=end).rev().find(|&end| self.can(next, end) && self.within(run, start, end));
        let mut next = step + 1;
        while let Some(Step::Optional { end }) = self.plan.steps.get(next) {
            if let Some(found) = longest(next + 1) {
                return Some(found);
            }
            next = *end;
        }
        longest(step + 1)
    }

    /// Parses `a=1&b=2`; returns `None` for unknown names and duplicate values.
    fn parameters(&self, named: &Named, range: Range<usize>, variables: &[Variable], spans: &mut Spans) -> Option<()> {
        let mut at = range.start;
        for piece in self.uri[range].split(|&byte| byte == named.separator) {
            let start = at;
            at += piece.len() + 1;
            if piece.is_empty() {
                continue;
            }
            let equals = piece.iter().position(|&byte| byte == b'=');
            let key = encode::decode(&piece[..equals.unwrap_or(piece.len())])?;
            let variable = named.variables.start + named.names.iter().position(|name| *name == key)?;
            let value = start + equals.map_or(piece.len(), |equals| equals + 1)..start + piece.len();
            let spec = &variables[variable];
            let second = !spec.explode && !spans[variable].is_empty();
            let long = spec
                .prefix
                .is_some_and(|limit| self.characters[value.end] - self.characters[value.start] > usize::from(limit));
            if second || long {
                return None;
            }
            spans[variable].push(value);
        }
        Some(())
    }
}

fn split(value: &[u8], separator: Option<u8>, start: usize, spans: &mut Vec<Range<usize>>) {
    let mut at = start;
    for item in value.split(|&byte| Some(byte) == separator) {
        spans.push(at..at + item.len());
        at += item.len() + 1;
    }
}

fn count_characters(uri: &[u8]) -> Vec<usize> {
    let mut counts = vec![0];
    let mut count = 0;
    for (at, &byte) in uri.iter().enumerate() {
        let digit = uri[at.saturating_sub(2)..at].contains(&b'%');
        let continued = encode::triplet(&uri[at..]).is_some_and(encode::is_continuation);
        if byte.is_ascii() && !digit && !continued {
            count += 1;
        }
        counts.push(count);
    }
    counts
}
