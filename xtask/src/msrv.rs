//! Checks that the minimum supported Rust version (`rust-version`) builds the published crates with the committed lock
//! file.
//!
//! Crates with a higher minimum version, and the features that enable them, are left out: for these, Clippy checks the use of
//! newer items (`incompatible_msrv`), and the resolver the versions of dependencies.
//!
//! The compiler is searched in this order: installed rustup toolchains, Debian packages (unpacked under `target/msrv`,
//! not installed), and a toolchain that rustup downloads.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::outcome::Outcome;
use crate::shell;

/// Debian package names: the compiler, and the prefix of its standard library packages (`-dev` and `-1.85`).
const DEBIAN: [(&str, &str); 2] = [("rustc-web", "libstd-rust-web"), ("rustc", "libstd-rust")];

/// Checks the published crates with the lowest minimum version; skips when that compiler is not available.
pub fn check(root: &Path) -> Result<Outcome> {
    let metadata = shell::metadata(root)?;
    let published = published(&metadata);
    let version = lowest_version(&published)?;
    let (mut command, source) = if rustup_has(&version) {
        (rustup_cargo(root, &version), "rustup's")
    } else if let Some(compiler) = debian_compiler(root, &version)? {
        let mut cargo = shell::cargo(root, &[]);
        // Uses the current cargo with the other compiler; a rustup toolchain override would not change either.
        cargo.env("RUSTC", compiler).env_remove("RUSTC_WRAPPER");
        (cargo, "Debian's")
    } else if install_with_rustup(&version) {
        (rustup_cargo(root, &version), "rustup's")
    } else {
        let reason = format!("rustc {version} is not available from rustup or apt");
        return Ok(Outcome::Skipped { reason, excused: true });
    };
    println!("msrv: with {source} rustc {version}");
    command.args(["check", "--locked"]);
    for package in published.iter().filter(|package| has_rust_version(package, &version)) {
        let name = package["name"].as_str().unwrap_or_default();
        command.args(["--package", name]);
        for feature in features(package, &published, &version) {
            command.args(["--features", &format!("{name}/{feature}")]);
        }
    }
    shell::run(command.env("CARGO_TARGET_DIR", root.join("target").join("msrv").join("build")))?;
    Ok(Outcome::Passed)
}

/// Returns the packages without `publish = false` in their manifest.
fn published(metadata: &Value) -> Vec<&Value> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    packages.iter().filter(|p| p["publish"].as_array().is_none_or(|places| !places.is_empty())).collect()
}

/// Returns the lowest minimum version, such as `1.85`.
fn lowest_version(packages: &[&Value]) -> Result<String> {
    let versions = packages.iter().filter_map(|p| p["rust_version"].as_str());
    let number = |version: &&str| version.split('.').map(|part| part.parse::<u32>().unwrap_or(0)).collect::<Vec<_>>();
    versions.min_by_key(number).map(str::to_owned).context("no published crate declares a rust-version")
}

fn has_rust_version(package: &Value, version: &str) -> bool {
    package["rust_version"].as_str() == Some(version)
}

/// Returns the features of a package that do not enable a published package with another minimum version.
fn features<'a>(package: &'a Value, published: &[&Value], version: &str) -> Vec<&'a str> {
    let newer: Vec<String> = published
        .iter()
        .filter(|other| !has_rust_version(other, version))
        .filter_map(|other| Some(format!("dep:{}", other["name"].as_str()?)))
        .collect();
    let enables_newer = |parts: &Value| {
        let mut parts = parts.as_array().into_iter().flatten().filter_map(Value::as_str);
        parts.any(|part| newer.iter().any(|newer| newer == part))
    };
    let features = package["features"].as_object().into_iter().flatten();
    features.filter(|(_, parts)| !enables_newer(parts)).map(|(name, _)| name.as_str()).collect()
}

fn rustup_has(version: &str) -> bool {
    shell::output(Command::new("rustup").args(["run", version, "rustc", "--version"]).env("RUSTUP_AUTO_INSTALL", "0"))
        .is_ok()
}

fn rustup_cargo(root: &Path, version: &str) -> Command {
    let mut command = Command::new("rustup");
    // The variables of the outer cargo must not affect the inner one.
    command.current_dir(root).env_remove("RUSTC").env_remove("CARGO").args(["run", version, "cargo"]);
    command
}

fn install_with_rustup(version: &str) -> bool {
    if !shell::is_installed("rustup") {
        return false;
    }
    println!("msrv: installing {version} with rustup");
    let args = ["toolchain", "install", version, "--profile", "minimal", "--no-self-update"];
    shell::run(Command::new("rustup").args(args)).is_ok() && rustup_has(version)
}

/// Returns the path of the unpacked Debian compiler, or `None` when apt is missing or lacks this version.
fn debian_compiler(root: &Path, version: &str) -> Result<Option<PathBuf>> {
    let home = root.join("target").join("msrv");
    let compiler = home.join("rustc");
    if shell::output(Command::new(&compiler).arg("--version"))
        .is_ok_and(|version_output| has_version(&version_output, version))
    {
        return Ok(Some(compiler));
    }
    if !shell::is_installed("apt-get") || !shell::is_installed("dpkg") {
        return Ok(None);
    }
    let Some(packages) = find_packages(version).or_else(|| find_packages_after_update(version)) else {
        return Ok(None);
    };
    println!("msrv: unpacking Debian's rustc {version} under target/msrv");
    let (debs, tree) = (home.join("debs"), home.join("tree"));
    for folder in [&debs, &tree] {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder)?;
    }
    shell::run(Command::new("apt-get").current_dir(&debs).args(["download", "--quiet=2"]).args(&packages))?;
    for deb in fs::read_dir(&debs)? {
        shell::run(Command::new("dpkg").arg("-x").arg(deb?.path()).arg(&tree))?;
    }
    fs::remove_dir_all(&debs)?;
    write_wrapper(&tree, &compiler)?;
    let version_output = shell::output(Command::new(&compiler).arg("--version"))?;
    if !has_version(&version_output, version) {
        bail!("the Debian packages contain {version_output}, expected {version}");
    }
    Ok(Some(compiler))
}

