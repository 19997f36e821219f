//! Many servers as one: what they have under the names of their servers, and a server that fails spoils nothing but
//! itself.
//!
//! Names are joined as a server's mounts join them: the tool `read` of `files` is `files_read`.

mod listing;
mod name;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ferromcp_core::model::{CallToolResult, GetPromptResult, Prompt, Resource, Tool};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::builder::ClientBuilder;
use crate::call::Call;
use crate::client::Client;
use crate::config::Config;
use crate::error::{ClientError, ErrorKind};
use listing::Named;

pub use listing::{Collision, Listing, Member};

/// Clients by name.
///
/// ```no_run
/// # async fn example() -> Result<(), ferromcp_client::ClientError> {
/// use ferromcp_client::{Client, ClientGroup};
/// let group = ClientGroup::from_config("mcp.json", |_name| Client::new("demo", "1.0.0")).await?;
/// for (server, error) in group.failures() {
///     eprintln!("{server} is not there: {error}");
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
    /// No clients yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Connects to all servers of a configuration file, side by side, each by a builder that `builder` makes for its
    /// name. Disabled ones are left out. One that cannot be used or does not start is among the
    /// [`failures`](Self::failures), and the others go on.
    ///
    /// # Errors
    /// When the file as a whole cannot be used.
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
                    name::check(&name)?;
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

    /// Adds a client under a name: letters, digits, `_`, `-` and `.`, as names of tools have them.
    ///
    /// # Errors
    /// When the name has other characters, or is taken.
    pub fn with(self, name: impl Into<String>, client: Client) -> Result<Self, ClientError> {
        self.with_outcome(name.into(), Ok(client))
    }

    /// Adds a server that could not be connected to, so that it is known by name why it is not there.
    ///
    /// # Errors
    /// Those of [`with`](Self::with).
    pub fn with_failure(self, name: impl Into<String>, error: ClientError) -> Result<Self, ClientError> {
        self.with_outcome(name.into(), Err(Arc::new(error)))
    }

    fn with_outcome(mut self, name: String, outcome: Result<Client, Arc<ClientError>>) -> Result<Self, ClientError> {
        name::check(&name)?;
        if self.members.contains_key(&name) {
            return Err(ClientError::new(ErrorKind::Invalid, format!("a server named `{name}`: the name is taken")));
        }
        self.members.insert(name, outcome);
        Ok(self)
    }

    /// The client of that name.
    pub fn get(&self, name: &str) -> Option<&Client> {
        self.members.get(name)?.as_ref().ok()
    }

    /// The clients by their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Client)> {
        self.members.iter().filter_map(|(name, member)| Some((name.as_str(), member.as_ref().ok()?)))
    }

    /// The servers that could not be connected to, and why.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &ClientError)> {
        self.members.iter().filter_map(|(name, member)| Some((name.as_str(), &**member.as_ref().err()?)))
    }

    /// The tools of all servers, named `server_tool`.
    pub async fn tools(&self) -> Listing<Tool> {
        self.list(|client| client.tools().into_future()).await
    }

    /// The resources of all servers. Their URIs stay what they are: read one from its [`Member::server`].
    pub async fn resources(&self) -> Listing<Resource> {
        self.list(|client| client.resources().into_future()).await
    }

    /// The prompts of all servers, named `server_prompt`.
    pub async fn prompts(&self) -> Listing<Prompt> {
        self.list(|client| client.prompts().into_future()).await
    }

    /// Asks all servers side by side.
    async fn list<T, F>(&self, ask: impl Fn(&Client) -> F) -> Listing<T>
    where
        T: Named + Send + 'static,
        F: Future<Output = Result<Vec<T>, ClientError>> + Send + 'static,
    {
        let mut asked = JoinSet::new();
        let mut answers = BTreeMap::new();
        for (name, member) in &self.members {
            match member {
                Ok(client) => {
                    let (name, asking) = (name.clone(), ask(client));
                    asked.spawn(async move { (name, asking.await.map_err(Arc::new)) });
                }
                Err(error) => drop(answers.insert(name.clone(), Err(Arc::clone(error)))),
            }
        }
        while let Some(answer) = asked.join_next().await {
            answers.extend(answer.ok());
        }
        Listing::of(answers)
    }

    /// Calls the tool `server_tool`.
    ///
    /// # Errors
    /// When no server has that name, or the one that has it is not there.
    pub fn call(&self, tool: &str, args: impl Serialize) -> Result<Call<CallToolResult>, ClientError> {
        let (client, tool) = self.route(tool)?;
        Ok(client.call(tool, args))
    }

    /// Gets the prompt `server_prompt`.
    ///
    /// # Errors
    /// Those of [`call`](Self::call).
    pub fn prompt(&self, prompt: &str, args: impl Serialize) -> Result<Call<GetPromptResult>, ClientError> {
        let (client, prompt) = self.route(prompt)?;
        Ok(client.prompt(prompt, args))
    }

    /// The client with the longest name that `joined` begins with, and what it calls the rest.
    fn route<'a>(&self, joined: &'a str) -> Result<(&Client, &'a str), ClientError> {
        let found = self.members.iter().filter_map(|(name, member)| Some((member, name::part(name, joined)?)));
        match found.min_by_key(|(_, rest)| rest.len()) {
            Some((Ok(client), rest)) => Ok((client, rest)),
            Some((Err(error), _)) => {
                let message = format!("the server of `{joined}` is not there: {error}");
                Err(ClientError::new(ErrorKind::Connect, message).because(Arc::clone(error)))
            }
            None => {
                let message = format!("`{joined}` names no server of this group; names in it are `server_name`");
                Err(ClientError::new(ErrorKind::Invalid, message))
            }
        }
    }

    /// Closes all clients, side by side.
    pub async fn close(&self) {
        let mut closing = JoinSet::new();
        for (_, client) in self.iter() {
            let client = client.clone();
            closing.spawn(async move { client.close().await });
        }
        while closing.join_next().await.is_some() {}
    }
}
