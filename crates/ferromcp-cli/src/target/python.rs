//! Python files: `server.py` or `server.py:object`.
//!
//! A small program imports the file, finds the server object and runs it on stdio, as `mcp run` and `fastmcp run` do. It
//! supports the packages `mcp` 1.x and 2.x, and `fastmcp`.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use ferromcp_core::text::excerpt;

use crate::exit::Failure;

/// The program that runs a file. Its arguments are the file, and the object or an empty text.
pub(super) const BOOTSTRAP: &str = include_str!("bootstrap.py");

/// The part of a file in which its dependencies (PEP 723) are searched, in bytes.
const MAX_HEAD: u64 = 64 << 10;

/// Returns the file and the name of the object, if the word is a Python file.
pub(super) fn parse(word: &str) -> Option<(&Path, Option<&str>)> {
    if let Some((file, object)) = word.rsplit_once(".py:") {
        return Some((Path::new(&word[..file.len() + 3]), Some(object).filter(|name| !name.is_empty())));
    }
    let path = Path::new(word);
    path.extension().is_some_and(|end| end == "py").then_some((path, None))
}

/// Returns the command that runs a file.
///
/// # Errors
/// Fails if the file or an interpreter does not exist.
pub(super) fn command(file: &Path, object: Option<&str>, python: Option<&Path>) -> Result<Command, Failure> {
    let mut head = Vec::new();
    File::open(file).and_then(|open| open.take(MAX_HEAD).read_to_end(&mut head)).map_err(|error| {
        let file = file.display().to_string();
        Failure::usage(format!("cannot read the Python file `{}`: {error}; check the path", excerpt(&file)))
    })?;
    let mut command = match python {
        Some(python) => Command::new(python),
        None => match search("uv") {
            Some(uv) => with_uv(&uv, file, &head),
            None => Command::new(interpreter(file)?),
        },
    };
    command.arg("-c").arg(BOOTSTRAP).arg(file).arg(object.unwrap_or_default());
    Ok(command)
}

/// Returns `uv run … python`, which installs the dependencies of the project or of the file.
fn with_uv(uv: &Path, file: &Path, head: &[u8]) -> Command {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut command = Command::new(uv);
    command.args(["run", "--quiet"]);
    // Dependencies in the file replace those of a project around it, as with `uv run server.py`.
    if has_dependencies(head) {
        command.arg("--no-project").arg("--with-requirements").arg(file);
    } else {
        command.arg("--project").arg(folder);
    }
    command.arg("python");
    command
}

/// Returns whether a file has a block of dependencies (PEP 723).
fn has_dependencies(head: &[u8]) -> bool {
    String::from_utf8_lossy(head).lines().any(|line| line.trim_end() == "# /// script")
}

/// Returns the interpreter: that of the active environment, of `.venv` next to the file or above, or of `PATH`.
fn interpreter(file: &Path) -> Result<PathBuf, Failure> {
    let of_environment = |folder: &Path| {
        let python =
            if cfg!(windows) { folder.join("Scripts").join("python.exe") } else { folder.join("bin").join("python") };
        python.is_file().then_some(python)
    };
    if let Some(python) = env::var_os("VIRTUAL_ENV").and_then(|folder| of_environment(Path::new(&folder))) {
        return Ok(python);
    }
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let local = file.ancestors().skip(1).find_map(|folder| of_environment(&folder.join(".venv")));
    local.or_else(|| search("python3")).or_else(|| search("python")).ok_or_else(|| {
        Failure::usage("cannot start the Python file: neither uv nor Python is in PATH; install one, or set `--python`")
    })
}

/// Searches a program in `PATH`.
fn search(name: &str) -> Option<PathBuf> {
    let name = OsString::from(format!("{name}{}", env::consts::EXE_SUFFIX));
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(&name)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_into_file_and_object() {
        let parsed = |word| parse(word).map(|(file, object)| (file.to_str().unwrap(), object));
        assert_eq!(parsed("server.py"), Some(("server.py", None)));
        assert_eq!(parsed("a/server.py:app"), Some(("a/server.py", Some("app"))));
        assert_eq!(parsed(r"C:\server.py:app"), Some((r"C:\server.py", Some("app"))));
        assert_eq!(parsed("server.py:"), Some(("server.py", None)));
        assert_eq!(parsed("server"), None);
        assert_eq!(parsed("server.pyc"), None);
    }

    #[test]
    fn dependencies_in_the_file_are_found() {
        assert!(has_dependencies(b"#!/usr/bin/env python\n# /// script\n# dependencies = [\"mcp\"]\n# ///\n"));
        assert!(!has_dependencies(b"text = '''\n  # /// script\n'''\n"));
    }
}
