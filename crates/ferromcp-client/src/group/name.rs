//! Names with a server prefix.

use crate::error::{ClientError, ErrorKind};

/// Separator between the name of a server and the name of an item.
const SEPARATOR: char = '_';

/// Validates the name of a server, which becomes part of the names of tools.
pub(super) fn check(name: &str) -> Result<(), ClientError> {
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
pub(super) fn joined(server: &str, name: &str) -> String {
    format!("{server}{SEPARATOR}{name}")
}

/// Returns the name of an item on `server`, if `joined` has its prefix.
pub(super) fn strip_server<'a>(server: &str, joined: &'a str) -> Option<&'a str> {
    joined.strip_prefix(server)?.strip_prefix(SEPARATOR)
}
