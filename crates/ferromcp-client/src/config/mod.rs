//! The configuration file of servers, as hosts write it: `mcpServers`, or `servers`.
//!
//! No specification defines it; desktop hosts and editors agree on most of it. A file is read as a whole,
//! but an entry only when it is asked for: one that is broken, or whose variables are not set, does not
//! keep the others from starting. Comments and trailing commas are taken, as editors take them.
//!
//! | file | what |
//! |---|---|
//! | `entry` | from an object to a server |
//! | `server` | what a server is: a command or a URL |
//! | `expand` | `${VAR}` in texts |
//! | `comments` | JSON with comments into JSON |
//! | `secret` | texts that are not shown |
//! | `error` | what is wrong, where, and what to do |

use std::{collections::HashMap, io::Read, path::Path, sync::Arc};

use ferromcp_core::RawMap;
use serde_json::{Value, value::RawValue};

mod comments;
mod entry;
mod error;
mod expand;
mod secret;
mod server;

pub use entry::Entry;
pub use error::{ConfigError, ConfigErrorKind};
pub use expand::MAX_EXPANDED;
pub use secret::Secret;
pub use server::{Endpoint, Http, HttpKind, Server, Stdio};

use error::Place;

/// The largest file that is read, in bytes: 1 MiB.
pub const MAX_FILE: usize = 1 << 20;

/// How many names an error lists.
const MAX_NAMED: usize = 20;

/// The servers of a configuration file, in its order.
///
/// ```
/// use ferromcp_client::config::{Config, Endpoint};
/// let config = Config::parse(r#"{
///     "mcpServers": {
///         "files": { "command": "files-server", "args": ["${ROOT:-/srv}"] }, // here
///         "search": { "url": "https://example.com/mcp" },                    // and there
///     }
/// }"#)?;
/// let files = config.get("files").expect("it stands above").resolve()?;
/// let Endpoint::Stdio(stdio) = files.endpoint() else { panic!() };
/// assert_eq!(stdio.args().collect::<Vec<_>>(), ["/srv"]);
/// # Ok::<_, ferromcp_client::config::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Config {
    file: Arc<Place>,
    entries: Vec<Entry>,
}

impl Config {
    /// Reads a file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let place = Place::file(path.display().to_string());
        let mut text = String::new();
        // One byte more tells a file at the limit from one over it.
        let limit = u64::try_from(MAX_FILE).unwrap_or(u64::MAX).saturating_add(1);
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text)).map_err(|error| {
            place.error(
                ConfigErrorKind::Unreadable,
                format!("cannot be read: {error}"),
                "check the path and its rights",
            )
        })?;
        parse(&text, &place)
    }

    /// Reads a text.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        parse(text, &Place::default())
    }

    /// All entries, in the order of the file, disabled ones included.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The server of that name, with variables from this process's environment; something to connect to.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), ferromcp_client::ClientError> {
    /// use ferromcp_client::{Client, config::Config};
    /// let files = Config::read("mcp.json")?.server("files")?;
    /// let client = Client::new("demo", "1.0.0").connect(files).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there is no such server, or what the file says of it cannot be used.
    pub fn server(&self, name: &str) -> Result<Server, ConfigError> {
        if let Some(entry) = self.get(name) {
            return entry.resolve();
        }
        let names: Vec<&str> = self.entries().map(Entry::name).take(MAX_NAMED).collect();
        let what = format!("does not have the server `{name}`");
        let remedy = if names.is_empty() { "add it".to_owned() } else { format!("it has {}", names.join(", ")) };
        Err(self.file.error(ConfigErrorKind::Missing, what, remedy))
    }

    /// The entry of that name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name() == name)
    }
}

fn parse(text: &str, place: &Place) -> Result<Config, ConfigError> {
    let syntax = |what: String, remedy: &str| place.error(ConfigErrorKind::Syntax, what, remedy);
    if text.len() > MAX_FILE {
        return Err(syntax(format!("is larger than {MAX_FILE} bytes"), "is it the right file?"));
    }
    let json = comments::strip(text);
    // Not into types: their errors would quote values, which may be secrets.
    let mut file: Value = serde_json::from_str(&json).map_err(|error| {
        syntax(format!("is not JSON: {error}"), "mend it there; comments and trailing commas are fine")
    })?;
    let Some(key) = ["mcpServers", "servers"].into_iter().find(|key| file.get(key).is_some()) else {
        let what = "has no servers".to_owned();
        return Err(place.error(ConfigErrorKind::Shape, what, r#"write {"mcpServers": {"name": {"command": "…"}}}"#));
    };
    let Value::Object(servers) = file[key].take() else {
        let place = place.at_key(key);
        return Err(place.error(
            ConfigErrorKind::Shape,
            "is not an object".to_owned(),
            "write one member for each server",
        ));
    };
    refuse_twins(&json, key, place)?;
    let place = Arc::new(place.clone());
    let file = Arc::clone(&place);
    let entries = servers.into_iter().map(|(name, value)| Entry::new(Arc::clone(&place), name, value)).collect();
    Ok(Config { file, entries })
}

/// Two servers of one name: most likely one was copied, and the name forgotten. A `Value` keeps the last.
fn refuse_twins(json: &str, key: &str, place: &Place) -> Result<(), ConfigError> {
    let file: HashMap<&str, &RawValue> = serde_json::from_str(json).unwrap_or_default();
    match file.get(key).map(|servers| serde_json::from_str::<RawMap>(servers.get())) {
        Some(Err(error)) if error.is_data() => {
            // The message names the twin and nothing else, but counts lines from within.
            let error = error.to_string();
            let what = format!("names a server twice: {}", error.split(" at line").next().unwrap_or_default());
            Err(place.at_key(key).error(ConfigErrorKind::Shape, what, "rename one of them"))
        }
        _ => Ok(()),
    }
}
