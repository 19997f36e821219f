//! The floors of the house: a crate imports only from floors below its own.
//!
//! Cargo refuses cycles between crates but not a shortcut, and a shortcut is how a plan dies. Dependencies of tests are
//! free: a test may stand wherever it sees best.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Violation;
use crate::shell;

/// One package of the workspace, as far as the floors care.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: String,
    /// Its manifest, from the workspace root.
    pub(super) manifest: String,
    /// Packages of the workspace it is built with.
    pub(super) dependencies: Vec<String>,
}

/// The packages of the workspace, as `cargo metadata` knows them.
pub(super) fn packages(root: &Path) -> Result<Vec<Package>> {
    let metadata = shell::metadata(root)?;
    let listed = metadata["packages"].as_array().context("cargo metadata lists packages")?;
    Ok(listed.iter().map(|package| from_metadata(package, root)).collect())
}

pub(super) fn check(packages: &[Package]) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in packages {
        for dependency in package.dependencies.iter().filter(|d| packages.iter().any(|p| p.name == **d)) {
            if let Some(why) = refuse(&package.name, dependency) {
                found.push(Violation::new(&package.manifest, 1, why));
            }
        }
    }
    found
}

/// Why `package` may not be built with `dependency`, if so.
fn refuse(package: &str, dependency: &str) -> Option<String> {
    let (own, other) = (floor(package), floor(dependency));
    if package == "ferromcp-auth" && dependency != "ferromcp-core" {
        return Some(format!("{package} depends on {dependency}; it plugs in from outside and imports core only"));
    }
    (other >= own).then(|| {
        format!(
            "{package} (floor {own}) depends on {dependency} (floor {other}); import only from floors below, and move \
             what both need down"
        )
    })
}

fn floor(package: &str) -> u8 {
    match package {
        "ferromcp-core" | "ferromcp-transport" | "ferromcp-macros" => 1,
        "ferromcp-server" | "ferromcp-client" | "ferromcp-auth" => 2,
        "ferromcp" => 3,
        _ => 4,
    }
}

fn from_metadata(package: &Value, root: &Path) -> Package {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let manifest = text(&package["manifest_path"]);
    let manifest = Path::new(&manifest).strip_prefix(root).map_or(manifest.clone(), |p| p.display().to_string());
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    Package {
        name: text(&package["name"]),
        manifest,
        dependencies: dependencies.iter().filter(|d| d["kind"] != "dev").map(|d| text(&d["name"])).collect(),
    }
}
