//! The oldest compiler we promise (`rust-version`) builds every published crate, with the committed lock file.
//!
//! It is looked for in three places: among rustup's toolchains, among the packages of Debian (unpacked under
//! `target/msrv`, nothing is installed), and at last by asking rustup to fetch it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::outcome::Outcome;
use crate::shell;

/// Debian's names: the compiler, and its standard library before `-dev` and `-1.85`.
const DEBIAN: [(&str, &str); 2] = [("rustc-web", "libstd-rust-web"), ("rustc", "libstd-rust")];

/// Checks the published crates with the oldest compiler; skips, with the reason, where none can be had.
pub fn check(root: &Path) -> Result<Outcome> {
    let metadata = shell::metadata(root)?;
    let published = published(&metadata);
    let version = rust_version(&published)?;
    let (mut command, whence) = if rustup_has(&version) {
        (by_rustup(root, &version), "rustup's")
    } else if let Some(compiler) = debian(root, &version)? {
        let mut cargo = shell::cargo(root, &[]);
        // This cargo, that compiler: a toolchain override of rustup would replace neither.
        cargo.env("RUSTC", compiler).env_remove("RUSTC_WRAPPER");
        (cargo, "Debian's")
    } else if fetch_by_rustup(&version) {
        (by_rustup(root, &version), "rustup's")
    } else {
        let why = format!("no rustc {version}: rustup has none and can fetch none, and apt offers none");
        return Ok(Outcome::Skipped { why, excused: true });
    };
    println!("msrv: with {whence} rustc {version}");
    command.args(["check", "--locked", "--all-features"]);
    for package in &published {
        command.arg("--package").arg(package["name"].as_str().unwrap_or_default());
    }
    shell::run(command.env("CARGO_TARGET_DIR", root.join("target").join("msrv").join("build")))?;
    Ok(Outcome::Passed)
}

/// Packages whose manifest does not say `publish = false`.
fn published(metadata: &Value) -> Vec<&Value> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    packages.iter().filter(|p| p["publish"].as_array().is_none_or(|places| !places.is_empty())).collect()
}

fn rust_version(packages: &[&Value]) -> Result<String> {
    let versions = packages.iter().filter_map(|p| p["rust_version"].as_str());
    versions.max().map(str::to_owned).context("no published crate gives a rust-version")
}

fn rustup_has(version: &str) -> bool {
    shell::read(Command::new("rustup").args(["run", version, "rustc", "--version"]).env("RUSTUP_AUTO_INSTALL", "0"))
        .is_ok()
}

fn by_rustup(root: &Path, version: &str) -> Command {
    let mut command = Command::new("rustup");
    // What the outer cargo says of itself must not reach the inner one.
    command.current_dir(root).env_remove("RUSTC").env_remove("CARGO").args(["run", version, "cargo"]);
    command
}

fn fetch_by_rustup(version: &str) -> bool {
    if !shell::has("rustup") {
        return false;
    }
    println!("msrv: asking rustup for {version}");
    let args = ["toolchain", "install", version, "--profile", "minimal", "--no-self-update"];
    shell::run(Command::new("rustup").args(args)).is_ok() && rustup_has(version)
}

