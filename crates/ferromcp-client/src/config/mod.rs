//! Configuration files of MCP hosts, with the key `mcpServers` or `servers`.
//!
//! The format has no specification; desktop hosts and editors agree on most of it. Entries are resolved individually:
//! an invalid entry, or one whose variables are not set, does not affect the others. Comments and trailing commas are
//! accepted.
//!
//! | module | content |
//! |---|---|
//! | `entry` | deserializes one entry |
//! | `server` | the configuration of a server: a command or a URL |
//! | `expand` | expands `${VAR}` |
//! | `comments` | converts JSON with comments to JSON |
//! | `secret` | redacted strings |
//! | `error` | errors |

use std::{collections::HashMap, io::Read, path::Path, sync::Arc};

use ferromcp_core::RawMap;
use serde_json::{Value, value::RawValue};

mod comments;
mod entry;
mod error;
mod expand;
mod server;

pub use entry::ConfigEntry;
pub use error::{ConfigError, ConfigErrorKind};
pub use expand::MAX_EXPANDED;
pub use server::{HttpConfig, HttpKind, Secret, ServerConfig, StdioConfig, TransportConfig};

use error::Location;

/// Maximum size of a file, in bytes: 1 MiB.
pub const MAX_FILE: usize = 1 << 20;

/// Maximum number of server names in an error text.
const MAX_NAMED: usize = 20;

/// A parsed configuration file.
///
/// ```
/// use ferromcp_client::config::{Config, TransportConfig};
/// let config = Config::parse(r#"{
///     "mcpServers": {
///         "files": { "command": "files-server", "args": ["${ROOT:-/srv}"] }, // a local server
///         "search": { "url": "https://example.com/mcp" },                    // a remote server
///     }
/// }"#)?;
/// let files = config.get("files").expect("has an entry `files`").resolve()?;
/// let TransportConfig::Stdio(stdio) = files.transport() else { panic!() };
/// assert_eq!(stdio.args().collect::<Vec<_>>(), ["/srv"]);
/// # Ok::<_, ferromcp_client::config::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Config {
    file: Arc<Location>,
    entries: Vec<ConfigEntry>,
}

impl Config {
    /// Reads and parses a file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let location = Location::file(path.display().to_string());
        let mut text = String::new();
        // Read one byte more than the limit, to detect a larger file.
        let limit = u64::try_from(MAX_FILE).unwrap_or(u64::MAX).saturating_add(1);
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text)).map_err(|error| {
            location.error(
                ConfigErrorKind::Unreadable,
                format!("cannot be read: {error}"),
                "check the path and its permissions",
            )
        })?;
        parse(&text, &location)
    }

    /// Parses a text.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        parse(text, &Location::default())
    }

    /// Returns all entries in file order, including disabled ones.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &ConfigEntry> {
        self.entries.iter()
    }

    /// Resolves the server with this name, expanding variables from the environment. The result is a
    /// [`Target`](crate::Target).
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), ferromcp_client::ClientError> {
    /// use ferromcp_client::{Client, config::Config};
    /// let files = Config::read("mcp.json")?.server("files")?;
    /// let client = Client::builder("demo", "1.0.0").connect(files).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there is no such server, or its entry is invalid.
    pub fn server(&self, name: &str) -> Result<ServerConfig, ConfigError> {
        if let Some(entry) = self.get(name) {
            return entry.resolve();
        }
        let names: Vec<&str> = self.entries().map(ConfigEntry::name).take(MAX_NAMED).collect();
        let what = format!("does not have the server `{name}`");
        let remedy = if names.is_empty() { "add it".to_owned() } else { format!("it has {}", names.join(", ")) };
        Err(self.file.error(ConfigErrorKind::NotFound, what, remedy))
    }

    /// Returns the entry with this name.
    pub fn get(&self, name: &str) -> Option<&ConfigEntry> {
        self.entries.iter().find(|entry| entry.name() == name)
    }
}

fn parse(text: &str, location: &Location) -> Result<Config, ConfigError> {
    let syntax = |what: String, remedy: &str| location.error(ConfigErrorKind::Syntax, what, remedy);
    if text.len() > MAX_FILE {
        return Err(syntax(format!("is larger than {MAX_FILE} bytes"), "check the path"));
    }
    let json = comments::strip(text);
    // Not deserialized into types, because their errors would quote values, which may be secrets.
    let mut file: Value = serde_json::from_str(&json).map_err(|error| {
        syntax(format!("is not JSON: {error}"), "fix the syntax; comments and trailing commas are allowed")
    })?;
    let Some(key) = ["mcpServers", "servers"].into_iter().find(|key| file.get(key).is_some()) else {
        let what = "has no servers".to_owned();
        return Err(location.error(
            ConfigErrorKind::Invalid,
            what,
            r#"write {"mcpServers": {"name": {"command": "…"}}}"#,
        ));
    };
    let Value::Object(servers) = file[key].take() else {
        let location = location.at_key(key);
        return Err(location.error(
            ConfigErrorKind::Invalid,
            "is not an object".to_owned(),
            "write one member per server",
        ));
    };
    reject_duplicate_names(&json, key, location)?;
    let location = Arc::new(location.clone());
    let file = Arc::clone(&location);
    let entries =
        servers.into_iter().map(|(name, value)| ConfigEntry::new(Arc::clone(&location), name, value)).collect();
    Ok(Config { file, entries })
}

/// Rejects two servers with the same name, of which a `Value` would keep only the last.
fn reject_duplicate_names(json: &str, key: &str, location: &Location) -> Result<(), ConfigError> {
    let file: HashMap<&str, &RawValue> = serde_json::from_str(json).unwrap_or_default();
    match file.get(key).map(|servers| serde_json::from_str::<RawMap>(servers.get())) {
        Some(Err(error)) if error.is_data() => {
            // The message contains only the duplicate name; its line number is relative to the object.
            let error = error.to_string();
            let what = format!("has a duplicate server name: {}", error.split(" at line").next().unwrap_or_default());
            Err(location.at_key(key).error(ConfigErrorKind::Invalid, what, "rename one of them"))
        }
        _ => Ok(()),
    }
}
