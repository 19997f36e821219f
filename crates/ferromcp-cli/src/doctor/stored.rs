//! Checks the stored files of this command: saved names and logins.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::de::IgnoredAny;

use super::finding::Finding;
use crate::config_folder::config_folder;
use crate::exit::Exit;
use crate::target::saved;

/// Maximum number of files of logins that are checked.
const MAX_FILES: usize = 1000;
/// Maximum size of a file of a login, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Checks the saved names and the logins.
pub(crate) fn check() -> Vec<Finding> {
    let folder = match config_folder() {
        Ok(folder) => folder,
        Err(failure) => return vec![Finding::of_text(failure.exit, "settings", &failure.to_string())],
    };
    let mut findings = vec![match saved::load() {
        Ok(targets) if targets.len() == 1 => Finding::ok("saved names", "1 name"),
        Ok(targets) => Finding::ok("saved names", format!("{} names", targets.len())),
        Err(failure) => Finding::of_text(failure.exit, "saved names", &failure.to_string()),
    }];
    findings.extend(exposed("saved names", &folder.join("targets.json")));
    findings.extend(logins(&folder.join("credentials")));
    findings
}

fn logins(folder: &Path) -> Vec<Finding> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return vec![Finding::ok("logins", "0 logins")],
        Err(error) => {
            let text = format!("cannot read {}: {error}", folder.display());
            return vec![Finding::problem(Exit::Usage, "logins", text, "change the permissions of the folder")];
        }
    };
    let files = entries.take(MAX_FILES).flatten().map(|entry| entry.path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    let mut findings: Vec<Finding> = files.iter().filter_map(|path| unreadable(path)).collect();
    findings.extend(files.iter().filter_map(|path| exposed("logins", path)));
    if findings.is_empty() {
        let text = if files.len() == 1 { "1 login".to_owned() } else { format!("{} logins", files.len()) };
        findings.push(Finding::ok("logins", text));
    }
    findings
}

/// Reports a file that is not JSON. Its content is not quoted.
fn unreadable(path: &Path) -> Option<Finding> {
    let cause = match fs::metadata(path) {
        Ok(metadata) if metadata.len() > MAX_FILE => format!("it exceeds {MAX_FILE} bytes"),
        _ => match fs::read(path) {
            Err(error) => error.to_string(),
            Ok(bytes) => {
                let error = serde_json::from_slice::<IgnoredAny>(&bytes).err()?;
                format!("invalid content in line {}, column {}", error.line(), error.column())
            }
        },
    };
    let text = format!("cannot read {}: {cause}", path.display());
    Some(Finding::problem(Exit::Usage, "logins", text, "remove the file, and log in again with `mcp login URL`"))
}

/// Reports a file that other users can read.
#[cfg(unix)]
fn exposed(check: &str, path: &Path) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path.metadata().ok()?.permissions().mode();
    let shown = path.display();
    (mode & 0o077 != 0)
        .then(|| Finding::warning(check, format!("other users can read {shown}"), format!("run `chmod 600 '{shown}'`")))
}

#[cfg(not(unix))]
fn exposed(_: &str, _: &Path) -> Option<Finding> {
    None
}
