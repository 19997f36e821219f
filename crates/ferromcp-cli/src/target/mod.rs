//! Targets: URLs, commands, Cargo targets, Python files, configuration files and saved names.
//!
//! | module | content |
//! |---|---|
//! | `cargo` | examples, binaries and packages of a Cargo workspace |
//! | `config_file` | entries of configuration files |
//! | `host` | entries of installed hosts |
//! | `packages` | packages that Python files declare |
//! | `python` | Python files |
//! | `saved` | saved names |
//! | `source` | a target as written |

pub(crate) mod cargo;
mod config_file;
pub(crate) mod host;
mod packages;
mod python;
pub(crate) mod saved;
mod source;

use std::path::{Path, PathBuf};
use std::process::Command;

use ferromcp_client::config::{ServerConfig, TransportConfig};
use ferromcp_core::text::excerpt;

use crate::cli::{Connection, Words};
use crate::exit::Failure;
use crate::suggestion::closest;
use saved::Saved;
use source::is_url;

pub(crate) use packages::{declared_packages, name as package_name};
pub(crate) use source::Source;

/// A server to connect to.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) kind: Kind,
    /// The options of the command line, combined with those of a saved name.
    pub(crate) connection: Connection,
}

/// The kind of a target.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A server over HTTP.
    Url(String),
    /// A command that starts a server on stdio. It inherits the environment.
    Command(Command),
    /// An entry of a configuration file.
    Config(ServerConfig),
}

impl Target {
    /// Returns a target that starts or reaches the same server.
    pub(crate) fn duplicate(&self) -> Self {
        let kind = match &self.kind {
            Kind::Url(url) => Kind::Url(url.clone()),
            Kind::Config(config) => Kind::Config(config.clone()),
            Kind::Command(command) => Kind::Command(duplicate(command)),
        };
        Self { kind, connection: self.connection.clone() }
    }

    /// Returns the URL of a server over HTTP.
    pub(crate) fn url(&self) -> Option<&str> {
        match &self.kind {
            Kind::Url(url) => Some(url),
            Kind::Config(config) => match config.transport() {
                TransportConfig::Http(http) => Some(http.url()),
                _ => None,
            },
            Kind::Command(_) => None,
        }
    }
}

/// Returns a command with the same program, arguments, variables and folder.
fn duplicate(command: &Command) -> Command {
    let mut copy = Command::new(command.get_program());
    copy.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => copy.env(name, value),
            None => copy.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        copy.current_dir(folder);
    }
    copy
}

/// Splits the words of a command line into the target and the arguments of the verb.
///
/// # Errors
/// Fails if the target is missing.
pub(crate) fn split(words: &Words) -> Result<(Source<'_>, &[String]), Failure> {
    if !words.command.is_empty() {
        return Ok((Source::Command(&words.command), &words.words));
    }
    let Some((target, rest)) = words.words.split_first() else {
        return Err(Failure::usage(
            "the target is missing; name a URL, a file or a saved name, or a command after `--`",
        ));
    };
    Ok((Source::Word(target), rest))
}

/// Fails if the verb was given arguments that it does not take.
pub(crate) fn reject_extra(extra: &[String]) -> Result<(), Failure> {
    match extra.first() {
        None => Ok(()),
        Some(word) => {
            let word = excerpt(word);
            Err(Failure::usage(format!(
                "unexpected argument `{word}`; a command must follow `--`, after all other arguments"
            )))
        }
    }
}

/// Returns the URL of a target, for the verbs that log in and out.
///
/// # Errors
/// Fails if the target is not a server over HTTP.
pub(crate) fn url(word: &str) -> Result<String, Failure> {
    let target = resolve(Source::Word(word), &Connection::default())?;
    target.url().map(str::to_owned).ok_or_else(|| {
        let word = excerpt(word);
        Failure::usage(format!("cannot log in to `{word}`: it is not a server over HTTP; name a URL"))
    })
}

