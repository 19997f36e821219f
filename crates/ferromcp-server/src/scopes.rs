//! The syntax of OAuth scopes.

use ferromcp_core::text::excerpt;

/// Checks that scopes can be sent in a challenge (RFC 6749, section 3.3).
///
/// # Errors
/// Returns a message that names the invalid scope.
pub(crate) fn check_scopes(scopes: &[String]) -> Result<(), String> {
    let is_valid =
        |scope: &str| !scope.is_empty() && scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    match scopes.iter().find(|scope| !is_valid(scope)) {
        None => Ok(()),
        Some(scope) => Err(format!(
            "scope \"{}\" is not valid: use printable ASCII characters except spaces, quotes and backslashes",
            excerpt(scope)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_validated() {
        assert!(check_scopes(&["files:read".into(), "https://example.com/scope".into()]).is_ok());
        for scope in ["", "a b", "a\"", "a\\", "\u{e9}", "a\r\nb"] {
            assert!(check_scopes(&[scope.into()]).is_err(), "{scope:?}");
        }
    }
}
