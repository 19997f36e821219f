//! What the servers of a group have together.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use ferromcp_core::model::{Prompt, Resource, Tool};

use super::name::{joined, part};
use crate::error::ClientError;

/// What all servers have that could be asked.
#[derive(Debug)]
#[non_exhaustive]
pub struct Listing<T> {
    /// What there is, servers in the order of their names.
    pub items: Vec<Member<T>>,
    /// The servers that are not there or could not be asked, and why.
    pub failures: Vec<(String, Arc<ClientError>)>,
    /// What cannot be called by its joined name, since that leads to another server.
    pub collisions: Vec<Collision>,
}

/// Something that a server of the group has.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Member<T> {
    /// The name of the server.
    pub server: String,
    /// The thing, under its joined name.
    pub item: T,
}

/// Two servers to which one name could lead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collision {
    /// The name.
    pub name: String,
    /// The server it leads to: the one with the longest name.
    pub to: String,
    /// The server it leads past. Rename one of the two, or ask this one by [`ClientGroup::get`](super::ClientGroup::get).
    pub past: String,
}

/// What has a name that can be joined.
pub trait Named {
    /// The name.
    fn name_mut(&mut self) -> &mut String;

    /// Whether it is asked for by that name.
    const IS_KEY: bool = true;
}

impl Named for Tool {
    fn name_mut(&mut self) -> &mut String {
        &mut self.name
    }
}

impl Named for Prompt {
    fn name_mut(&mut self) -> &mut String {
        &mut self.name
    }
}

/// Resources are read by their URIs, from their servers.
impl Named for Resource {
    fn name_mut(&mut self) -> &mut String {
        &mut self.name
    }

    const IS_KEY: bool = false;
}

impl<T: Named> Listing<T> {
    pub(super) fn of(answers: BTreeMap<String, Result<Vec<T>, Arc<ClientError>>>) -> Self {
        let servers: Vec<String> = answers.keys().cloned().collect();
        let mut listing = Self { items: Vec::new(), failures: Vec::new(), collisions: Vec::new() };
        for (server, answer) in answers {
            match answer {
                Ok(items) => items.into_iter().for_each(|item| listing.add(&server, item, &servers)),
                Err(error) => listing.failures.push((server, error)),
            }
        }
        listing
    }

    fn add(&mut self, server: &str, mut item: T, servers: &[String]) {
        let name = joined(server, item.name_mut());
        // A server whose name is longer and that the name begins with as well gets all calls, whether it has that or not.
        let first = servers.iter().filter(|other| part(other, &name).is_some()).max_by_key(|other| other.len());
        if let Some(to) = first.filter(|to| T::IS_KEY && to.len() > server.len()) {
            self.collisions.push(Collision { name: name.clone(), to: to.clone(), past: server.to_owned() });
        }
        *item.name_mut() = name;
        self.items.push(Member { server: server.to_owned(), item });
    }

    /// The things themselves, as a model is shown them: without those whose names lead elsewhere.
    pub fn into_items(self) -> Vec<T> {
        let past: HashSet<(String, String)> =
            self.collisions.into_iter().map(|collision| (collision.past, collision.name)).collect();
        let mut items = self.items;
        items.retain_mut(|member| !past.contains(&(member.server.clone(), member.item.name_mut().clone())));
        items.into_iter().map(|member| member.item).collect()
    }
}
