//! Findings, and the severity of each rule for one run.

use std::collections::{BTreeMap, BTreeSet};

use super::rule::{RULES, Rule, Severity, find};
use crate::exit::Failure;
use crate::suggestion::closest;
use ferromcp_core::text::excerpt;

/// Maximum number of findings of one rule that are stored. The others are counted.
const MAX_FINDINGS_OF_RULE: usize = 100;

/// A problem of one item.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) rule: &'static Rule,
    pub(crate) severity: Severity,
    /// The item, such as ``tool `add` ``.
    pub(crate) item: String,
    /// The place in the surface, as a JSON pointer.
    pub(crate) pointer: String,
    pub(crate) message: String,
}

/// Rules that are allowed or denied on the command line.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    allowed: BTreeSet<&'static str>,
    denied: BTreeSet<&'static str>,
    /// Whether rules of hosts are errors, because the user named the hosts.
    has_hosts: bool,
}

impl Levels {
    /// Creates the levels from ids of rules.
    ///
    /// # Errors
    /// Fails if a rule does not exist, or is both allowed and denied.
    pub(crate) fn new(allowed: &[String], denied: &[String], has_hosts: bool) -> Result<Self, Failure> {
        let known = |ids: &[String]| ids.iter().map(|id| known(id)).collect::<Result<BTreeSet<_>, Failure>>();
        let (allowed, denied) = (known(allowed)?, known(denied)?);
        if let Some(id) = allowed.intersection(&denied).next() {
            return Err(Failure::usage(format!("cannot allow and deny the rule `{id}`; remove one of the options")));
        }
        Ok(Self { allowed, denied, has_hosts })
    }

    /// Returns the severity of a rule, or `None` if it is allowed.
    pub(crate) fn severity(&self, rule: &Rule) -> Option<Severity> {
        if self.allowed.contains(rule.id) {
            return None;
        }
        let is_error = self.denied.contains(rule.id) || self.has_hosts && rule.id.starts_with("host-");
        Some(if is_error { Severity::Error } else { rule.severity })
    }
}

fn known(id: &str) -> Result<&'static str, Failure> {
    find(id).map(|rule| rule.id).ok_or_else(|| {
        let remedy = match closest(id, RULES.iter().map(|rule| rule.id)) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "the guide lists the rules".to_owned(),
        };
        Failure::usage(format!("cannot find the rule `{}`; {remedy}", excerpt(id)))
    })
}

/// The findings of a run.
#[derive(Debug)]
pub(crate) struct Findings {
    levels: Levels,
    list: Vec<Finding>,
    /// The number of findings of each rule, with those that are not stored.
    counts: BTreeMap<&'static str, usize>,
}

impl Findings {
    /// Creates an empty list.
    pub(crate) fn new(levels: Levels) -> Self {
        Self { levels, list: Vec::new(), counts: BTreeMap::new() }
    }

    /// Adds a finding, unless its rule is allowed.
    pub(crate) fn add(&mut self, id: &str, item: &str, pointer: &str, message: String) {
        let Some(rule) = find(id) else {
            debug_assert!(false, "the rule {id} is not in the table");
            return;
        };
        let Some(severity) = self.levels.severity(rule) else { return };
        let count = self.counts.entry(rule.id).or_default();
        *count += 1;
        if *count <= MAX_FINDINGS_OF_RULE {
            self.list.push(Finding { rule, severity, item: item.to_owned(), pointer: pointer.to_owned(), message });
        }
    }

    /// Returns the stored findings, in the order of the items.
    pub(crate) fn list(&self) -> &[Finding] {
        &self.list
    }

    /// Returns each rule that is not allowed, with its severity and the number of its findings.
    pub(crate) fn rules(&self) -> impl Iterator<Item = (&'static Rule, Option<Severity>, usize)> {
        RULES.iter().map(|rule| (rule, self.levels.severity(rule), self.counts.get(rule.id).copied().unwrap_or(0)))
    }

    /// Returns the number of findings of a severity, with those that are not stored.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.rules().filter(|(_, it, _)| *it == Some(severity)).map(|(_, _, count)| count).sum()
    }

    /// Returns the number of findings that are counted only.
    pub(crate) fn omitted(&self) -> usize {
        self.counts.values().map(|count| count.saturating_sub(MAX_FINDINGS_OF_RULE)).sum()
    }

    /// Returns whether a finding has at least this severity.
    pub(crate) fn reaches(&self, severity: Severity) -> bool {
        self.rules().any(|(_, it, count)| count > 0 && it.is_some_and(|it| it >= severity))
    }
}
