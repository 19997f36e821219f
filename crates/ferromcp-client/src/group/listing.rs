//! Combined lists of the servers of a group, and the names of their items.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use ferromcp_core::model::{PromptDefinition, ResourceDefinition, ToolDefinition};

use crate::error::{ClientError, ErrorKind};

/// Separator between the name of a server and the name of an item.
const SEPARATOR: char = '_';

/// The combined list of all reachable servers.
#[derive(Debug)]
#[non_exhaustive]
pub struct GroupListing<T> {
    /// Items, ordered by server name.
    pub items: Vec<Member<T>>,
    /// Servers that failed to connect or to list, and their errors.
    pub failures: Vec<(String, Arc<ClientError>)>,
    /// Items whose joined name is routed to another server.
    pub collisions: Vec<Collision>,
}

/// An item of one server of the group.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Member<T> {
    /// The name of the server.
    pub server: String,
    /// The item, with its joined name.
    pub item: T,
}

/// A joined name that matches the prefixes of two servers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collision {
    /// The joined name.
    pub name: String,
    /// The server that calls are routed to: the one with the longer name.
    pub routed_to: String,
    /// The server whose item is shadowed. Rename one of the servers, or use
    /// [`ClientGroup::get`](super::ClientGroup::get).
    pub shadowed: String,
}

/// Items with a name.
pub trait Named {
    /// Returns the name for modification.
    fn name_mut(&mut self) -> &mut String;

    /// Whether requests identify the item by its name.
    const IS_KEY: bool = true;
}

impl Named for ToolDefinition {
    fn name_mut(&mut self) -> &mut String {
        &mut self.name
    }
}

impl Named for PromptDefinition {
    fn name_mut(&mut self) -> &mut String {
        &mut self.name
    }
}

/// Resources are read by URI, from their server.
impl Named for ResourceDefinition {
    fn name_mut(&mut self) -> &mut String {
        &mut self.name
    }

    const IS_KEY: bool = false;
}

impl<T: Named> GroupListing<T> {
    pub(super) fn of(results: BTreeMap<String, Result<Vec<T>, Arc<ClientError>>>) -> Self {
        let servers: Vec<String> = results.keys().cloned().collect();
        let mut listing = Self { items: Vec::new(), failures: Vec::new(), collisions: Vec::new() };
        for (server, result) in results {
            match result {
                Ok(items) => items.into_iter().for_each(|item| listing.add(&server, item, &servers)),
                Err(error) => listing.failures.push((server, error)),
            }
        }
        listing
    }

    fn add(&mut self, server: &str, mut item: T, servers: &[String]) {
        let name = joined(server, item.name_mut());
        // Calls are routed to the server with the longest matching name, whether or not it has the item.
        let first = servers.iter().filter(|other| strip_server(other, &name).is_some()).max_by_key(|other| other.len());
        if let Some(to) = first.filter(|to| T::IS_KEY && to.len() > server.len()) {
            self.collisions.push(Collision { name: name.clone(), routed_to: to.clone(), shadowed: server.to_owned() });
        }
        *item.name_mut() = name;
        self.items.push(Member { server: server.to_owned(), item });
    }

    /// Returns the items to present to a model, without shadowed ones.
    pub fn into_items(self) -> Vec<T> {
        let shadowed: HashSet<(String, String)> =
            self.collisions.into_iter().map(|collision| (collision.shadowed, collision.name)).collect();
        let mut items = self.items;
        items.retain_mut(|member| !shadowed.contains(&(member.server.clone(), member.item.name_mut().clone())));
        items.into_iter().map(|member| member.item).collect()
    }
}

/// Validates the name of a server, which becomes part of the names of tools.
pub(super) fn check_name(name: &str) -> Result<(), ClientError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !name.is_empty() && name.chars().all(legal) {
        return Ok(());
    }
    let message = format!(
        "cannot add server `{name}`: names in a group may contain letters, digits, `_`, `-` and `.`; rename it"
    );
    Err(ClientError::new(ErrorKind::InvalidRequest, message))
}

/// Joins the name of a server and the name of an item.
fn joined(server: &str, name: &str) -> String {
    format!("{server}{SEPARATOR}{name}")
}

/// Returns the name of an item on `server`, if `joined` has its prefix.
pub(super) fn strip_server<'a>(server: &str, joined: &'a str) -> Option<&'a str> {
    joined.strip_prefix(server)?.strip_prefix(SEPARATOR)
}
