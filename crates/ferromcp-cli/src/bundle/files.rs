//! The files of a bundle.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::archive::Entry;
use super::platform::{Binary, bundle_path};
use crate::exit::Failure;
use crate::target::cargo::Package;

/// Path of the icon in a bundle.
pub(crate) const ICON: &str = "icon.png";

/// Maximum size of a program, in bytes.
const MAX_PROGRAM: u64 = 256 * 1024 * 1024;
/// Maximum size of other files, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;
/// Maximum number of license files.
const MAX_LICENSES: usize = 10;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Reads the programs.
///
/// # Errors
/// Fails if a file cannot be read, is empty or too large.
pub(crate) fn programs(name: &str, binaries: &[Binary]) -> Result<Vec<Entry>, Failure> {
    let entry = |binary: &Binary| {
        let data = read(&binary.file, MAX_PROGRAM)?;
        if data.is_empty() {
            return Err(failed(&binary.file, "the program is empty"));
        }
        Ok(Entry { path: bundle_path(name, binary.platform, binaries.len() > 1), is_executable: true, data })
    };
    binaries.iter().map(entry).collect()
}

/// Reads the icon.
///
/// # Errors
/// Fails if the file cannot be read, or is not a PNG file.
pub(crate) fn icon(file: &Path) -> Result<Entry, Failure> {
    let data = read(file, MAX_FILE)?;
    if !data.starts_with(PNG) {
        return Err(failed(file, "it is not a PNG file; convert it"));
    }
    Ok(Entry { path: ICON.to_owned(), is_executable: false, data })
}

/// Reads the README and the licenses of a package.
///
/// # Errors
/// Fails if a file cannot be read or is too large.
pub(crate) fn texts(package: &Package, workspace: &Path) -> Result<Vec<Entry>, Failure> {
    let folder = package.manifest_path.parent().unwrap_or(workspace);
    let mut entries = Vec::new();
    if let Some(readme) = package.readme.as_ref().map(|path| folder.join(path)).filter(|path| path.is_file()) {
        entries.push(Entry { path: "README.md".to_owned(), is_executable: false, data: read(&readme, MAX_FILE)? });
    }
    let licenses = match &package.license_file {
        Some(path) => vec![folder.join(path)],
        None => [folder, workspace].into_iter().map(licenses).find(|found| !found.is_empty()).unwrap_or_default(),
    };
    for file in licenses.into_iter().take(MAX_LICENSES) {
        let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let path = name.chars().map(|c| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '-' }).collect();
        entries.push(Entry { path, is_executable: false, data: read(&file, MAX_FILE)? });
    }
    Ok(entries)
}

/// Returns the files of a folder whose names start with `LICENSE`, sorted.
fn licenses(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let is_license = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_uppercase());
        path.is_file() && name.is_some_and(|name| name.starts_with("LICENSE") || name.starts_with("LICENCE"))
    };
    let mut found: Vec<PathBuf> = entries.filter_map(|it| it.ok().map(|it| it.path())).filter(is_license).collect();
    found.sort();
    found
}

fn failed(file: &Path, cause: &str) -> Failure {
    Failure::usage(format!("cannot pack `{}`: {cause}", file.display()))
}

fn read(file: &Path, max: u64) -> Result<Vec<u8>, Failure> {
    let mut data = Vec::new();
    let result = File::open(file).and_then(|opened| opened.take(max + 1).read_to_end(&mut data));
    result.map_err(|error| failed(file, &error.to_string()))?;
    if data.len() as u64 > max {
        return Err(failed(file, &format!("it is larger than {} MiB; reduce its size", max / (1024 * 1024))));
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::super::platform::Platform;
    use super::*;

    #[test]
    fn license_of_the_workspace_is_used_when_the_package_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("crate");
        fs::create_dir(&inner).unwrap();
        for (path, text) in [("LICENSE-MIT", "mit"), ("LICENSE-APACHE", "apache"), ("crate/README.md", "# demo")] {
            fs::write(folder.path().join(path), text).unwrap();
        }
        let package = serde_json::json!({
            "name": "demo", "version": "1.0.0", "targets": [], "readme": "README.md",
            "manifest_path": inner.join("Cargo.toml"),
        });
        let package: Package = serde_json::from_value(package).unwrap();
        let names = || texts(&package, folder.path()).unwrap().into_iter().map(|entry| entry.path).collect::<Vec<_>>();
        assert_eq!(names(), ["README.md", "LICENSE-APACHE", "LICENSE-MIT"]);
        fs::write(inner.join("license.txt"), "own").unwrap();
        assert_eq!(names(), ["README.md", "license.txt"]);
    }

    #[test]
    fn error_contains_the_cause_when_a_file_is_invalid() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        assert!(icon(&file).unwrap_err().to_string().contains("cannot pack `"));
        fs::write(&file, "").unwrap();
        assert!(icon(&file).unwrap_err().to_string().contains("it is not a PNG file; convert it"));
        let binary = Binary { platform: Platform::Linux, file: file.clone() };
        assert!(programs("demo", &[binary]).unwrap_err().to_string().contains("the program is empty"));
        fs::write(&file, "12345").unwrap();
        assert!(read(&file, 4).unwrap_err().to_string().contains("it is larger than 0 MiB"));
        assert_eq!(read(&file, 5).unwrap(), b"12345");
    }
}