/// Finds the server of a target. Builds Cargo targets.
///
/// # Errors
/// Fails if the target does not exist or cannot be built.
pub(crate) fn resolve(source: Source<'_>, connection: &Connection) -> Result<Target, Failure> {
    if let Source::Word(word) = source
        && let Some(saved) = saved::load()?.remove(word)
    {
        return resolve_saved(&saved, connection);
    }
    let kind = find(source, connection, None)?;
    Ok(Target { kind, connection: connection.clone() })
}

/// Returns the folders with the source files of a target: the packages of the Cargo workspace, the folder of a Python file, or
/// the working folder of a command. Empty for a URL.
pub(crate) fn source_folders(source: Source<'_>) -> Vec<PathBuf> {
    let here = || std::env::current_dir().into_iter().collect::<Vec<PathBuf>>();
    match source {
        Source::Command(_) => here(),
        Source::Word(word) => {
            if let Some(saved) = saved::load().ok().and_then(|mut names| names.remove(word)) {
                return match saved.source() {
                    Ok(Source::Command(_)) => saved.folder.map_or_else(here, |folder| vec![folder]),
                    Ok(Source::Word(word)) => folders_of_word(word, saved.folder.as_deref()),
                    Err(_) => Vec::new(),
                };
            }
            folders_of_word(word, None)
        }
    }
}

fn folders_of_word(word: &str, folder: Option<&Path>) -> Vec<PathBuf> {
    if is_url(word) || host::parse(word).is_some() || config_file::parse(word).is_some() {
        return Vec::new();
    }
    if let Some((file, _)) = python::parse(word) {
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        return vec![parent.unwrap_or(Path::new(".")).to_owned()];
    }
    cargo::package_folders(folder)
}

/// Returns the servers of a target that is a configuration file with several; none for other targets.
///
/// # Errors
/// Fails if the file is missing or invalid.
pub(crate) fn several(source: Source<'_>) -> Result<Vec<ServerConfig>, Failure> {
    match source {
        Source::Word(word) if !is_url(word) && !saved::load()?.contains_key(word) => match config_file::parse(word) {
            Some((file, None)) => config_file::servers(file),
            _ => Ok(Vec::new()),
        },
        _ => Ok(Vec::new()),
    }
}

fn resolve_saved(saved: &Saved, connection: &Connection) -> Result<Target, Failure> {
    let connection = saved.combine(connection)?;
    let kind = find(saved.source()?, &connection, saved.folder.as_deref())?;
    Ok(Target { kind, connection })
}

/// Finds a server. `folder` is the working directory of a saved command.
fn find(source: Source<'_>, connection: &Connection, folder: Option<&Path>) -> Result<Kind, Failure> {
    let word = match source {
        Source::Word(word) => word,
        Source::Command(words) => {
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]);
            if let Some(folder) = folder {
                command.current_dir(folder);
            }
            return Ok(Kind::Command(command));
        }
    };
    if is_url(word) {
        return Ok(Kind::Url(word.to_owned()));
    }
    if let Some((file, object)) = python::parse(word) {
        return python::command(file, object, connection.python.as_deref()).map(Kind::Command);
    }
    if let Some((host, name)) = host::parse(word) {
        return host::server(host, name).map(Kind::Config);
    }
    if let Some((file, name)) = config_file::parse(word) {
        return config_file::server(file, name).map(Kind::Config);
    }
    if let Some(command) = cargo::find(word, folder)? {
        return Ok(Kind::Command(command));
    }
    Err(unknown(word))
}

/// Describes a word that is not a target.
fn unknown(word: &str) -> Failure {
    let names = saved::load().unwrap_or_default();
    let shown = excerpt(word);
    let remedy = if let Some(name) = closest(word, names.keys().map(String::as_str)) {
        format!("did you mean the saved name `{name}`?")
    } else if Path::new(word).is_file() {
        format!("to start this program, write it after `--`: `mcp VERB … -- {shown}`")
    } else if word.contains(':') || word.starts_with("localhost") {
        format!("a URL starts with http:// or https://: `http://{shown}`")
    } else {
        "to start a command, write it after `--`; `mcp names` lists saved names".to_owned()
    };
    Failure::usage(format!(
        "cannot find the target `{shown}`: it is not a URL, a Python or configuration file, a saved name, or a target of \
         the Cargo workspace; {remedy}"
    ))
}
