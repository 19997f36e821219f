//! Reads and replaces the files of hosts.
//!
//! A file is replaced atomically, and only if no other process changed it in the meantime: it is read again and compared
//! directly before the replacement. One process of this tool at a time replaces files. The previous content is copied to a
//! backup next to the file.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use fs4::FileExt;
use tempfile::NamedTempFile;

use super::edit::{EditError, EditErrorKind};

/// Maximum size of a file, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;
/// Attempts to replace a file that other processes change.
const MAX_ATTEMPTS: usize = 5;
/// Maximum number of symbolic links to follow.
const MAX_LINKS: usize = 40;

/// The reason why a file is not replaced. The file is unchanged.
#[derive(Debug)]
pub(crate) struct FileError {
    path: PathBuf,
    verb: &'static str,
    cause: String,
    /// The kind of the cause, if the content is the reason.
    pub(crate) edit: Option<EditErrorKind>,
}

impl FileError {
    fn new(verb: &'static str, path: &Path, cause: impl fmt::Display) -> Self {
        Self { path: path.to_owned(), verb, cause: cause.to_string(), edit: None }
    }

    fn io(verb: &'static str, path: &Path, error: &io::Error) -> Self {
        let remedy = match error.kind() {
            ErrorKind::PermissionDenied => "; change the permissions of the file or of its folder",
            ErrorKind::NotADirectory => "; remove the file that has the name of its folder",
            _ => "",
        };
        Self::new(verb, path, format!("{error}{remedy}"))
    }

    pub(crate) fn edit(path: &Path, error: &EditError) -> Self {
        Self { edit: Some(error.kind), ..Self::new("edit", path, error) }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} `{}`: {}", self.verb, self.path.display(), self.cause)
    }
}

impl std::error::Error for FileError {}

/// A replacement of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// The file, after symbolic links.
    pub(crate) path: PathBuf,
    /// `None` if the file did not exist.
    pub(crate) before: Option<String>,
    pub(crate) after: String,
}

impl Change {
    /// Returns whether the content is different.
    pub(crate) fn is_change(&self) -> bool {
        self.before.as_deref() != Some(self.after.as_str())
    }

    /// Returns the difference in the unified format.
    pub(crate) fn diff(&self) -> String {
        let name = self.path.display().to_string();
        let before = self.before.as_deref().unwrap_or_default();
        let old = if self.before.is_some() { name.as_str() } else { "/dev/null" };
        similar::TextDiff::from_lines(before, &self.after).unified_diff().header(old, &name).to_string()
    }
}

/// Reads a file. `None` if it does not exist.
pub(crate) fn read(path: &Path) -> Result<Option<String>, FileError> {
    let size = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::io("read", path, &error)),
        Ok(metadata) if !metadata.is_file() => return Err(FileError::new("read", path, "it is not a file")),
        Ok(metadata) => metadata.len(),
    };
    if size > MAX_FILE {
        let cause = format!("it has {size} bytes; the limit is {MAX_FILE} bytes");
        return Err(FileError::new("read", path, cause));
    }
    let bytes = fs::read(path).map_err(|error| FileError::io("read", path, &error))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.as_bytes().starts_with(&[0xFF, 0xFE]) || error.as_bytes().starts_with(&[0xFE, 0xFF]) => {
            Err(FileError::new("read", path, "its encoding is UTF-16; save it as UTF-8"))
        }
        Err(error) => {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = valid.split(|byte| *byte == b'\n').count();
            Err(FileError::new("read", path, format!("line {line} is not UTF-8; save the file as UTF-8")))
        }
    }
}

/// Computes the replacement of a file, without writing it. `change` receives the content; empty if the file does not exist.
pub(crate) fn plan(path: &Path, change: impl Fn(&str) -> Result<String, EditError>) -> Result<Change, FileError> {
    let target = follow(path)?;
    let before = read(&target)?;
    let after = change(before.as_deref().unwrap_or_default()).map_err(|error| FileError::edit(path, &error))?;
    if before.is_some() {
        reject_read_only(&target)?;
    }
    Ok(Change { path: target, before, after })
}

