//! Examples, binaries and packages of the Cargo workspace of the current folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ferromcp_core::text::{escape, excerpt};
use serde::Deserialize;

use crate::exit::{Exit, Failure};
use crate::terminal::{clear_bar, draw_bar, has_bar_support};

/// The output of `cargo metadata`.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    default_run: Option<String>,
    targets: Vec<CargoTarget>,
}

#[derive(Debug, Deserialize)]
struct CargoTarget {
    name: String,
    kind: Vec<String>,
    #[serde(default, rename = "required-features")]
    required_features: Vec<String>,
}

/// A message of `cargo build`.
#[derive(Debug, Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    target: Option<CargoTarget>,
}

/// A program of the workspace.
#[derive(Debug, Clone, Copy)]
struct Program<'a> {
    package: &'a Package,
    target: &'a CargoTarget,
}

/// Builds the example, binary or package with this name. Returns `None` if no program has this name.
///
/// # Errors
/// Fails if the name is ambiguous, or the build fails; its errors are part of the text.
pub(super) fn find(name: &str, folder: Option<&Path>) -> Result<Option<Command>, Failure> {
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    let start = folder.map_or_else(std::env::current_dir, |folder| Ok(folder.to_owned()));
    let Some(start) = start.ok().filter(|_| is_name) else { return Ok(None) };
    if !start.ancestors().any(|folder| folder.join("Cargo.toml").is_file()) {
        return Ok(None);
    }
    let metadata = metadata(&start)?;
    let Some(program) = select(&metadata, name)? else { return Ok(None) };
    let mut command = Command::new(build(&start, program)?);
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    Ok(Some(command))
}

/// Returns the folders of the packages of the Cargo workspace. Empty without a workspace.
pub(super) fn package_folders(folder: Option<&Path>) -> Vec<PathBuf> {
    let start = folder.map_or_else(std::env::current_dir, |folder| Ok(folder.to_owned()));
    let Some(metadata) = start.ok().and_then(|start| metadata(&start).ok()) else { return Vec::new() };
    let folders = metadata.packages.iter().filter_map(|package| package.manifest_path.parent());
    folders.map(Path::to_owned).collect()
}

fn cargo(folder: &Path) -> Command {
    // Cargo sets the variable for its subcommands and for the programs that it runs.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).stdin(Stdio::null());
    command
}

fn metadata(folder: &Path) -> Result<Metadata, Failure> {
    let output = cargo(folder).args(["metadata", "--no-deps", "--format-version=1"]).output();
    let output = output.map_err(|error| failed(&format!("cannot run cargo: {error}; install Rust")))?;
    if !output.status.success() {
        return Err(failed(&format!("cannot read the Cargo workspace: {}", String::from_utf8_lossy(&output.stderr))));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(&format!("cannot read `cargo metadata`: {error}")))
}

fn failed(text: &str) -> Failure {
    Failure::new(Exit::Connect, text.trim_end())
}

/// Selects an example, else a binary, else the binary of a package.
fn select<'a>(metadata: &'a Metadata, name: &str) -> Result<Option<Program<'a>>, Failure> {
    let programs = |kind: &'static str| {
        let packages = metadata.packages.iter();
        packages
            .flat_map(|package| package.targets.iter().map(move |target| Program { package, target }))
            .filter(move |program| program.target.kind.iter().any(|it| it == kind))
    };
    for kind in ["example", "bin"] {
        let found: Vec<Program<'_>> = programs(kind).filter(|program| program.target.name == name).collect();
        match found.as_slice() {
            [] => {}
            [program] => return Ok(Some(*program)),
            several => {
                let packages: Vec<&str> = several.iter().map(|program| program.package.name.as_str()).collect();
                let packages = packages.join(", ");
                return Err(Failure::usage(format!(
                    "the {kind} `{name}` is in several packages: {packages}; start it as a command, `-- cargo run …`"
                )));
            }
        }
    }
    let binaries: Vec<Program<'_>> = programs("bin").filter(|program| program.package.name == name).collect();
    let is_default = |program: &&Program<'_>| program.package.default_run.as_ref() == Some(&program.target.name);
    match binaries.as_slice() {
        [] => Ok(None),
        [program] => Ok(Some(*program)),
        several => {
            if let Some(program) = several.iter().find(is_default) {
                return Ok(Some(*program));
            }
            let names: Vec<&str> = several.iter().map(|program| program.target.name.as_str()).collect();
            let names = names.join(", ");
            Err(Failure::usage(format!("the package `{name}` has several binaries; name one of: {names}")))
        }
    }
}

/// Builds a program and returns its path.
fn build(folder: &Path, program: Program<'_>) -> Result<PathBuf, Failure> {
    let Program { package, target } = program;
    let kind = if target.kind.iter().any(|kind| kind == "example") { "--example" } else { "--bin" };
    if has_bar_support() {
        draw_bar(&format!("building {}…", target.name));
    }
    let mut command = cargo(folder);
    command.args(["build", "--quiet", "--message-format=json-render-diagnostics"]);
    command.args(["--package", &package.name, kind, &target.name]);
    if !target.required_features.is_empty() {
        command.args(["--features", &target.required_features.join(",")]);
    }
    let output = command.output().map_err(|error| failed(&format!("cannot run cargo: {error}; install Rust")));
    drop(clear_bar());
    let output = output?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(failed(&format!("cannot build `{}`:\n{}", target.name, escape(&errors))));
    }
    let lines = output.stdout.split(|byte| *byte == b'\n');
    let messages = lines.filter_map(|line| serde_json::from_slice::<Message>(line).ok());
    let is_same = |built: &CargoTarget| built.name == target.name && built.kind == target.kind;
    let executables = messages.filter(|message| message.target.as_ref().is_some_and(is_same));
    executables.filter_map(|message| message.executable).next_back().ok_or_else(|| {
        failed(&format!("cannot find the program of `{}`: cargo did not report its path", excerpt(&target.name)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        let target = |name: &str, kind: &str| serde_json::json!({ "name": name, "kind": [kind] });
        serde_json::from_value(serde_json::json!({ "packages": [
            { "name": "one", "targets": [target("lib", "lib"), target("demo", "example"), target("one-server", "bin")] },
            { "name": "two", "targets": [target("demo", "bin"), target("same", "bin")] },
            { "name": "three", "default_run": "b", "targets": [target("a", "bin"), target("b", "bin"), target("same", "bin")] },
        ]}))
        .unwrap()
    }

    #[test]
    fn programs_are_selected_by_name() {
        let metadata = metadata();
        let found =
            |name| select(&metadata, name).map(|it| it.map(|it| (it.package.name.as_str(), it.target.name.as_str())));
        assert_eq!(found("demo").unwrap(), Some(("one", "demo")));
        assert_eq!(found("one").unwrap(), Some(("one", "one-server")));
        assert_eq!(found("three").unwrap(), Some(("three", "b")));
        assert_eq!(found("lib").unwrap(), None);
        assert!(found("same").unwrap_err().to_string().contains("several packages: two, three"));
        assert!(found("two").unwrap_err().to_string().contains("name one of: demo, same"));
    }
}
