//! Packages that a Python file declares for its server: the argument `dependencies` of the server object, and the entry of a
//! `fastmcp.json` next to the file.
//!
//! The file is parsed, not run: it can import the packages that are not installed yet. uv reads the dependencies in a
//! comment of the file (PEP 723) and in `pyproject.toml` itself.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ferromcp_core::text::excerpt;
use serde::Deserialize;
use tokio::io::AsyncReadExt;

use super::python::BOOTSTRAP;
use crate::terminal;

/// The program that parses a file.
const PARSER: &str = include_str!("packages.py");
/// Time after which the parser is killed. uv can install the dependencies of the project first.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum size of the output of the parser and of `fastmcp.json`, in bytes.
const MAX_OUTPUT: u64 = 64 << 10;
/// Maximum number of packages.
const MAX_PACKAGES: usize = 100;

/// The output of the parser.
#[derive(Debug, Deserialize)]
struct Parsed {
    packages: Vec<String>,
    /// Whether all dependencies are literals.
    is_complete: bool,
    /// The requirement of the SDK that the file imports.
    sdk: Option<String>,
}

/// A `fastmcp.json`.
#[derive(Debug, Deserialize)]
struct FastmcpConfig {
    source: FastmcpSource,
    #[serde(default)]
    environment: FastmcpEnvironment,
}

#[derive(Debug, Deserialize)]
struct FastmcpSource {
    path: String,
}

#[derive(Debug, Default, Deserialize)]
struct FastmcpEnvironment {
    #[serde(default)]
    dependencies: Vec<String>,
}

/// Returns the packages that the server of a command requires, if `uv run` starts a Python file.
///
/// The SDK is one of them if the file has neither a project nor a comment with dependencies, as with `mcp install` of the Python
/// SDK. Errors of the file are reported when the server starts.
pub(crate) async fn declared_packages(command: &Command) -> Vec<String> {
    let args: Vec<_> = command.get_args().collect();
    let Some(index) =
        args.iter().position(|arg| *arg == BOOTSTRAP).filter(|_| args.first().is_some_and(|it| *it == "run"))
    else {
        return Vec::new();
    };
    let Some(file) = args.get(index + 1).map(Path::new) else { return Vec::new() };
    let mut parser = Command::new(command.get_program());
    parser.args(args.iter().enumerate().map(|(at, arg)| if at == index { PARSER.as_ref() } else { *arg }));
    let parsed = parse(parser).await;
    let parsed = parsed.unwrap_or(Parsed { packages: Vec::new(), is_complete: true, sdk: None });
    if !parsed.is_complete {
        let name = file.display().to_string();
        terminal::message(format_args!(
            "warning: cannot read the argument `dependencies` in {}: it is not a list of literals; add the packages with \
             `--with`",
            excerpt(&name)
        ));
    }
    let mut packages = parsed.packages;
    for package in of_fastmcp_config(file).unwrap_or_default() {
        if !packages.contains(&package) {
            packages.push(package);
        }
    }
    let has_own = args.contains(&"--no-project".as_ref()) || has_project(file);
    let sdk = parsed.sdk.filter(|sdk| !has_own && packages.iter().all(|package| name(package) != name(sdk)));
    packages.splice(0..0, sdk);
    packages.retain(|package| is_valid(package));
    packages.truncate(MAX_PACKAGES);
    packages
}

/// Returns the name of a package without extras and versions.
pub(crate) fn name(package: &str) -> String {
    let end = package.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(package.len());
    package[..end].to_ascii_lowercase().replace(['_', '.'], "-")
}

/// Returns whether uv reads the text as a package, and not as an option.
fn is_valid(package: &str) -> bool {
    package.starts_with(|c: char| c.is_ascii_alphanumeric()) && !package.contains(char::is_control)
}

/// Runs the parser. `None` if it fails, for example because the file is invalid.
async fn parse(parser: Command) -> Option<Parsed> {
    let mut parser = tokio::process::Command::from(parser);
    parser.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = parser.spawn().ok()?;
    let stdout = child.stdout.take()?;
    let mut output = Vec::new();
    let read = async {
        stdout.take(MAX_OUTPUT).read_to_end(&mut output).await.ok()?;
        child.wait().await.ok()
    };
    tokio::time::timeout(TIMEOUT, read).await.ok()??.success().then_some(())?;
    serde_json::from_slice(&output).ok()
}

/// Returns whether a folder of the file or above has a `pyproject.toml`.
fn has_project(file: &Path) -> bool {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    file.ancestors().skip(1).any(|folder| folder.join("pyproject.toml").is_file())
}

/// Returns the packages in a `fastmcp.json` next to the file, if it describes the file.
fn of_fastmcp_config(file: &Path) -> Option<Vec<String>> {
    let folder = file.parent()?;
    let config = folder.join("fastmcp.json");
    if std::fs::metadata(&config).ok()?.len() > MAX_OUTPUT {
        return None;
    }
    let config: FastmcpConfig = serde_json::from_str(&std::fs::read_to_string(config).ok()?).ok()?;
    let is_same = std::fs::canonicalize(folder.join(&config.source.path)).ok()? == std::fs::canonicalize(file).ok()?;
    is_same.then_some(config.environment.dependencies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_a_package_is_compared_without_versions() {
        for package in ["mcp", "MCP[cli]>=1", "mcp<2", "mcp @ https://example.com/mcp.whl", "mcp;python_version>'3'"] {
            assert_eq!(name(package), "mcp", "{package}");
        }
        assert_eq!(name("Typing_Extensions==4"), "typing-extensions");
        assert!(is_valid("httpx>=0.27") && is_valid("a @ git+https://example.com/a"));
        assert!(!is_valid("--index=x") && !is_valid("") && !is_valid("a\nb"));
    }

    #[test]
    fn packages_of_fastmcp_json_are_read_when_it_describes_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("server.py");
        std::fs::write(&file, "").unwrap();
        std::fs::write(folder.path().join("other.py"), "").unwrap();
        let config =
            r#"{"source": {"path": "./server.py", "entrypoint": "app"}, "environment": {"dependencies": ["httpx"]}}"#;
        std::fs::write(folder.path().join("fastmcp.json"), config).unwrap();
        assert_eq!(of_fastmcp_config(&file), Some(vec!["httpx".to_owned()]));
        assert_eq!(of_fastmcp_config(&folder.path().join("other.py")), None);
        std::fs::write(folder.path().join("fastmcp.json"), "[]").unwrap();
        assert_eq!(of_fastmcp_config(&file), None);
    }
}
