//! Many servers as one: tools under the names of their servers, and a server that fails spoils nothing but itself.

use std::collections::BTreeMap;
use std::fmt;
use std::future::IntoFuture;

use ferromcp_core::model::{CallToolResult, Tool};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::call::Call;
use crate::client::Client;
use crate::error::{ClientError, ErrorKind};

/// What stands between the name of a server and that of its tool.
const SEPARATOR: char = '_';

/// Clients by name.
///
/// ```no_run
/// # async fn example(files: ferromcp_client::Client, web: ferromcp_client::Client) -> Result<(), ferromcp_client::ClientError> {
/// use ferromcp_client::ClientGroup;
/// let group = ClientGroup::new().with("files", files)?.with("web", web)?;
/// let listing = group.tools().await;
/// for (server, error) in &listing.failures {
///     eprintln!("{server} is not there: {error}");
/// }
/// let result = group.call("files_read", serde_json::json!({ "path": "a.txt" }))?.await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct ClientGroup {
    clients: BTreeMap<String, Client>,
}

/// The tools of all servers that could be asked.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct GroupTools {
    /// The tools, named `server_tool`, servers in the order of their names.
    pub tools: Vec<Tool>,
    /// The servers that could not be asked, and why.
    pub failures: Vec<(String, ClientError)>,
}

impl ClientGroup {
    /// No clients yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a client under a name: letters, digits, `-` and `.`, so that it can be told from its tools.
    ///
    /// # Errors
    /// When the name has other characters, or is taken.
    pub fn with(mut self, name: impl Into<String>, client: Client) -> Result<Self, ClientError> {
        let name = name.into();
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        let invalid = |why: &str| Err(ClientError::new(ErrorKind::Invalid, format!("a server named `{name}`: {why}")));
        if name.is_empty() || !name.chars().all(legal) {
            return invalid("a name has letters, digits, `-` and `.` only");
        }
        if self.clients.contains_key(&name) {
            return invalid("the name is taken");
        }
        self.clients.insert(name, client);
        Ok(self)
    }

    /// The client of that name.
    pub fn get(&self, name: &str) -> Option<&Client> {
        self.clients.get(name)
    }

    /// The clients by their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Client)> {
        self.clients.iter().map(|(name, client)| (name.as_str(), client))
    }

    /// The tools of all servers, asked side by side.
    pub async fn tools(&self) -> GroupTools {
        let mut asked = JoinSet::new();
        for (name, client) in self.clients.clone() {
            asked.spawn(async move { (name, client.tools().into_future().await) });
        }
        let mut answers: Vec<_> = Vec::with_capacity(self.clients.len());
        while let Some(answer) = asked.join_next().await {
            answers.extend(answer.ok());
        }
        answers.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut all = GroupTools::default();
        for (name, answer) in answers {
            match answer {
                Ok(tools) => all.tools.extend(tools.into_iter().map(|mut tool| {
                    tool.name = format!("{name}{SEPARATOR}{}", tool.name);
                    tool
                })),
                Err(error) => all.failures.push((name, error)),
            }
        }
        all
    }

    /// Calls the tool `server_tool`.
    ///
    /// # Errors
    /// When no server has that name.
    pub fn call(&self, tool: &str, args: impl Serialize) -> Result<Call<CallToolResult>, ClientError> {
        let found = tool.split_once(SEPARATOR).and_then(|(name, tool)| Some((self.clients.get(name)?, tool)));
        let Some((client, tool)) = found else {
            let message =
                format!("`{tool}` names no server of this group; its tools are named `server{SEPARATOR}tool`");
            return Err(ClientError::new(ErrorKind::Invalid, message));
        };
        Ok(client.call(tool, args))
    }

    /// Closes all clients, side by side.
    pub async fn close(&self) {
        let mut closing = JoinSet::new();
        for client in self.clients.values() {
            let client = client.clone();
            closing.spawn(async move { client.close().await });
        }
        while closing.join_next().await.is_some() {}
    }
}

impl fmt::Display for GroupTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tools, {} servers failed", self.tools.len(), self.failures.len())
    }
}
