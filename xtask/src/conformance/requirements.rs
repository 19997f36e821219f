//! Parses the lists of required scenarios that the suite ships. A list is frozen when its revision is published.
//!
//! The lists use a small subset of YAML (sections, items, a few keys), so they are parsed line by line.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::suite_side::SuiteSide;

/// The scenarios of a revision for one side.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Requirements {
    pub(super) revision: String,
    pub(super) scenarios: Vec<Scenario>,
}

/// A scenario in the list of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) scoring: Scoring,
}

/// Whether a scenario is scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scoring {
    Required,
    /// Run but not scored, for this reason: `pending`, `added-after-release` or `extension`.
    Unscored(String),
}

impl Requirements {
    /// Reads the lists of all revisions in the folder for one side, sorted by revision.
    pub(super) fn all(folder: &Path, side: SuiteSide) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "yaml") {
                let revision = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                all.push(Self { scenarios: parse(&text, side).with_context(|| path.display().to_string())?, revision });
            }
        }
        if all.is_empty() {
            bail!("cannot find a list of requirements in {}", folder.display());
        }
        all.sort_by(|a, b| a.revision.cmp(&b.revision));
        Ok(all)
    }
}

/// Parses the scenarios for one side.
fn parse(text: &str, side: SuiteSide) -> Result<Vec<Scenario>> {
    let mut scenarios = Vec::new();
    let mut section = "";
    // The current entry of `not_scored`: its scenario, leg and reason.
    let mut entry = [None::<&str>; 3];
    for line in text.lines().chain(["end:"]) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let item = line.trim_start().strip_prefix("- ");
        if item.is_some() || !line.starts_with(' ') {
            let [name, leg, reason] = std::mem::take(&mut entry);
            if let Some(name) = name.filter(|_| leg == Some(side.name())) {
                let scoring = Scoring::Unscored(reason.unwrap_or("unscored").to_owned());
                scenarios.push(Scenario { name: name.to_owned(), scoring });
            }
        }
        if !line.starts_with(' ') {
            section = line.trim_end().strip_suffix(':').with_context(|| format!("{line:?} is not a section"))?;
            continue;
        }
        match (section, item) {
            (key, Some(name)) if key == side.name() => {
                scenarios.push(Scenario { name: name.trim().to_owned(), scoring: Scoring::Required });
            }
            ("not_scored", _) => {
                let field = item.unwrap_or(line.trim()).split_once(": ");
                let slot = ["scenario", "leg", "reason"].iter().position(|key| field.is_some_and(|(it, _)| it == *key));
                if let (Some(slot), Some((_, value))) = (slot, field) {
                    entry[slot] = Some(value.trim());
                }
            }
            _ => {}
        }
    }
    if !scenarios.iter().any(|scenario| scenario.scoring == Scoring::Required) {
        bail!("the list has no required scenarios for a {}", side.name());
    }
    Ok(scenarios)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
# Requirements
server:
  - ping
  - tools-list

client:
  - initialize

not_scored:
  - scenario: auth/dpop
    leg: client
    reason: extension
  - scenario: json-schema
    leg: server
    reason: pending
    note: >-
      the reference cannot pass it: not yet
  - scenario: tasks
    leg: server
    reason: extension
";

    #[test]
    fn separates_required_from_unscored_scenarios() {
        let parsed = |side| {
            let name = |it: Scenario| (it.name, it.scoring);
            parse(LIST, side).unwrap().into_iter().map(name).collect::<Vec<_>>()
        };
        let required = |name: &str| (name.to_owned(), Scoring::Required);
        let extra = |name: &str, why: &str| (name.to_owned(), Scoring::Unscored(why.to_owned()));
        assert_eq!(
            parsed(SuiteSide::Server),
            [required("ping"), required("tools-list"), extra("json-schema", "pending"), extra("tasks", "extension"),]
        );
        assert_eq!(parsed(SuiteSide::Client), [required("initialize"), extra("auth/dpop", "extension")]);
    }

    #[test]
    fn rejects_list_without_required_scenarios() {
        assert!(parse("", SuiteSide::Server).is_err());
        assert!(parse("client:\n  - initialize\n", SuiteSide::Server).is_err());
        assert!(parse("server:\n  - ping\n", SuiteSide::Client).is_err());
        assert!(parse("message without sense\n", SuiteSide::Server).is_err());
    }
}
