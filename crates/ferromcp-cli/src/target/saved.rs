//! Names saved by `mcp add`, in the file `targets.json` of the configuration folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::source::{Source, is_url};
use crate::cli::{Connection, EraArg, Hidden};
use crate::config_folder::config_folder;
use crate::exit::Failure;

/// Maximum size of the file, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Maximum length of a name, in characters.
const MAX_NAME: usize = 64;

/// A saved target with its options, as written on the command line.
///
/// Headers and variables can contain secrets, so the file is readable by its owner only.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Saved {
    /// A URL, a Python or configuration file with an absolute path, or a Cargo target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
    /// A command that starts a server.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) command: Vec<String>,
    /// The working directory of the command or of Cargo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) folder: Option<PathBuf>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) headers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) env: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) era: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) python: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) roots: Vec<PathBuf>,
}

/// The saved targets by name.
pub(crate) type SavedTargets = BTreeMap<String, Saved>;

impl Saved {
    /// Creates an entry. Paths become absolute, so that the name can be used in every folder.
    ///
    /// # Errors
    /// Fails if the current folder is not known.
    pub(crate) fn new(source: Source<'_>, connection: &Connection) -> Result<Self, Failure> {
        let folder = std::env::current_dir().map_err(|error| {
            Failure::usage(format!("cannot save the target: the current folder is unknown: {error}"))
        })?;
        let (target, command, needs_folder) = match source {
            Source::Command(command) => (None, command.to_vec(), true),
            Source::Word(word) if is_url(word) => (Some(word.to_owned()), Vec::new(), false),
            Source::Word(word) if super::python::parse(word).is_some() || super::config_file::parse(word).is_some() => {
                (Some(folder.join(word).display().to_string()), Vec::new(), false)
            }
            Source::Word(word) => (Some(word.to_owned()), Vec::new(), true),
        };
        let absolute = |path: &PathBuf| folder.join(path);
        // A program without a folder is searched in PATH.
        let python = connection.python.as_ref();
        let python = python.map(|path| if path.components().count() > 1 { absolute(path) } else { path.clone() });
        Ok(Self {
            target,
            command,
            headers: written(&connection.headers),
            env: written(&connection.env),
            era: connection.era.and_then(|era| era.to_possible_value()).map(|value| value.get_name().to_owned()),
            python,
            timeout: connection.timeout.map(|time| time.as_secs_f64()),
            roots: connection.roots.iter().map(absolute).collect(),
            folder: needs_folder.then_some(folder),
        })
    }

    /// Returns the target.
    ///
    /// # Errors
    /// Fails if the entry has neither a target nor a command, because the file was edited.
    pub(crate) fn source(&self) -> Result<Source<'_>, Failure> {
        match &self.target {
            Some(target) => Ok(Source::Word(target)),
            None if !self.command.is_empty() => Ok(Source::Command(&self.command)),
            None => {
                Err(Failure::usage("the saved name has neither a target nor a command; save it again with `mcp add`"))
            }
        }
    }

    /// Combines the saved options with those of the command line, which take precedence.
    pub(super) fn combine(&self, given: &Connection) -> Result<Connection, Failure> {
        let era = match &self.era {
            Some(era) => {
                Some(EraArg::from_str(era, true).map_err(|error| Failure::usage(format!("saved era: {error}")))?)
            }
            None => None,
        };
        let timeout = self.timeout.and_then(|time| std::time::Duration::try_from_secs_f64(time).ok());
        let hidden = |saved: &[String], given: &[Hidden]| -> Vec<Hidden> {
            saved.iter().cloned().map(Hidden).chain(given.iter().cloned()).collect()
        };
        Ok(Connection {
            era: given.era.or(era),
            headers: hidden(&self.headers, &given.headers),
            env: hidden(&self.env, &given.env),
            timeout: given.timeout.or(timeout),
            python: given.python.clone().or_else(|| self.python.clone()),
            roots: if given.roots.is_empty() { self.roots.clone() } else { given.roots.clone() },
            verbose: given.verbose,
        })
    }

    /// Returns the target as one line. The values of headers and variables are not included.
    pub(crate) fn describe(&self) -> String {
        match &self.target {
            Some(target) => target.clone(),
            None => format!("-- {}", self.command.join(" ")),
        }
    }
}