/// Debian's compiler, unpacked beside the build; `None` where apt is missing or offers none of this version.
fn debian(root: &Path, version: &str) -> Result<Option<PathBuf>> {
    let home = root.join("target").join("msrv");
    let compiler = home.join("rustc");
    if shell::read(Command::new(&compiler).arg("--version")).is_ok_and(|said| is(&said, version)) {
        return Ok(Some(compiler));
    }
    if !shell::has("apt-get") || !shell::has("dpkg") {
        return Ok(None);
    }
    let Some(packages) = offered(version).or_else(|| offered_after_update(version)) else {
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
    wrap(&tree, &compiler)?;
    let said = shell::read(Command::new(&compiler).arg("--version"))?;
    if !is(&said, version) {
        bail!("Debian's packages brought {said}, not {version}");
    }
    Ok(Some(compiler))
}

fn is(said: &str, version: &str) -> bool {
    said.strip_prefix("rustc ").is_some_and(|rest| rest.starts_with(&format!("{version}.")))
}

/// A script that starts the unpacked compiler with its own libraries, and leaves everybody else's alone.
fn wrap(tree: &Path, compiler: &Path) -> Result<()> {
    let libraries = fs::read_dir(tree.join("usr").join("lib"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|folder| holds_driver(folder))
        .context("Debian's packages brought no librustc_driver")?;
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

/// Where there is no such mode there is no Debian either.
#[cfg(not(unix))]
fn make_executable(_: &Path) -> Result<()> {
    Ok(())
}

fn holds_driver(folder: &Path) -> bool {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("librustc_driver"))
}

/// What to download, as `name=version`, when the package lists hold this compiler.
fn offered(version: &str) -> Option<Vec<String>> {
    DEBIAN.iter().find_map(|(rustc, library)| {
        let lists = shell::read(Command::new("apt-cache").args(["madison", rustc])).ok()?;
        let full = newest(&lists, version)?;
        let runtime = format!("{library}-{version}={full}");
        let about = shell::read(Command::new("apt-cache").args(["show", &runtime])).ok()?;
        let mut wanted = vec![format!("{rustc}={full}"), format!("{library}-dev={full}"), runtime];
        wanted.extend(llvm(&about));
        Some(wanted)
    })
}

/// A bare machine has empty package lists, and only root may fill them.
fn offered_after_update(version: &str) -> Option<Vec<String>> {
    shell::read(Command::new("apt-get").args(["update", "--quiet=2"])).ok()?;
    offered(version)
}

/// The full version of the first package of `version` in what `apt-cache madison` says.
fn newest(madison: &str, version: &str) -> Option<String> {
    madison
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(str::trim)
        .find(|full| full.starts_with(&format!("{version}.")))
        .map(str::to_owned)
}

/// The LLVM package in the `Depends` of what `apt-cache show` says.
fn llvm(about: &str) -> Option<String> {
    let depends = about.lines().find_map(|line| line.strip_prefix("Depends:"))?;
    let names = depends.split(',').filter_map(|one| one.split_whitespace().next());
    names.into_iter().find(|name| name.starts_with("libllvm")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_version_is_found_among_newer_ones() {
        let lists = " rustc-web | 1.96.0+dfsg1-1~deb12u2 | mirror bookworm-security/main amd64 Packages\n \
                     rustc-web | 1.85.0+dfsg3-1~deb12u3 | mirror bookworm/main amd64 Packages\n";
        assert_eq!(newest(lists, "1.85").as_deref(), Some("1.85.0+dfsg3-1~deb12u3"));
        assert_eq!(newest(lists, "1.9"), None);
    }

    #[test]
    fn llvm_is_read_from_the_dependencies() {
        let about = "Package: libstd-rust-web-1.85\nDepends: libc6 (>= 2.34), libllvm19, libstdc++6 (>= 11)\n";
        assert_eq!(llvm(about).as_deref(), Some("libllvm19"));
        assert_eq!(llvm("Package: none\n"), None);
    }

    #[test]
    fn only_published_crates_count() {
        let metadata = serde_json::json!({ "packages": [
            { "name": "a", "publish": null, "rust_version": "1.85" },
            { "name": "b", "publish": [], "rust_version": "1.90" },
        ]});
        let published = published(&metadata);
        assert_eq!(published.len(), 1);
        assert_eq!(rust_version(&published).unwrap(), "1.85");
    }

    #[test]
    fn a_newer_compiler_is_not_taken_for_the_oldest() {
        assert!(is("rustc 1.85.0 (4d91de4e4 2025-02-17)", "1.85"));
        assert!(!is("rustc 1.95.0", "1.85"));
        assert!(!is("rustc 1.850.0", "1.85"));
    }
}
