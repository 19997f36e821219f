//! Lock files.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use ferromcp_core::text::excerpt;
use serde::{Deserialize, Serialize};

use super::server_lock::ServerLock;
use crate::exit::Failure;
use crate::output::pretty_json;
use crate::surface::canonical::{parse_file, sorted, to_value};
use crate::surface::snapshot::read_file;

/// The lock file in the current folder.
pub(crate) const DEFAULT_FILE: &str = "mcp.lock";

/// Version of the format.
const VERSION: u32 = 1;

/// The content of a lock file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    servers: BTreeMap<String, ServerLock>,
}

/// A lock file.
#[derive(Debug)]
pub(crate) struct LockFile {
    path: PathBuf,
    servers: BTreeMap<String, ServerLock>,
}

impl LockFile {
    /// Reads a lock file. A file that does not exist has no servers.
    ///
    /// # Errors
    /// Fails if the file is not readable, invalid, or has a digest that is not that of its definition.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        // A symbolic link without a target is an error, not a missing file.
        if let Err(error) = std::fs::symlink_metadata(path)
            && error.kind() == std::io::ErrorKind::NotFound
        {
            return Ok(Self { path: path.to_owned(), servers: BTreeMap::new() });
        }
        let failed = |cause: String| {
            let path = path.display();
            Failure::usage(format!(
                "cannot read the lock file `{path}`: {cause}; restore it, or lock the servers again"
            ))
        };
        let content: Content = parse_file(&read_file(path)?)
            .and_then(serde_json::from_value)
            .map_err(|error| failed(excerpt(&error.to_string()).to_string()))?;
        if content.version != VERSION {
            return Err(failed(format!("its version is {}, and this command supports {VERSION}", content.version)));
        }
        for (server, lock) in &content.servers {
            if let Some(name) = lock.damaged() {
                let (server, name) = (excerpt(server), excerpt(name));
                return Err(failed(format!("the hash of `{name}` of `{server}` is not that of its definition")));
            }
        }
        Ok(Self { path: path.to_owned(), servers: content.servers })
    }

    /// Returns the path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the definitions of a server.
    pub(crate) fn server(&self, key: &str) -> Option<&ServerLock> {
        self.servers.get(key)
    }

    /// Returns the definitions of a server.
    ///
    /// # Errors
    /// Fails if the file does not contain the server.
    pub(crate) fn required(&self, key: &str) -> Result<&ServerLock, Failure> {
        self.server(key).ok_or_else(|| {
            let (path, shown, key) = (self.path.display(), excerpt(key), excerpt(key));
            Failure::usage(format!(
                "cannot check the server `{shown}`: the lock file `{path}` does not contain it; run `{}`",
                self.command("", key)
            ))
        })
    }

    /// Returns the command that locks a server.
    pub(crate) fn command(&self, options: &str, key: impl std::fmt::Display) -> String {
        let file = match self.path.to_str() {
            Some(DEFAULT_FILE) => String::new(),
            _ => format!(" --file {}", self.path.display()),
        };
        format!("mcp lock{options}{file} {key}")
    }

    /// Sets the definitions of a server, and replaces the file atomically.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub(crate) fn set(&mut self, key: &str, lock: ServerLock) -> Result<(), Failure> {
        self.servers.insert(key.to_owned(), lock);
        let content = Content { version: VERSION, servers: self.servers.clone() };
        let text = pretty_json(&sorted(&to_value(&content)))?;
        replace(&self.path, &text)
            .map_err(|error| Failure::usage(format!("cannot write the file `{}`: {error}", self.path.display())))
    }
}

/// Replaces a file atomically.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // The target of a symbolic link is replaced, not the link.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666); // restricted by the umask
    #[cfg(unix)]
    builder.permissions(permissions);
    let mut file = builder.prefix(".mcp.lock").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
