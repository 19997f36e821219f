//! A group of clients with a common namespace. The failure of one server does not affect the others.
//!
//! Names have the name of the server as a prefix, as in mounted servers: the tool `read` of `files` is `files_read`.

mod listing;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ferromcp_core::model::{CallToolResult, GetPromptResult, PromptDefinition, ResourceDefinition, ToolDefinition};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::builder::ClientBuilder;
use crate::call::ClientCall;
use crate::client::Client;
use crate::config::Config;
use crate::error::{ClientError, ErrorKind};
use listing::{Named, check_name, strip_server};

pub use listing::{Collision, GroupListing, Member};

/// A group of named clients.
///
/// ```no_run
/// # async fn example() -> Result<(), ferromcp_client::ClientError> {
/// use ferromcp_client::{Client, ClientGroup};
/// let group = ClientGroup::from_config("mcp.json", |_name| Client::builder("demo", "1.0.0")).await?;
/// for (server, error) in group.failures() {
///     eprintln!("cannot connect to {server}: {error}");
/// }
/// let listing = group.tools().await;
/// eprintln!("{} tools", listing.items.len());
/// let result = group.call("files_read", serde_json::json!({ "path": "a.txt" }))?.await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct ClientGroup {
    members: BTreeMap<String, Result<Client, Arc<ClientError>>>,
}

impl ClientGroup {
    /// Creates an empty group.
    pub fn new() -> Self {
        Self::default()
    }

    /// Connects concurrently to all enabled servers of a configuration file. `builder` returns the builder for a server
    /// name.
    ///
    /// A server that fails to start is listed in [`failures`](Self::failures); the others are unaffected.
    ///
    /// # Errors
    /// When the file cannot be read or parsed.
    pub async fn from_config(
        path: impl AsRef<Path>,
        mut builder: impl FnMut(&str) -> ClientBuilder,
    ) -> Result<Self, ClientError> {
        let config = Config::read(path)?;
        let mut starting = JoinSet::new();
        for entry in config.entries().filter(|entry| !entry.is_disabled()) {
            let (name, server, builder) = (entry.name().to_owned(), entry.resolve(), builder(entry.name()));
            starting.spawn(async move {
                let outcome = async {
                    check_name(&name)?;
                    builder.connect(server?).await
                };
                (name.clone(), outcome.await)
            });
        }
        let mut group = Self::new();
        while let Some(started) = starting.join_next().await {
            if let Ok((name, outcome)) = started {
                group.members.insert(name, outcome.map_err(Arc::new));
            }
        }
        Ok(group)
    }

    /// Adds a client. The name may contain letters, digits, `_`, `-` and `.`.
    ///
    /// # Errors
    /// When the name is invalid or already in use.
    pub fn with(self, name: impl Into<String>, client: Client) -> Result<Self, ClientError> {
        self.with_outcome(name.into(), Ok(client))
    }

    /// Adds a server that failed to connect, to report its error under its name.
    ///
    /// # Errors
    /// See [`with`](Self::with).
    pub fn with_failure(self, name: impl Into<String>, error: ClientError) -> Result<Self, ClientError> {
        self.with_outcome(name.into(), Err(Arc::new(error)))
    }

    fn with_outcome(mut self, name: String, outcome: Result<Client, Arc<ClientError>>) -> Result<Self, ClientError> {
        check_name(&name)?;
        if self.members.contains_key(&name) {
            return Err(ClientError::new(
                ErrorKind::InvalidRequest,
                format!("cannot add server `{name}`: the name is already taken"),
            ));
        }
        self.members.insert(name, outcome);
        Ok(self)
    }

    /// Returns the client with this name.
    pub fn get(&self, name: &str) -> Option<&Client> {
        self.members.get(name)?.as_ref().ok()
    }

    /// Iterates over the connected clients and their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Client)> {
        self.members.iter().filter_map(|(name, member)| Some((name.as_str(), member.as_ref().ok()?)))
    }

    /// Iterates over the servers that failed to connect, and their errors.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &ClientError)> {
        self.members.iter().filter_map(|(name, member)| Some((name.as_str(), &**member.as_ref().err()?)))
    }

    /// Lists the tools of all servers, named `server_tool`.
    pub async fn tools(&self) -> GroupListing<ToolDefinition> {
        self.list(|client| client.tools().into_future()).await
    }

    /// Lists the resources of all servers. URIs are unchanged; read a resource from its [`Member::server`].
    pub async fn resources(&self) -> GroupListing<ResourceDefinition> {
        self.list(|client| client.resources().into_future()).await
    }

    /// Lists the prompts of all servers, named `server_prompt`.
    pub async fn prompts(&self) -> GroupListing<PromptDefinition> {
        self.list(|client| client.prompts().into_future()).await
    }

    /// Lists from all servers concurrently.
    async fn list<T, F>(&self, list: impl Fn(&Client) -> F) -> GroupListing<T>
    where
        T: Named + Send + 'static,
        F: Future<Output = Result<Vec<T>, ClientError>> + Send + 'static,
    {
        let mut tasks = JoinSet::new();
        let mut results = BTreeMap::new();
        for (name, member) in &self.members {
            match member {
                Ok(client) => {
                    let (name, listing) = (name.clone(), list(client));
                    tasks.spawn(async move { (name, listing.await.map_err(Arc::new)) });
                }
                Err(error) => drop(results.insert(name.clone(), Err(Arc::clone(error)))),
            }
        }
        while let Some(result) = tasks.join_next().await {
            results.extend(result.ok());
        }
        GroupListing::of(results)
    }

    /// Calls the tool `server_tool`.
    ///
    /// # Errors
    /// When no server matches the prefix, or the server failed to connect.
    pub fn call(&self, tool: &str, args: impl Serialize) -> Result<ClientCall<CallToolResult>, ClientError> {
        let (client, tool) = self.route(tool)?;
        Ok(client.call(tool, args))
    }

    /// Gets the prompt `server_prompt`.
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn prompt(&self, prompt: &str, args: impl Serialize) -> Result<ClientCall<GetPromptResult>, ClientError> {
        let (client, prompt) = self.route(prompt)?;
        Ok(client.prompt(prompt, args))
    }

    /// Returns the client whose name is the longest prefix of `joined`, and the name of the item on its server.
    fn route<'a>(&self, joined: &'a str) -> Result<(&Client, &'a str), ClientError> {
        let found = self.members.iter().filter_map(|(name, member)| Some((member, strip_server(name, joined)?)));
        match found.min_by_key(|(_, rest)| rest.len()) {
            Some((Ok(client), rest)) => Ok((client, rest)),
            Some((Err(error), _)) => {
                let message = format!("cannot route `{joined}`: its server failed to connect: {error}");
                Err(ClientError::new(ErrorKind::Connect, message).because(Arc::clone(error)))
            }
            None => {
                let message = format!(
                    "cannot route `{joined}`: no server in the group has this prefix; names have the form `server_name`"
                );
                Err(ClientError::new(ErrorKind::InvalidRequest, message))
            }
        }
    }

    /// Closes all clients concurrently.
    pub async fn close(&self) {
        let mut closing = JoinSet::new();
        for (_, client) in self.iter() {
            let client = client.clone();
            closing.spawn(async move { client.close().await });
        }
        while closing.join_next().await.is_some() {}
    }
}
