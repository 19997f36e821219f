//! Tests of the replacement of files.

use std::cell::Cell;

use super::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn update(&self, name: &str, change: impl Fn(&str) -> String) -> Result<Change, FileError> {
        update(&self.path(name), &self.path("locks"), |text| Ok(change(text)))
    }
}

fn append(text: &str) -> String {
    format!("{text}+")
}

#[test]
fn file_and_folder_are_created_when_missing() {
    let folder = Folder::new();
    let change = folder.update("new/deep/file.json", append).unwrap();
    assert_eq!((change.before.as_deref(), change.after.as_str()), (None, "+"));
    assert_eq!(fs::read_to_string(folder.path("new/deep/file.json")).unwrap(), "+");
    assert!(!backup_path(&folder.path("new/deep/file.json")).exists());
    assert!(change.diff().starts_with("--- /dev/null\n+++ "), "{}", change.diff());
}

#[test]
fn previous_content_is_in_the_backup_when_replaced() {
    let folder = Folder::new();
    let path = folder.path("file");
    fs::write(&path, "one\n").unwrap();
    folder.update("file", append).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\n+");
    assert_eq!(fs::read_to_string(folder.path("file.mcp-backup")).unwrap(), "one\n");
    let unchanged = folder.update("file", str::to_owned).unwrap();
    assert!(!unchanged.is_change());
    assert_eq!(fs::read_to_string(folder.path("file.mcp-backup")).unwrap(), "one\n", "no write without a change");
    assert_eq!(fs::read_dir(folder.0.path()).unwrap().count(), 3, "no temporary file remains");
}

#[test]
fn change_runs_again_when_another_process_writes() {
    let folder = Folder::new();
    let path = folder.path("file");
    fs::write(&path, "a").unwrap();
    let runs = Cell::new(0);
    let change = |text: &str| {
        runs.set(runs.get() + 1);
        if runs.get() == 1 {
            fs::write(&path, "b").unwrap();
        }
        append(text)
    };
    folder.update("file", change).unwrap();
    assert_eq!((runs.get(), fs::read_to_string(&path).unwrap().as_str()), (2, "b+"));
    let writer = |text: &str| {
        fs::write(&path, format!("{text}x")).unwrap();
        append(text)
    };
    let error = folder.update("file", writer).unwrap_err().to_string();
    assert!(error.contains("another process changes it"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "b+xxxxx", "nothing of the other process is lost");
}

#[test]
fn no_change_is_lost_when_processes_write_concurrently() {
    let folder = Folder::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| folder.update("file", append).unwrap());
        }
    });
    assert_eq!(fs::read_to_string(folder.path("file")).unwrap(), "++++++++");
}

#[test]
fn file_is_unchanged_when_the_edit_fails() {
    let folder = Folder::new();
    let path = folder.path("file");
    fs::write(&path, "a").unwrap();
    let error = update(&path, &folder.path("locks"), |_| Err(EditError::missing("demo"))).unwrap_err();
    assert!(error.edit.is_some() && error.to_string().contains("file`: it has no entry `demo`; "), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "a");
    assert!(!folder.path("file.mcp-backup").exists());
}

#[test]
fn file_is_rejected_when_not_utf8() {
    let folder = Folder::new();
    for (bytes, cause) in
        [(&b"a\nb\xFF"[..], "line 2 is not UTF-8"), (&b"\xFF\xFE{\0}\0"[..], "UTF-16; save it as UTF-8")]
    {
        fs::write(folder.path("file"), bytes).unwrap();
        let error = folder.update("file", append).unwrap_err().to_string();
        assert!(error.contains(cause), "{error}");
        assert_eq!(fs::read(folder.path("file")).unwrap(), bytes);
    }
    fs::create_dir(folder.path("folder")).unwrap();
    assert!(folder.update("folder", append).unwrap_err().to_string().contains("it is not a file"));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn target_is_edited_when_the_file_is_a_symbolic_link() {
        let folder = Folder::new();
        fs::create_dir(folder.path("dotfiles")).unwrap();
        fs::write(folder.path("dotfiles/real"), "a").unwrap();
        symlink("dotfiles/real", folder.path("middle")).unwrap();
        symlink(folder.path("middle"), folder.path("file")).unwrap();
        folder.update("file", append).unwrap();
        assert!(folder.path("file").is_symlink() && folder.path("middle").is_symlink());
        assert_eq!(fs::read_to_string(folder.path("dotfiles/real")).unwrap(), "a+");
        assert!(folder.path("dotfiles/real.mcp-backup").exists());
        symlink(folder.path("dotfiles/later"), folder.path("dangling")).unwrap();
        folder.update("dangling", append).unwrap();
        assert_eq!(fs::read_to_string(folder.path("dotfiles/later")).unwrap(), "+");
        symlink(folder.path("cycle"), folder.path("cycle")).unwrap();
        assert!(folder.update("cycle", append).unwrap_err().to_string().contains("form a cycle"));
    }

    #[test]
    fn read_only_file_is_rejected() {
        let folder = Folder::new();
        let path = folder.path("file");
        fs::write(&path, "a").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        let error = folder.update("file", append).unwrap_err().to_string();
        assert!(error.contains("it is read-only"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "a");
    }

    #[test]
    fn permissions_are_kept_when_replaced() {
        let folder = Folder::new();
        let mode = |name: &str| fs::metadata(folder.path(name)).unwrap().permissions().mode() & 0o777;
        fs::write(folder.path("file"), "a").unwrap();
        fs::set_permissions(folder.path("file"), fs::Permissions::from_mode(0o640)).unwrap();
        folder.update("file", append).unwrap();
        assert_eq!((mode("file"), mode("file.mcp-backup")), (0o640, 0o640));
        folder.update("new", append).unwrap();
        assert_eq!(mode("new"), 0o600, "a new file may contain secrets");
    }
}
