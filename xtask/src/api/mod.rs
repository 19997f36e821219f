//! `cargo xtask api`: the committed listing of the public API, and the foreign types in it.
//!
//! rustdoc's JSON output is rendered to one text file per published crate in `docs/api/`, one line per item. The check
//! fails if a listing differs from the sources, so that a diff shows every change of the API, or if a signature exposes a
//! type of a crate that `docs/api/foreign-crates.txt` does not allow. `cargo xtask api --write` updates the listings.
//!
//! rustdoc's JSON format is unstable; with a compiler of another format version the check is skipped.

mod listing;
mod render;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::outcome::Outcome;
use crate::shell;

/// The version of rustdoc's JSON format that [`listing`] reads.
const FORMAT: u64 = 57;

/// The directory of the listings, from the workspace root.
const DIRECTORY: &str = "docs/api";

/// The published library crates.
const CRATES: [&str; 9] = [
    "ferromcp",
    "ferromcp-auth",
    "ferromcp-client",
    "ferromcp-core",
    "ferromcp-json-schema",
    "ferromcp-macros",
    "ferromcp-server",
    "ferromcp-transport",
    "ferromcp-uri-template",
];

/// Compares the committed listings with the sources.
///
/// # Errors
/// Names each listing that differs, with its first different line, and each foreign crate that is not allowed.
pub(crate) fn check(root: &Path) -> Result<Outcome> {
    compare(root, false)
}

/// Runs `cargo xtask api`; with `--write` it updates the listings.
///
/// # Errors
/// Fails on an unknown option, or as the check does.
pub fn run(root: &Path, args: &[String]) -> Result<Outcome> {
    match args {
        [] => check(root),
        [option] if option == "--write" => compare(root, true),
        other => bail!("unknown options {other:?}; `cargo xtask api` accepts `--write`"),
    }
}

fn compare(root: &Path, write: bool) -> Result<Outcome> {
    let directory = root.join(DIRECTORY);
    let allowed = allowed_crates(&directory.join("foreign-crates.txt"))?;
    let metadata = shell::metadata(root)?;
    let target = metadata["target_directory"].as_str().context("`cargo metadata` reports no target directory")?;
    let mut problems = Vec::new();
    let mut count = 0;
    for name in CRATES {
        let json = rustdoc_json(root, Path::new(target), name)?;
        let format = json["format_version"].as_u64().unwrap_or_default();
        if format != FORMAT {
            let reason =
                format!("this compiler writes rustdoc JSON format {format}; the listing is made from {FORMAT}");
            return Ok(Outcome::Skipped { reason, excused: true });
        }
        let api = listing::Api::read(&json);
        count += api.lines.len();
        for foreign in api.foreign.difference(&allowed) {
            problems.push(format!(
                "{name} exposes types of the crate `{foreign}`; hide them, or allow the crate in \
                 {DIRECTORY}/foreign-crates.txt with a reason"
            ));
        }
        let path = directory.join(format!("{name}.txt"));
        let text = api.lines.join("\n") + "\n";
        if write {
            fs::write(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
        } else if let Some(difference) = first_difference(&fs::read_to_string(&path).unwrap_or_default(), &text) {
            problems.push(format!("the public API of {name} changed ({difference}); run `cargo xtask api --write`"));
        }
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(Outcome::Noted(format!("{count} public items")))
}

/// Documents one crate as JSON. Needs the unstable output format, hence `RUSTC_BOOTSTRAP`.
fn rustdoc_json(root: &Path, target: &Path, name: &str) -> Result<Value> {
    let args = ["rustdoc", "--quiet", "--locked", "--package", name, "--lib", "--all-features", "--"];
    let unstable = ["-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"];
    shell::run(shell::cargo(root, &args).args(unstable).env("RUSTC_BOOTSTRAP", "1"))?;
    let path = target.join("doc").join(format!("{}.json", name.replace('-', "_")));
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("cannot parse {}", path.display()))
}

/// Reads the allowed foreign crates: one `name: reason` per line.
fn allowed_crates(path: &Path) -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| match line.split_once(": ") {
            Some((name, reason)) if !reason.trim().is_empty() => Ok(name.to_owned()),
            _ => bail!("{}: write `crate: reason`, not {line:?}", path.display()),
        })
        .collect()
}

fn first_difference(committed: &str, current: &str) -> Option<String> {
    let old: BTreeSet<&str> = committed.lines().collect();
    let new: BTreeSet<&str> = current.lines().collect();
    let removed = old.difference(&new).next().map(|line| format!("removed `{line}`"));
    removed.or_else(|| new.difference(&old).next().map(|line| format!("added `{line}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_difference_names_added_and_removed_lines() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\n", "a\nb\n").as_deref(), Some("added `b`"));
        assert_eq!(first_difference("a\nb\n", "a\n").as_deref(), Some("removed `b`"));
    }
}
