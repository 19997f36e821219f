//! How the name of a server and the name of something it has become one name, and two again.

use crate::error::{ClientError, ErrorKind};

/// What stands between the two.
const SEPARATOR: char = '_';

/// Whether a server may have this name: it becomes part of the names of tools.
pub(super) fn check(name: &str) -> Result<(), ClientError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !name.is_empty() && name.chars().all(legal) {
        return Ok(());
    }
    let message =
        format!("a server named `{name}`: names in a group have letters, digits, `_`, `-` and `.`; rename it");
    Err(ClientError::new(ErrorKind::Invalid, message))
}

/// One name of two.
pub(super) fn joined(server: &str, name: &str) -> String {
    format!("{server}{SEPARATOR}{name}")
}

/// What `joined` is called at `server`, if it is there.
pub(super) fn part<'a>(server: &str, joined: &'a str) -> Option<&'a str> {
    joined.strip_prefix(server)?.strip_prefix(SEPARATOR)
}
