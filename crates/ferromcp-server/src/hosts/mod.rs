//! Rules of hosts and model providers that are stricter than the specification, and warnings about tools that break them.
//!
//! Such a tool is valid, but some hosts skip it, and some reject the whole list or every request of the model. The server
//! starts; the warnings are logged at startup and returned by [`Server::host_warnings`](crate::Server::host_warnings).
//!
//! | module | content |
//! |---|---|
//! | `rules` | the rules as a table: hosts, limit, remedy |
//! | `check` | finds violations in a name and a schema |

mod check;
mod rules;

use std::fmt;

use ferromcp_core::model::ToolDefinition;

/// A tool that some hosts reject, although it is valid. Returned by [`Server::host_warnings`](crate::Server::host_warnings).
///
/// ```
/// use ferromcp_server::{Server, Tool};
///
/// let server = Server::new("demo", "1.0.0").with_tool(Tool::sync("files.read", || "text"));
/// assert!(server.check().is_ok());
/// let warnings = server.host_warnings();
/// assert_eq!(warnings[0].tool(), "files.read");
/// assert!(warnings[0].hosts().contains(&"Claude Desktop"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostWarning {
    tool: String,
    hosts: &'static [&'static str],
    problem: String,
    remedy: &'static str,
}

impl HostWarning {
    /// Returns the name of the tool.
    pub fn tool(&self) -> &str {
        &self.tool
    }

    /// Returns the hosts and model providers that reject the tool.
    pub fn hosts(&self) -> &[&str] {
        self.hosts
    }

    /// Returns what the hosts reject.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Returns how to change the tool.
    pub fn remedy(&self) -> &str {
        self.remedy
    }
}

impl fmt::Display for HostWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tool, hosts, problem, remedy } = self;
        write!(f, "tool `{tool}` is rejected by {}: {problem}; {remedy}", hosts.join(", "))
    }
}

/// The maximum number of warnings that are logged at once.
const MAX_LOGGED: usize = 20;

/// Logs warnings.
pub(crate) fn log(warnings: &[HostWarning]) {
    for warning in warnings.iter().take(MAX_LOGGED) {
        tracing::warn!("{warning}");
    }
    if let Some(more) = warnings.len().checked_sub(MAX_LOGGED).filter(|more| *more > 0) {
        tracing::warn!("{more} more warnings about tools that hosts reject; `Server::host_warnings` returns all");
    }
}

/// Returns the warnings of a tool of a server with this name.
pub(crate) fn warnings(server: &str, tool: &ToolDefinition) -> Vec<HostWarning> {
    let schema = tool.input_schema.decode().unwrap_or_default();
    let warning = |rule: &rules::HostRule| {
        let problem = check::problem(&rule.limit, server, &tool.name, &schema)?;
        Some(HostWarning { tool: tool.name.clone(), hosts: rule.hosts, problem, remedy: rule.remedy })
    };
    rules::RULES.iter().filter_map(warning).collect()
}

#[cfg(test)]
mod tests;
