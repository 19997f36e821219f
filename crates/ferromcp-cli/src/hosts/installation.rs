//! The table of servers of one host, in its file.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::edit::{self, EditError, Place};
use super::entry::{self, Server};
use super::file::{self, FileError};
use super::locate::{LocateError, Scope, locate};
use super::machine::{Machine, System};
use super::table::{CommandTemplate, Host, Shape};

/// A host, and the file that it reads.
#[derive(Debug, Clone)]
pub(crate) struct Installation {
    pub(crate) host: &'static Host,
    pub(crate) path: PathBuf,
    pub(crate) scope: Scope,
    /// Whether the file is the one that the host finds itself.
    is_default: bool,
    /// The key of the project in a file of the user, for servers of one project.
    project: String,
}

/// An entry of a host.
#[derive(Debug, Clone)]
pub(crate) struct Installed {
    pub(crate) name: String,
    /// `None` if the entry is neither a command nor a URL.
    pub(crate) server: Option<Server>,
}

impl Installation {
    /// Finds the file of a host. `file` replaces it.
    pub(crate) fn new(
        host: &'static Host,
        machine: &Machine,
        scope: Scope,
        file: Option<&Path>,
    ) -> Result<Self, LocateError> {
        let path = match file {
            Some(file) => file.to_owned(),
            None => locate(host, machine, scope)?,
        };
        let project = project_key(machine);
        Ok(Self { host, path, scope, is_default: file.is_none(), project })
    }

    /// Returns the program of the host that changes this table.
    pub(crate) fn command(&self) -> Option<&'static CommandTemplate> {
        self.host.command.as_ref().filter(|_| self.scope == Scope::User && self.is_default)
    }

    /// Returns the entry of a server in the format of a text of the file.
    pub(crate) fn entry(&self, text: &str, name: &str, server: &Server) -> Result<Value, EditError> {
        Ok(render(self.shape(text)?.0, name, server))
    }

    /// Adds an entry to a text of the file. Replaces an entry with the same name only if `replace` is set.
    pub(crate) fn add(&self, text: &str, name: &str, server: &Server, replace: bool) -> Result<String, EditError> {
        let (shape, key) = self.shape(text)?;
        let value = render(shape, name, server);
        edit::insert(self.host.format, text, Place { key: &key, name }, &value, replace)
    }

    /// Removes an entry from a text of the file. Returns the text of the backup if it differs only by the entry.
    pub(crate) fn remove(&self, text: &str, backup: Option<&str>, name: &str) -> Result<String, EditError> {
        let (_, key) = self.shape(text)?;
        let place = Place { key: &key, name };
        let restored = backup.and_then(|backup| edit::restore(self.host.format, text, backup, place));
        restored.map_or_else(|| edit::remove(self.host.format, text, place), Ok)
    }

    /// Returns the entries of the file; none if the file does not exist.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or its content is invalid.
    pub(crate) fn read_entries(&self) -> Result<Vec<Installed>, FileError> {
        let text = file::read(&self.path)?.unwrap_or_default();
        self.entries(&text).map_err(|error| FileError::edit(&self.path, &error))
    }

    /// Returns the entries of a text of the file.
    pub(crate) fn entries(&self, text: &str) -> Result<Vec<Installed>, EditError> {
        let (shape, values) = self.values(text)?;
        let entries = values.into_iter().filter(|(_, value)| value.is_object());
        Ok(entries.map(|(name, value)| Installed { server: entry::read(shape, &value), name }).collect())
    }

    /// Returns the entries of a text of the file as written, with the format of the file.
    pub(crate) fn values(&self, text: &str) -> Result<(&'static Shape, Map<String, Value>), EditError> {
        let (shape, key) = self.shape(text)?;
        let table = edit::value_at(self.host.format, text, &key)?;
        let Some(Value::Object(values)) = table else { return Ok((shape, Map::new())) };
        Ok((shape, values))
    }

    /// Returns an error for each duplicate key, of which hosts read the last one.
    pub(crate) fn duplicates(&self, text: &str) -> Result<Vec<EditError>, EditError> {
        let (_, key) = self.shape(text)?;
        edit::duplicates(self.host.format, text, &key)
    }

    /// Returns the entry together with its table, as text in the format of the file.
    pub(crate) fn snippet(&self, text: &str, name: &str, server: &Server) -> String {
        let fallback = || (&self.host.shapes[0], self.key(&self.host.shapes[0]));
        let (shape, key) = self.shape(text).unwrap_or_else(|_| fallback());
        edit::snippet(self.host.format, Place { key: &key, name }, &render(shape, name, server))
    }

    /// Returns whether the files of the host can contain a server. Some have no format for URLs.
    pub(crate) fn supports(&self, server: &Server) -> bool {
        matches!(server, Server::Stdio { .. }) || self.host.shapes.iter().all(|shape| shape.http.is_some())
    }

    fn shape(&self, text: &str) -> Result<(&'static Shape, Vec<String>), EditError> {
        // Invalid files are reported here.
        edit::value_at(self.host.format, text, &[])?;
        let shape = entry::detect(self.host, |key| edit::value_at(self.host.format, text, key).ok().flatten());
        Ok((shape, self.key(shape)))
    }

    fn key(&self, shape: &Shape) -> Vec<String> {
        match self.scope {
            Scope::Local => {
                let local = self.host.local.iter();
                local.map(|part| if part == "$project" { self.project.clone() } else { part.clone() }).collect()
            }
            Scope::User | Scope::Project => shape.key.clone(),
        }
    }
}

/// Returns the entry of a server that the host supports.
fn render(shape: &Shape, name: &str, server: &Server) -> Value {
    entry::render(shape, name, server).unwrap_or_default()
}

/// Returns the folder of the project as a key. Claude Code writes `/` on Windows too.
fn project_key(machine: &Machine) -> String {
    let path = machine.project.to_string_lossy();
    if machine.system == System::Windows { path.replace('\\', "/") } else { path.into_owned() }
}

#[cfg(test)]
mod tests;