fn has_version(version_output: &str, version: &str) -> bool {
    version_output.strip_prefix("rustc ").is_some_and(|rest| rest.starts_with(&format!("{version}.")))
}

/// Writes a script that runs the unpacked compiler with its libraries, without affecting other processes.
fn write_wrapper(tree: &Path, compiler: &Path) -> Result<()> {
    let libraries = fs::read_dir(tree.join("usr").join("lib"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|folder| contains_driver(folder))
        .context("the Debian packages do not contain librustc_driver")?;
    let text = format!(
        "#!/bin/sh\nLD_LIBRARY_PATH='{}' exec '{}' \"$@\"\n",
        libraries.display(),
        tree.join("usr").join("bin").join("rustc").display()
    );
    fs::write(compiler, text)?;
    make_executable(compiler)
}

#[cfg(unix)]
fn make_executable(script: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(script, fs::Permissions::from_mode(0o755))?)
}

/// Does nothing: Debian packages are not used on other platforms.
#[cfg(not(unix))]
fn make_executable(_: &Path) -> Result<()> {
    Ok(())
}

fn contains_driver(folder: &Path) -> bool {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("librustc_driver"))
}

/// Returns the packages to download, as `name=version`, when the package lists contain this compiler.
fn find_packages(version: &str) -> Option<Vec<String>> {
    DEBIAN.iter().find_map(|(rustc, library)| {
        let lists = shell::output(Command::new("apt-cache").args(["madison", rustc])).ok()?;
        let full = full_version(&lists, version)?;
        let runtime = format!("{library}-{version}={full}");
        let about = shell::output(Command::new("apt-cache").args(["show", &runtime])).ok()?;
        let mut wanted = vec![format!("{rustc}={full}"), format!("{library}-dev={full}"), runtime];
        wanted.extend(llvm_package(&about));
        Some(wanted)
    })
}

/// Updates the package lists, which may be empty on a new machine, and searches again.
fn find_packages_after_update(version: &str) -> Option<Vec<String>> {
    shell::output(Command::new("apt-get").args(["update", "--quiet=2"])).ok()?;
    find_packages(version)
}

/// Returns the full version of the first package of `version` in the output of `apt-cache madison`.
fn full_version(madison: &str, version: &str) -> Option<String> {
    madison
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(str::trim)
        .find(|full| full.starts_with(&format!("{version}.")))
        .map(str::to_owned)
}

/// Returns the LLVM package in the `Depends` field of the output of `apt-cache show`.
fn llvm_package(about: &str) -> Option<String> {
    let depends = about.lines().find_map(|line| line.strip_prefix("Depends:"))?;
    let names = depends.split(',').filter_map(|one| one.split_whitespace().next());
    names.into_iter().find(|name| name.starts_with("libllvm")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_that_enable_a_newer_crate_are_left_out() {
        let facade = serde_json::json!({
            "name": "facade", "rust_version": "1.85",
            "features": { "http": ["dep:http"], "new": ["dep:newer", "http"], "weak": ["newer?/http"] },
        });
        let newer = serde_json::json!({ "name": "newer", "rust_version": "1.100", "features": {} });
        let published = [&facade, &newer];
        assert_eq!(lowest_version(&published).unwrap(), "1.85");
        assert_eq!(features(&facade, &published, "1.85"), ["http", "weak"]);
    }

    #[test]
    fn finds_version_among_newer_ones() {
        let lists = " rustc-web | 1.96.0+dfsg1-1~deb12u2 | mirror bookworm-security/main amd64 Packages\n \
                     rustc-web | 1.85.0+dfsg3-1~deb12u3 | mirror bookworm/main amd64 Packages\n";
        assert_eq!(full_version(lists, "1.85").as_deref(), Some("1.85.0+dfsg3-1~deb12u3"));
        assert_eq!(full_version(lists, "1.9"), None);
    }

    #[test]
    fn reads_llvm_package_from_dependencies() {
        let about = "Package: libstd-rust-web-1.85\nDepends: libc6 (>= 2.34), libllvm19, libstdc++6 (>= 11)\n";
        assert_eq!(llvm_package(about).as_deref(), Some("libllvm19"));
        assert_eq!(llvm_package("Package: none\n"), None);
    }

    #[test]
    fn unpublished_crates_are_ignored() {
        let metadata = serde_json::json!({ "packages": [
            { "name": "a", "publish": null, "rust_version": "1.85" },
            { "name": "b", "publish": [], "rust_version": "1.90" },
        ]});
        let published = published(&metadata);
        assert_eq!(published.len(), 1);
        assert_eq!(lowest_version(&published).unwrap(), "1.85");
    }

    #[test]
    fn newer_compiler_does_not_match_version() {
        assert!(has_version("rustc 1.85.0 (4d91de4e4 2025-02-17)", "1.85"));
        assert!(!has_version("rustc 1.95.0", "1.85"));
        assert!(!has_version("rustc 1.850.0", "1.85"));
    }
}
