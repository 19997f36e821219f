//! The checks of `mcp lint`: problems that models and hosts have with the definitions of a server.
//!
//! | module | content |
//! |---|---|
//! | `rule` | the table of rules |
//! | `finding` | findings, and the severity of each rule for this run |
//! | `source` | the definitions of a server, or of a snapshot file |
//! | `walk` | the subschemas of a schema, with their JSON pointers |
//! | `document`, `schema`, `values` | checks of a JSON Schema: dialect, references, types, defaults, patterns |
//! | `tools`, `items`, `text` | checks of tools, of the other items, and of the text that a model reads |
//! | `profile`, `host_checks` | the limits of hosts, and the checks of them |
//! | `tokens` | the estimate of tokens |
//! | `report` | text, JSON, JUnit XML and SARIF |

mod document;
pub(crate) mod finding;
mod host_checks;
mod items;
pub(crate) mod profile;
pub(crate) mod report;
pub(crate) mod rule;
mod schema;
pub(crate) mod source;
mod text;
mod tokens;
mod tools;
mod values;
mod walk;

use finding::{Findings, Levels};
use profile::Profile;
use source::Definitions;

/// The result of all checks.
#[derive(Debug)]
pub(crate) struct Lint {
    pub(crate) findings: Findings,
    pub(crate) tools: usize,
    /// The estimated tokens of all tools.
    pub(crate) tokens: usize,
}

/// Checks the definitions of a server. Without hosts, a limit of hosts is reported if at least two of them have it.
pub(crate) fn check(definitions: &Definitions, hosts: &[&'static Profile], levels: Levels) -> Lint {
    let mut findings = Findings::new(levels);
    for broken in &definitions.broken {
        findings.add("definition-invalid", &broken.item, &broken.pointer, broken.message.clone());
    }
    let surface = &definitions.surface;
    items::check(surface, &mut findings);
    let tokens = tools::check(surface, hosts, &mut findings);
    Lint { findings, tools: surface.tools.len(), tokens }
}

#[cfg(test)]
mod tests;