/// Replaces a file. `change` runs again if another process changes the file. `locks` is a folder of this tool.
///
/// Blocks while another process of this tool replaces a file.
pub(crate) fn update(
    path: &Path,
    locks: &Path,
    change: impl Fn(&str) -> Result<String, EditError>,
) -> Result<Change, FileError> {
    let _lock = lock(locks)?;
    for _ in 0..MAX_ATTEMPTS {
        let planned = plan(path, &change)?;
        if !planned.is_change() || try_replace(&planned)? {
            return Ok(planned);
        }
    }
    Err(FileError::new("write", path, "another process changes it continually; close the host and try again"))
}

/// Returns the backup of a file.
pub(crate) fn backup_path(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".mcp-backup");
    target.with_file_name(name)
}

/// Replaces a file if it still has the content of the plan. Returns whether it was replaced.
fn try_replace(planned: &Change) -> Result<bool, FileError> {
    let path = &planned.path;
    let failed = |error: &io::Error| FileError::io("write", path, error);
    let folder = path.parent().ok_or_else(|| FileError::new("write", path, "it has no folder"))?;
    fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    let permissions = match &planned.before {
        Some(_) => Some(fs::metadata(path).map_err(|error| failed(&error))?.permissions()),
        None => None,
    };
    let write = |text: &str| write_temporary(folder, text, permissions.clone()).map_err(|error| failed(&error));
    let replacement = write(&planned.after)?;
    let backup = planned.before.as_deref().map(write).transpose()?;
    if read(path)? != planned.before {
        return Ok(false);
    }
    if let Some(backup) = backup {
        backup.persist(backup_path(path)).map_err(|error| failed(&error.error))?;
        replacement.persist(path).map_err(|error| failed(&error.error))?;
    } else if let Err(error) = replacement.persist_noclobber(path) {
        return if error.error.kind() == ErrorKind::AlreadyExists { Ok(false) } else { Err(failed(&error.error)) };
    }
    Ok(true)
}

/// Copies the previous content to the backup of the file, before the host changes the file.
pub(crate) fn back_up(planned: &Change) -> Result<(), FileError> {
    let (path, Some(before)) = (&planned.path, &planned.before) else { return Ok(()) };
    let back_up = || -> io::Result<()> {
        let permissions = fs::metadata(path)?.permissions();
        let folder = path.parent().unwrap_or(Path::new("."));
        write_temporary(folder, before, Some(permissions))?.persist(backup_path(path))?;
        Ok(())
    };
    back_up().map_err(|error| FileError::io("back up", path, &error))
}

/// Writes a file that replaces another one in the same folder.
fn write_temporary(folder: &Path, text: &str, permissions: Option<fs::Permissions>) -> io::Result<NamedTempFile> {
    // A new file has mode 0600 on Unix, because it may contain secrets.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    Ok(file)
}

/// Follows symbolic links, so that the file that they name is replaced, and not the link.
fn follow(path: &Path) -> Result<PathBuf, FileError> {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&target) {
            Ok(next) => target = target.parent().map_or_else(|| next.clone(), |folder| folder.join(&next)),
            // `InvalidInput`: not a link.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput) => return Ok(target),
            Err(error) => return Err(FileError::io("read", path, &error)),
        }
    }
    Err(FileError::new("read", path, "its symbolic links form a cycle; remove the link"))
}

/// A rename would replace a file that its owner protects.
fn reject_read_only(target: &Path) -> Result<(), FileError> {
    match fs::metadata(target) {
        Ok(metadata) if metadata.permissions().readonly() => {
            let cause = "it is read-only; make it writable, or change the source that generates it";
            Err(FileError::new("write", target, cause))
        }
        _ => Ok(()),
    }
}

/// Waits until no other process of this tool replaces files.
pub(crate) fn lock(folder: &Path) -> Result<fs::File, FileError> {
    let path = folder.join("hosts.lock");
    let open = || -> io::Result<fs::File> {
        fs::create_dir_all(folder)?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        FileExt::lock(&file)?;
        Ok(file)
    };
    open().map_err(|error| FileError::io("lock", &path, &error))
}

#[cfg(test)]
mod tests;
