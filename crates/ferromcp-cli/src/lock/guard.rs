//! Rejects definitions of a server that differ from the lock.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ferromcp_client::{Client, ListCall, Listable};
use ferromcp_core::model::{PromptDefinition, ResourceDefinition, ResourceTemplate, ToolDefinition};
use ferromcp_core::text::excerpt;
use ferromcp_core::{ClientRequest, Error};
use serde::Serialize;
use serde_json::{Map, Value};

use super::file::LockFile;
use super::server_lock::{Kind, ServerLock};
use crate::exit::{Exit, Failure};
use crate::surface::canonical::to_value;

/// Lifetime of a check of the tools or prompts. Definitions that reach a client are always checked.
const CHECK_TIME: Duration = Duration::from_secs(5);

/// Time limit of a list that is fetched for a check.
const LIST_TIME: Duration = Duration::from_secs(30);

/// Maximum number of remembered warnings.
const MAX_WARNINGS: usize = 1000;

/// A definition of a list, which a guard checks if its kind is locked.
pub(crate) trait Locked: Serialize {
    /// The kind; `None` if definitions of this kind are not locked.
    const KIND: Option<Kind>;

    /// Returns the name or URI template.
    fn locked_name(&self) -> &str;
}

impl Locked for ToolDefinition {
    const KIND: Option<Kind> = Some(Kind::Tool);

    fn locked_name(&self) -> &str {
        &self.name
    }
}

impl Locked for PromptDefinition {
    const KIND: Option<Kind> = Some(Kind::Prompt);

    fn locked_name(&self) -> &str {
        &self.name
    }
}

impl Locked for ResourceTemplate {
    const KIND: Option<Kind> = Some(Kind::Template);

    fn locked_name(&self) -> &str {
        &self.uri_template
    }
}

impl Locked for ResourceDefinition {
    const KIND: Option<Kind> = None;

    fn locked_name(&self) -> &str {
        &self.uri
    }
}

/// Checks the definitions of a server against its lock.
#[derive(Debug)]
pub(crate) struct Guard {
    lock: ServerLock,
    /// The command that updates the lock.
    update: String,
    /// The path of the lock file.
    path: String,
    checked: Mutex<Vec<Checked>>,
    warned: Mutex<HashSet<(Option<Kind>, String)>>,
}

/// The names that matched the lock at a time.
#[derive(Debug)]
struct Checked {
    kind: Kind,
    time: Instant,
    names: HashSet<String>,
}

impl Guard {
    /// Creates the guard of a server.
    ///
    /// # Errors
    /// Fails if the file does not contain the server.
    pub(crate) fn new(file: &LockFile, key: &str) -> Result<Self, Failure> {
        let lock = file.required(key)?.clone();
        let update = file.command(" --update", excerpt(key));
        let path = file.path().display().to_string();
        Ok(Self { lock, update, path, checked: Mutex::default(), warned: Mutex::default() })
    }

    /// Fails if a definition differs from the lock. The error contains the changes.
    pub(crate) fn check<T: Locked>(&self, item: &T) -> Result<(), Failure> {
        let Some(kind) = T::KIND else { return Ok(()) };
        let name = item.locked_name();
        let item = match to_value(item) {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        let Some(report) = self.lock.check(kind, name, &item) else { return Ok(()) };
        let (name, path, update) = (excerpt(name), &self.path, &self.update);
        Err(Failure::new(
            Exit::Changed,
            format!(
                "cannot use the {} `{name}`: it differs from the lock file `{path}`; review the change, then run \
                 `{update}`\n{}",
                kind.name(),
                report.to_text()
            ),
        ))
    }

    /// Removes the definitions that differ from the lock. A warning is logged for each, once.
    pub(crate) fn retain<T: Locked>(&self, items: &mut Vec<T>) {
        items.retain(|item| {
            let Err(failure) = self.check(item) else { return true };
            let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
            if warned.len() < MAX_WARNINGS && warned.insert((T::KIND, item.locked_name().to_owned())) {
                tracing::warn!("{failure}");
            }
            false
        });
    }

    /// Returns the instructions if they match the lock. If not, a warning is logged.
    pub(crate) fn instructions(&self, text: String) -> Option<String> {
        if self.lock.allows_instructions(&text) {
            return Some(text);
        }
        tracing::warn!(
            "omitted the instructions of the server: they differ from the lock file `{}`; review them, then run `{}`",
            self.path,
            self.update
        );
        None
    }

    /// Fails if the server does not list this tool or prompt, or its definition differs from the lock.
    pub(crate) async fn check_request(&self, client: &Client, request: &ClientRequest) -> Result<(), Error> {
        let (kind, name) = match request {
            ClientRequest::CallTool(params) => (Kind::Tool, &*params.name),
            ClientRequest::GetPrompt(params) => (Kind::Prompt, &*params.name),
            _ => return Ok(()),
        };
        let rejected = || {
            let (kind, name, path, update) = (kind.name(), excerpt(name), &self.path, &self.update);
            Error::invalid_params(format!(
                "cannot use the {kind} `{name}`: it differs from the lock file `{path}`; review the change, then run \
                 `{update}`"
            ))
        };
        if !self.lock.entries(kind).contains_key(name) {
            return Err(rejected());
        }
        if let Some(is_allowed) = self.recent(kind, name) {
            return if is_allowed { Ok(()) } else { Err(rejected()) };
        }
        let names = match kind {
            Kind::Tool => self.allowed(client.tools()).await?,
            _ => self.allowed(client.prompts()).await?,
        };
        let is_allowed = names.contains(name);
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        checked.retain(|it| it.kind != kind);
        checked.push(Checked { kind, time: Instant::now(), names });
        if is_allowed { Ok(()) } else { Err(rejected()) }
    }

    /// Returns the names of the items of a list that match the lock.
    async fn allowed<T: Locked + Listable>(&self, list: ListCall<T>) -> Result<HashSet<String>, Error> {
        let mut items: Vec<T> = list.time_limit(LIST_TIME).await.map_err(|error| {
            Error::internal(format!("cannot check the definitions of the server: {error}; try again"))
        })?;
        self.retain(&mut items);
        let names = items.iter().map(|item| item.locked_name().to_owned()).collect();
        Ok(names)
    }

    /// Returns whether a recent check allowed a name. `None` without a recent check.
    fn recent(&self, kind: Kind, name: &str) -> Option<bool> {
        let checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = checked.iter().find(|it| it.kind == kind && it.time.elapsed() < CHECK_TIME)?;
        Some(recent.names.contains(name))
    }
}
