//! A group of clients with a common namespace. The failure of one server does not affect the others.
//!
//! Names have the name of the server as a prefix, as in mounted servers: the tool `read` of `files` is `files_read`.

mod listing;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ferromcp_core::model::{
    CallToolResult, CompletionValues, GetPromptResult, PromptDefinition, ReadResourceResult, Reference,
    ResourceDefinition, ToolDefinition,
};
use ferromcp_core::text::excerpt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::builder::ClientBuilder;
use crate::call::ClientCall;
use crate::client::Client;
use crate::config::Config;
use crate::connection_state::ConnectionState;
use crate::error::{ClientError, ErrorKind};
use crate::subscription::Subscription;
use crate::subscription::change::ChangeFilter;
use crate::target::Target;
use listing::{Named, check_name, strip_server};

pub use listing::{Collision, GroupListing, Member};

/// A group of named clients.
///
/// A server that is down when the group is created stays in the group: the next use connects, and so does
/// [`reconnect`](Self::reconnect). [`state`](Self::state) and [`watch_state`](Self::watch_state) return the state of a
/// connection.
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
    /// The clients, connected or not, and the errors of servers that have no valid target.
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
    /// A server that fails to start is listed in [`failures`](Self::failures) until it connects; the others are unaffected.
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
                    connect(builder.connect_lazy(server?)?).await
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

    /// Connects to a server and adds its client. A server that cannot be reached is added too, and listed in
    /// [`failures`](Self::failures) until it connects.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), ferromcp_client::ClientError> {
    /// use ferromcp_client::{Client, ClientGroup};
    /// let weather = std::process::Command::new("weather-server");
    /// let builder = Client::builder("demo", "1.0.0");
    /// let group = ClientGroup::new().with_target("weather", builder, weather).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the name is invalid or already in use, the target is invalid, or it cannot be connected to again after a failure.
    pub async fn with_target<M>(
        self,
        name: impl Into<String>,
        builder: ClientBuilder,
        target: impl Target<M>,
    ) -> Result<Self, ClientError> {
        let (name, client) = (name.into(), builder.connect_lazy(target)?);
        self.check_new_name(&name)?;
        self.with(name, connect(client).await?)
    }

    /// Adds a server that failed to connect, to report its error under its name. The group does not connect to it; use
    /// [`with_target`](Self::with_target) for that.
    ///
    /// # Errors
    /// See [`with`](Self::with).
    pub fn with_failure(self, name: impl Into<String>, error: ClientError) -> Result<Self, ClientError> {
        self.with_outcome(name.into(), Err(Arc::new(error)))
    }

    fn with_outcome(mut self, name: String, outcome: Result<Client, Arc<ClientError>>) -> Result<Self, ClientError> {
        self.check_new_name(&name)?;
        self.members.insert(name, outcome);
        Ok(self)
    }

    fn check_new_name(&self, name: &str) -> Result<(), ClientError> {
        check_name(name)?;
        if self.members.contains_key(name) {
            let message = format!("cannot add server `{name}`: the name is already taken");
            return Err(ClientError::new(ErrorKind::InvalidRequest, message));
        }
        Ok(())
    }

    /// Returns the client with this name, connected or not.
    pub fn get(&self, name: &str) -> Option<&Client> {
        self.members.get(name)?.as_ref().ok()
    }

    /// Returns the client with this name.
    fn client(&self, name: &str) -> Result<&Client, ClientError> {
        match self.members.get(name) {
            Some(Ok(client)) => Ok(client),
            Some(Err(error)) => Err(error.copy()),
            None => {
                let message = format!("the group has no server `{}`", excerpt(name));
                Err(ClientError::new(ErrorKind::InvalidRequest, message))
            }
        }
    }

    /// Iterates over the clients that have connected at least once, and their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Client)> {
        self.clients().filter(|(_, client)| client.has_connected())
    }

    fn clients(&self) -> impl Iterator<Item = (&str, &Client)> {
        self.members.iter().filter_map(|(name, member)| Some((name.as_str(), member.as_ref().ok()?)))
    }

    /// Iterates over the servers whose last attempt to connect failed, and its error.
    pub fn failures(&self) -> impl Iterator<Item = (&str, Arc<ClientError>)> {
        self.members.iter().filter_map(|(name, member)| {
            let error = match member {
                Ok(client) => client.last_connect_error()?,
                Err(error) => Arc::clone(error),
            };
            Some((name.as_str(), error))
        })
    }

    /// Returns the state of the connection to a server; `None` if the group has no server with this name.
    pub fn state(&self, server: &str) -> Option<ConnectionState> {
        let member = self.members.get(server)?;
        Some(member.as_ref().map_or(ConnectionState::Disconnected, Client::state))
    }

    /// Returns a channel with the state of the connection to a server. Intermediate states may be skipped. `None` if the
    /// group has no client for the server.
    pub fn watch_state(&self, server: &str) -> Option<watch::Receiver<ConnectionState>> {
        self.get(server).map(Client::watch_state)
    }

    /// Connects to a server again; see [`Client::reconnect`].
    ///
    /// # Errors
    /// When the group has no client for the server, or connecting fails.
    pub async fn reconnect(&self, server: &str) -> Result<(), ClientError> {
        self.client(server)?.reconnect().await
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

    /// Calls the tool `server_tool`, and deserializes its result as [`Client::call_as`] does.
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn call_as<T: DeserializeOwned>(&self, tool: &str, args: impl Serialize) -> Result<ClientCall<T>, ClientError> {
        let (client, tool) = self.route(tool)?;
        Ok(client.call_as(tool, args))
    }

    /// Reads a resource of a server. URIs have no prefix; [`Member::server`] is the server of a listed resource.
    ///
    /// # Errors
    /// When the group has no client for the server.
    pub fn read(&self, server: &str, uri: &str) -> Result<ClientCall<ReadResourceResult>, ClientError> {
        Ok(self.client(server)?.read(uri))
    }

    /// Completes an argument of the prompt `server_prompt`. `resolved` are the arguments known so far.
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn complete<K: Into<String>, V: Into<String>>(
        &self,
        prompt: &str,
        argument: &str,
        value: &str,
        resolved: impl IntoIterator<Item = (K, V)>,
    ) -> Result<ClientCall<CompletionValues>, ClientError> {
        let (client, prompt) = self.route(prompt)?;
        Ok(client.complete(Reference::prompt(prompt), argument, value, resolved))
    }

    /// Subscribes to changes of a server; see [`Client::subscribe`].
    ///
    /// # Errors
    /// When the group has no client for the server, or the server does not acknowledge the subscription.
    pub async fn subscribe(&self, server: &str, interest: ChangeFilter) -> Result<Subscription, ClientError> {
        self.client(server)?.subscribe(interest).await
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
                let joined = excerpt(joined);
                let message = format!("cannot route `{joined}`: its server failed to connect: {error}");
                Err(ClientError::new(ErrorKind::Connect, message).because(Arc::clone(error)))
            }
            None => {
                let message = format!(
                    "cannot route `{}`: no server in the group has this prefix; names have the form `server_name`",
                    excerpt(joined)
                );
                Err(ClientError::new(ErrorKind::InvalidRequest, message))
            }
        }
    }

    /// Closes all clients concurrently.
    pub async fn close(&self) {
        let mut closing = JoinSet::new();
        for (_, client) in self.clients() {
            let client = client.clone();
            closing.spawn(async move { client.close().await });
        }
        while closing.join_next().await.is_some() {}
    }
}

/// Makes the first attempt to connect. A client whose server is down connects when it is used, if its target allows that.
async fn connect(client: Client) -> Result<Client, ClientError> {
    match Box::pin(client.open()).await {
        Err(error) if !client.can_reconnect() => Err(error),
        _ => Ok(client),
    }
}