impl std::fmt::Debug for Saved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Saved").field("target", &self.target).finish_non_exhaustive()
    }
}

fn written(values: &[Hidden]) -> Vec<String> {
    values.iter().map(|value| value.0.clone()).collect()
}

/// Checks a name: letters, digits, `-`, `_` and `.`, so that it differs from URLs and paths.
///
/// # Errors
/// Fails if the name is invalid, or is that of a file type.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_file = super::python::parse(name).is_some() || super::config_file::parse(name).is_some();
    if !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(is_allowed) && !is_file {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "cannot save the name `{}`: a name has 1 to {MAX_NAME} letters, digits, `-`, `_` and `.`, and does not end like a \
         file; choose another name",
        ferromcp_core::text::excerpt(name)
    )))
}

fn path() -> Result<PathBuf, Failure> {
    Ok(config_folder()?.join("targets.json"))
}

/// Reads the saved targets. Empty if the file or the configuration folder does not exist.
///
/// # Errors
/// Fails if the file cannot be read. The error does not quote the file, which can contain secrets.
pub(crate) fn load() -> Result<SavedTargets, Failure> {
    let Ok(path) = path() else { return Ok(SavedTargets::new()) };
    let failed =
        |cause: &str| Failure::usage(format!("cannot read `{}`: {cause}; repair or remove it", path.display()));
    let text = match fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(SavedTargets::new()),
        Ok(metadata) if metadata.len() > MAX_FILE => return Err(failed(&format!("it exceeds {MAX_FILE} bytes"))),
        _ => fs::read_to_string(&path).map_err(|error| failed(&error.to_string()))?,
    };
    serde_json::from_str(&text)
        .map_err(|error| failed(&format!("invalid content in line {}, column {}", error.line(), error.column())))
}

/// Replaces the saved targets.
///
/// # Errors
/// Fails if the file cannot be written.
pub(crate) fn store(targets: &SavedTargets) -> Result<(), Failure> {
    let path = path()?;
    let text = crate::output::to_json(targets)?;
    replace(&path, &text).map_err(|error| Failure::usage(format!("cannot write `{}`: {error}", path.display())))
}

/// Replaces a file atomically. On Unix, only its owner can read it.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    // The file has mode 0600 from the start.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(file, "{text}")?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_from_other_targets() {
        for name in ["github", "my-server.2", "A_b"] {
            check_name(name).unwrap();
        }
        for name in ["", "a b", "http://x", "a/b", "claude-code:x", "server.py", "mcp.json", &"x".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn saved_options_are_combined_with_given_ones() {
        let connection = Connection {
            era: Some(EraArg::Legacy),
            headers: vec![Hidden("A: 1".into())],
            timeout: Some(std::time::Duration::from_secs(5)),
            ..Connection::default()
        };
        let saved = Saved::new(Source::Word("https://example.com/mcp"), &connection).unwrap();
        let text = serde_json::to_string(&saved).unwrap();
        assert_eq!(text, r#"{"target":"https://example.com/mcp","headers":["A: 1"],"era":"legacy","timeout":5.0}"#);
        let saved: Saved = serde_json::from_str(&text).unwrap();
        let given =
            Connection { era: Some(EraArg::Modern), headers: vec![Hidden("B: 2".into())], ..Connection::default() };
        let combined = saved.combine(&given).unwrap();
        assert_eq!((combined.era, combined.headers.len()), (Some(EraArg::Modern), 2));
        assert_eq!(combined.timeout, connection.timeout);
        assert!(!format!("{saved:?}{combined:?}").contains(": 1"));
    }
}
