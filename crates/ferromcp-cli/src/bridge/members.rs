//! The servers of a bridge. With several servers, tools and prompts have the name of their server as a prefix.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ferromcp_client::{Client, ClientError, ErrorKind};
use ferromcp_core::model::{Implementation, Reference};
use ferromcp_core::text::excerpt;
use ferromcp_core::{ClientRequest, Error, ErrorCode};
use ferromcp_server::uri_template::UriTemplate;

use crate::hosts::launch::sanitize;
use crate::lock::{Guard, Locked};

/// Time limit of a list of one of several servers.
pub(super) const LIST_TIME: Duration = Duration::from_secs(10);

/// Lifetime of the index of resources after a lookup of an unknown resource.
const INDEX_TIME: Duration = Duration::from_secs(1);

/// Error codes about the headers, capabilities and revision of one connection.
const CONNECTION_CODES: [ErrorCode; 3] =
    [ErrorCode::HEADER_MISMATCH, ErrorCode::MISSING_CLIENT_CAPABILITY, ErrorCode::UNSUPPORTED_REVISION];

/// A server of a bridge.
#[derive(Debug)]
pub(crate) struct Member {
    /// Identifies the server in its handlers.
    pub(super) number: usize,
    /// The prefix of its items; `None` for the only server of a bridge.
    pub(super) prefix: Option<String>,
    pub(super) client: Client,
    /// Set when another server has replaced this one.
    pub(super) is_replaced: Arc<AtomicBool>,
    guard: Option<Guard>,
}

impl Member {
    /// Creates the only server of a bridge. Its items keep their names.
    pub(crate) fn only(client: Client) -> Self {
        Self { number: 0, prefix: None, client, is_replaced: Arc::default(), guard: None }
    }

    /// Creates one of several servers. Its tools and prompts have the prefix `name_`, where invalid characters are replaced.
    pub(crate) fn named(number: usize, name: &str, client: Client) -> Self {
        let prefix = Some(format!("{}_", sanitize(name)));
        Self { number, prefix, client, is_replaced: Arc::default(), guard: None }
    }

    /// Sets the number that identifies the server in its handlers.
    pub(super) fn numbered(self, number: usize) -> Self {
        Self { number, ..self }
    }

    /// Hides the definitions that differ from a lock, and rejects their use.
    pub(crate) fn guarded(self, guard: Option<Guard>) -> Self {
        Self { guard, ..self }
    }

    /// Removes the definitions that differ from the lock.
    pub(super) fn retain_locked<T: Locked>(&self, items: &mut Vec<T>) {
        if let Some(guard) = &self.guard {
            guard.retain(items);
        }
    }

    /// Fails if a request uses a definition that differs from the lock.
    pub(super) async fn check(&self, request: &ClientRequest) -> Result<(), Error> {
        match &self.guard {
            Some(guard) => guard.check_request(&self.client, request).await,
            None => Ok(()),
        }
    }

    fn instructions(&self) -> Option<String> {
        let text = self.client.instructions()?;
        match &self.guard {
            Some(guard) => guard.instructions(text),
            None => Some(text),
        }
    }
}

/// The servers of a bridge. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Members(Arc<Inner>);

struct Inner {
    list: Vec<Member>,
    /// The server of each resource, until a list of resources changes.
    resources: Mutex<Option<Arc<ResourceIndex>>>,
}

/// The server of each resource.
struct ResourceIndex {
    created: Instant,
    uris: HashMap<String, usize>,
    templates: Vec<(UriTemplate, usize)>,
}

impl ResourceIndex {
    /// Returns the position of the server that has a resource, or the template of a reference.
    fn find(&self, uri: &str) -> Option<usize> {
        let by_template = || {
            let mut templates = self.templates.iter();
            templates.find(|(template, _)| template.as_str() == uri || matches!(template.matches(uri), Ok(Some(_))))
        };
        self.uris.get(uri).copied().or_else(|| by_template().map(|(_, position)| *position))
    }
}

impl Members {
    /// Creates the servers of a bridge.
    pub(crate) fn new(list: Vec<Member>) -> Self {
        Self(Arc::new(Inner { list, resources: Mutex::default() }))
    }

