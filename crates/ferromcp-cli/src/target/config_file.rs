//! Configuration files with the key `mcpServers` or `servers`: `file.json` or `file.json#name`.

use std::path::Path;

use ferromcp_client::config::{Config, ServerConfig};
use ferromcp_core::text::excerpt;

use crate::exit::Failure;

/// Maximum number of names in an error.
const MAX_NAMES: usize = 20;

/// Returns the file and the name of the entry, if the word is a configuration file.
pub(super) fn parse(word: &str) -> Option<(&Path, Option<&str>)> {
    let has_extension = |file: &str| Path::new(file).extension().is_some_and(|end| end == "json" || end == "jsonc");
    match word.split_once('#') {
        Some((file, name)) if has_extension(file) => Some((Path::new(file), Some(name))),
        _ => has_extension(word).then_some((Path::new(word), None)),
    }
}

/// Returns the enabled servers of a file with several; none for a file with one. An invalid entry is skipped with a warning.
///
/// # Errors
/// Fails if the file is missing or invalid, or all of its servers are disabled or invalid.
pub(super) fn servers(file: &Path) -> Result<Vec<ServerConfig>, Failure> {
    let config = Config::read(file)?;
    let mut servers = Vec::new();
    for entry in config.entries().filter(|entry| !entry.is_disabled()) {
        match entry.resolve() {
            Ok(server) => servers.push(server),
            Err(error) if config.entries().len() == 1 => return Err(error.into()),
            Err(error) => tracing::warn!("skipped a server: {error}"),
        }
    }
    if servers.is_empty() {
        let file = file.display();
        return Err(Failure::usage(format!(
            "cannot use `{file}`: all of its servers are disabled or invalid; enable one"
        )));
    }
    Ok(if config.entries().len() == 1 { Vec::new() } else { servers })
}

/// Returns an entry. The name can be omitted if there is only one.
///
/// # Errors
/// Fails if the file or the entry is missing or invalid.
pub(super) fn server(file: &Path, name: Option<&str>) -> Result<ServerConfig, Failure> {
    let config = Config::read(file)?;
    if let Some(name) = name {
        return Ok(config.server(name)?);
    }
    let mut entries = config.entries();
    match (entries.next(), entries.next()) {
        (Some(entry), None) => Ok(entry.resolve()?),
        (None, _) => Err(Failure::usage(format!("cannot use `{}`: it has no servers; add one", file.display()))),
        _ => {
            let names: Vec<String> =
                config.entries().take(MAX_NAMES).map(|entry| excerpt(entry.name()).to_string()).collect();
            let (file, names) = (file.display(), names.join(", "));
            Err(Failure::usage(format!("`{file}` has several servers; write `{file}#NAME` with one of: {names}")))
        }
    }
}
