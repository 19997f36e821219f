//! What a revision requires of a server or a client: the lists that the suite ships, frozen when the revision was published.
//!
//! They are YAML of a very plain kind (sections, items, a few keys), so they are read line by line.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::leg::Leg;

/// What a revision requires of one side, and what is run beside that.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Requirements {
    pub(super) revision: String,
    pub(super) scenarios: Vec<Scenario>,
}

/// A scenario of a revision's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) standing: Standing,
}

/// Whether a scenario counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    Required,
    /// Run and never scored, for this reason: `pending`, `added-after-release`, `extension`.
    Extra(String),
}

impl Requirements {
    /// Those of every revision in the folder for one side, by revision.
    pub(super) fn all(folder: &Path, leg: Leg) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "yaml") {
                let revision = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                all.push(Self { scenarios: read(&text, leg).with_context(|| path.display().to_string())?, revision });
            }
        }
        if all.is_empty() {
            bail!("{} holds no list of requirements", folder.display());
        }
        all.sort_by(|a, b| a.revision.cmp(&b.revision));
        Ok(all)
    }
}

/// The scenarios for one side.
fn read(text: &str, leg: Leg) -> Result<Vec<Scenario>> {
    let mut scenarios = Vec::new();
    let mut section = "";
    // The entry of `not_scored` at hand: its scenario, its leg, its reason.
    let mut entry = [None::<&str>; 3];
    for line in text.lines().chain(["end:"]) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let item = line.trim_start().strip_prefix("- ");
        if item.is_some() || !line.starts_with(' ') {
            let [name, side, reason] = std::mem::take(&mut entry);
            if let Some(name) = name.filter(|_| side == Some(leg.name())) {
                let standing = Standing::Extra(reason.unwrap_or("unscored").to_owned());
                scenarios.push(Scenario { name: name.to_owned(), standing });
            }
        }
        if !line.starts_with(' ') {
            section = line.trim_end().strip_suffix(':').with_context(|| format!("{line:?} is no section"))?;
            continue;
        }
        match (section, item) {
            (side, Some(name)) if side == leg.name() => {
                scenarios.push(Scenario { name: name.trim().to_owned(), standing: Standing::Required });
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
    if !scenarios.iter().any(|scenario| scenario.standing == Standing::Required) {
        bail!("nothing is required of a {}", leg.name());
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
    fn what_is_required_of_a_side_is_told_from_the_rest() {
        let told = |leg| {
            let name = |it: Scenario| (it.name, it.standing);
            read(LIST, leg).unwrap().into_iter().map(name).collect::<Vec<_>>()
        };
        let required = |name: &str| (name.to_owned(), Standing::Required);
        let extra = |name: &str, why: &str| (name.to_owned(), Standing::Extra(why.to_owned()));
        assert_eq!(
            told(Leg::Server),
            [required("ping"), required("tools-list"), extra("json-schema", "pending"), extra("tasks", "extension"),]
        );
        assert_eq!(told(Leg::Client), [required("initialize"), extra("auth/dpop", "extension")]);
    }

    #[test]
    fn a_list_that_requires_nothing_is_refused() {
        assert!(read("", Leg::Server).is_err());
        assert!(read("client:\n  - initialize\n", Leg::Server).is_err());
        assert!(read("server:\n  - ping\n", Leg::Client).is_err());
        assert!(read("words without sense\n", Leg::Server).is_err());
    }
}
