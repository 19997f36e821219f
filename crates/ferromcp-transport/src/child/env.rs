//! The environment of a child process: a small set of inherited variables, or all of them.

use std::ffi::{OsStr, OsString};

use tokio::process::Command;

/// Variables that a child process inherits by default: those that programs need to start and to find their files. Others,
/// such as the API keys of a host, are not passed on to every server.
#[cfg(not(windows))]
const INHERITED: [&str; 6] = ["HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER"];
/// Variables that a child process inherits by default: those that programs need to start and to find their files. Others,
/// such as the API keys of a host, are not passed on to every server.
#[cfg(windows)]
const INHERITED: [&str; 11] = [
    "APPDATA",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "PATH",
    "PROCESSOR_ARCHITECTURE",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "USERNAME",
    "USERPROFILE",
];

/// Returns the variables of this process that a child process inherits by default: `HOME`, `LOGNAME`, `PATH`, `SHELL`,
/// `TERM` and `USER`; on Windows `APPDATA`, `HOMEDRIVE`, `HOMEPATH`, `LOCALAPPDATA`, `PATH`, `PROCESSOR_ARCHITECTURE`,
/// `SYSTEMDRIVE`, `SYSTEMROOT`, `TEMP`, `USERNAME` and `USERPROFILE`.
///
/// The Python and TypeScript SDKs inherit the same ones. Values that start with `()` are omitted, because some shells
/// execute them as functions.
pub fn default_env() -> impl Iterator<Item = (&'static str, OsString)> {
    INHERITED.into_iter().filter_map(|name| Some((name, std::env::var_os(name).filter(is_inert)?)))
}

/// Returns whether a value is not a shell function.
fn is_inert(value: &OsString) -> bool {
    !value.as_encoded_bytes().starts_with(b"()")
}

/// Replaces the inherited environment of a command by [`default_env`]. Variables that the command sets or removes stay
/// set or removed. A command with a cleared environment inherits nothing.
pub(super) fn restrict(command: &mut Command) {
    if is_cleared(command) {
        return;
    }
    let owned = |(name, value): (&OsStr, Option<&OsStr>)| (name.to_owned(), value.map(OsStr::to_owned));
    let given: Vec<(OsString, Option<OsString>)> = command.as_std().get_envs().map(owned).collect();
    command.env_clear();
    for (name, value) in default_env() {
        if !given.iter().any(|(other, _)| is_same(other, name)) {
            command.env(name, value);
        }
    }
    for (name, value) in given {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
}

/// Returns whether the environment of the command was cleared. Then the command does not record the removal of a variable,
/// because no variable is inherited.
fn is_cleared(command: &mut Command) -> bool {
    const ABSENT: &str = "FERROMCP_NO_SUCH_VARIABLE";
    command.env_remove(ABSENT);
    !command.as_std().get_envs().any(|(name, _)| name == ABSENT)
}

/// Returns whether two names denote the same variable.
fn is_same(name: &OsStr, other: &str) -> bool {
    if cfg!(windows) { name.eq_ignore_ascii_case(other) } else { name == other }
}

#[cfg(test)]
mod tests {
    use super::*;

    // C16
    #[test]
    fn restrict_preserves_given_variables_and_removals() {
        let mut command = Command::new("server");
        command.env("TOKEN", "t").env("HOME", "/given").env_remove("PATH");
        restrict(&mut command);
        let envs: Vec<_> = command.as_std().get_envs().collect();
        let value = |name: &str| envs.iter().find(|(other, _)| is_same(other, name)).and_then(|(_, value)| *value);
        assert_eq!((value("TOKEN"), value("HOME")), (Some("t".as_ref()), Some("/given".as_ref())));
        assert_eq!(value("PATH"), None);
        let inherited = |name: &OsStr| INHERITED.iter().any(|other| is_same(name, other)) || name == "TOKEN";
        assert!(envs.iter().all(|(name, _)| inherited(name)), "{envs:?}");
    }

    // C16
    #[test]
    fn restrict_adds_nothing_when_environment_is_cleared() {
        let mut command = Command::new("server");
        command.env_clear().env("TOKEN", "t");
        restrict(&mut command);
        assert_eq!(command.as_std().get_envs().collect::<Vec<_>>(), [("TOKEN".as_ref(), Some("t".as_ref()))]);
    }

    #[test]
    fn shell_functions_are_not_inherited() {
        assert!(is_inert(&OsString::from("/bin/sh")) && is_inert(&OsString::from("")));
        assert!(!is_inert(&OsString::from("() { :;}; echo owned")));
    }
}
