//! The layering rule: a crate depends only on crates of lower layers.
//!
//! Cargo rejects dependency cycles, but not dependencies within a layer or on a higher layer. Dev-dependencies are exempt.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Violation;
use crate::shell;

/// A package of the workspace, reduced to the fields the layering rule needs.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: String,
    /// The manifest path, relative to the workspace root.
    pub(super) manifest: String,
    /// The names of normal and build dependencies.
    pub(super) dependencies: Vec<String>,
}

/// Reads the packages of the workspace from `cargo metadata`.
pub(super) fn packages(root: &Path) -> Result<Vec<Package>> {
    let metadata = shell::metadata(root)?;
    let listed = metadata["packages"].as_array().context("cargo metadata lists packages")?;
    Ok(listed.iter().map(|package| from_metadata(package, root)).collect())
}

pub(super) fn check(packages: &[Package]) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in packages {
        for dependency in package.dependencies.iter().filter(|d| packages.iter().any(|p| p.name == **d)) {
            if let Some(message) = check_dependency(&package.name, dependency) {
                found.push(Violation::new(&package.manifest, 1, message));
            }
        }
    }
    found
}

/// Returns the violation when `package` must not depend on `dependency`.
fn check_dependency(package: &str, dependency: &str) -> Option<String> {
    let (from, to) = (layer(package), layer(dependency));
    (to >= from).then(|| {
        format!(
            "{package} (layer {from}) depends on {dependency} (layer {to}); depend only on lower layers, and move shared \
             code into a lower layer"
        )
    })
}

fn layer(package: &str) -> u8 {
    match package {
        "ferromcp-core"
        | "ferromcp-json-schema"
        | "ferromcp-macros"
        | "ferromcp-transport"
        | "ferromcp-uri-template" => 1,
        "ferromcp-server" | "ferromcp-client" => 2,
        "ferromcp-auth" => 3,
        "ferromcp" => 4,
        _ => 5,
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