    /// Returns whether these are the same servers.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.0.list.iter()
    }

    /// Returns the first server, which is the only one without prefixes.
    pub(super) fn first(&self) -> Result<&Member, Error> {
        self.0.list.first().ok_or_else(|| Error::internal("cannot forward the request: the bridge has no servers"))
    }

    /// Returns whether the names of items have prefixes.
    pub(super) fn has_prefixes(&self) -> bool {
        self.0.list.iter().any(|member| member.prefix.is_some())
    }

    /// Returns the name and version of the bridge, which are those of a single server.
    pub(super) fn implementation(&self) -> Implementation {
        let own = || Implementation::new("mcp", env!("CARGO_PKG_VERSION"));
        match self.0.list.as_slice() {
            [Member { prefix: None, client, .. }] => client.server_info().unwrap_or_else(own),
            _ => own(),
        }
    }

    /// Returns the instructions of all servers.
    pub(super) fn instructions(&self) -> Option<String> {
        let texts = self.iter().filter_map(|member| {
            let text = member.instructions()?;
            Some(match &member.prefix {
                None => text,
                Some(prefix) => format!("Tools and prompts with the prefix `{prefix}`:\n{text}"),
            })
        });
        let texts: Vec<String> = texts.collect();
        (!texts.is_empty()).then(|| texts.join("\n\n"))
    }

    /// Returns the server that has the item of a request, and the request with the name that the item has there.
    ///
    /// # Errors
    /// Fails if no server has the item.
    pub(super) async fn route(&self, request: &ClientRequest) -> Result<(&Member, ClientRequest), Error> {
        let mut request = request.clone();
        let member = match &mut request {
            ClientRequest::CallTool(params) => {
                let (member, name) = self.of_name(&params.name, "tool")?;
                params.name = name.into();
                params.task = None; // tasks are not declared as a capability
                member
            }
            ClientRequest::GetPrompt(params) => {
                let (member, name) = self.of_name(&params.name, "prompt")?;
                params.name = name.into();
                member
            }
            ClientRequest::ReadResource(params) => self.of_resource(&params.uri).await?,
            ClientRequest::Complete(params) => match &mut params.r#ref {
                Reference::Prompt { name, .. } => {
                    let (member, stripped) = self.of_name(name, "prompt")?;
                    *name = stripped;
                    member
                }
                Reference::Resource { uri } => self.of_resource(uri).await?,
                _ => return Err(Error::invalid_params("Unknown reference type")),
            },
            other if self.has_prefixes() => return Err(Error::method_not_found(other.method())),
            _ => self.first()?,
        };
        Ok((member, request))
    }

    /// Returns the server with the longest matching prefix, and the rest of the name.
    pub(super) fn of_name(&self, name: &str, kind: &str) -> Result<(&Member, String), Error> {
        let matches = self.iter().filter_map(|member| {
            let rest = name.strip_prefix(member.prefix.as_deref().unwrap_or_default())?;
            Some((member, rest.to_owned()))
        });
        let found = matches.min_by_key(|(_, rest)| rest.len());
        found.ok_or_else(|| Error::invalid_params(format!("Unknown {kind}: {}", excerpt(name))))
    }

    /// Returns the server that has a resource, or the template of a reference.
    ///
    /// # Errors
    /// Fails if no server has it.
    pub(super) async fn of_resource(&self, uri: &str) -> Result<&Member, Error> {
        if !self.has_prefixes() {
            return self.first();
        }
        let mut index = self.resource_index().await;
        if index.find(uri).is_none() && index.created.elapsed() > INDEX_TIME {
            // The server may have added it without a notification.
            self.forget_resources();
            index = self.resource_index().await;
        }
        let found = index.find(uri).and_then(|position| self.0.list.get(position));
        found.ok_or_else(|| Error::resource_not_found(uri))
    }

    fn resources(&self) -> MutexGuard<'_, Option<Arc<ResourceIndex>>> {
        self.0.resources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Discards the index of resources, because a list has changed.
    pub(super) fn forget_resources(&self) {
        *self.resources() = None;
    }

    async fn resource_index(&self) -> Arc<ResourceIndex> {
        if let Some(index) = self.resources().clone() {
            return index;
        }
        let mut index = ResourceIndex { created: Instant::now(), uris: HashMap::new(), templates: Vec::new() };
        let mut complete = true;
        for (position, member) in self.iter().enumerate() {
            match tokio::try_join!(
                member.client.resources().time_limit(LIST_TIME).into_future(),
                member.client.resource_templates().time_limit(LIST_TIME).into_future()
            ) {
                Ok((resources, templates)) => {
                    for resource in resources {
                        index.uris.entry(resource.uri).or_insert(position);
                    }
                    let parsed =
                        templates.iter().filter_map(|template| UriTemplate::parse(&template.uri_template).ok());
                    index.templates.extend(parsed.map(|template| (template.allow_unsafe_paths(), position)));
                }
                Err(error) => {
                    complete = false;
                    tracing::warn!(%error, "cannot list the resources of a server");
                }
            }
        }
        let index = Arc::new(index);
        if complete {
            *self.resources() = Some(Arc::clone(&index));
        }
        index
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        let closing: Vec<_> = self.iter().map(|member| member.client.clone()).collect();
        let mut tasks = tokio::task::JoinSet::new();
        for client in closing {
            tasks.spawn(async move { client.close().await });
        }
        while tasks.join_next().await.is_some() {}
    }
}

/// Converts the error of a server. Errors of the connection become internal errors.
pub(super) fn to_error(error: &ClientError) -> Error {
    match error.rpc() {
        // Codes about one connection would be about the connection of the client.
        Some(rpc) if CONNECTION_CODES.contains(&rpc.code) => Error::internal(rpc.message.clone()),
        Some(rpc) => rpc.clone(),
        None if error.kind() == ErrorKind::Unsupported => Error::new(ErrorCode::METHOD_NOT_FOUND, error.to_string()),
        None if error.is_unauthorized() => {
            Error::internal("cannot forward the request: the server requires a login; run `mcp login` with its URL")
        }
        None => Error::internal(error.to_string()),
    }
}
