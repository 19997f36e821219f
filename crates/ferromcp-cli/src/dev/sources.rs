//! The files whose changes cause a rebuild.

use std::path::{Component, Path, PathBuf};

use crate::exit::Failure;
use crate::target::{self, Source};

/// Extensions of source files. Others, such as databases and logs, change while a server runs.
const EXTENSIONS: [&str; 34] = [
    "bash", "c", "cc", "cfg", "cjs", "cpp", "cs", "css", "ex", "exs", "go", "h", "hpp", "html", "ini", "j2", "java",
    "jinja", "js", "jsx", "kt", "md", "mjs", "php", "py", "pyi", "rb", "rs", "sh", "sql", "swift", "toml", "ts", "tsx",
];

/// Folders of dependencies and build results.
const IGNORED_FOLDERS: [&str; 8] =
    ["target", "node_modules", "__pycache__", "venv", "dist", "build", "site-packages", "vendor"];

/// Files and folders to watch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// Folders whose source files are watched.
    folders: Vec<PathBuf>,
    /// Files, and folders whose files are all watched.
    named: Vec<PathBuf>,
}

impl Sources {
    /// Returns the sources of a target: the packages of a Cargo workspace, the folder of a Python file, or the working folder
    /// of a command. `named` are further files and folders.
    ///
    /// # Errors
    /// Fails if one of `named` does not exist.
    pub(crate) fn of(source: Source<'_>, named: &[PathBuf]) -> Result<Self, Failure> {
        let canonical = |path: &PathBuf| {
            path.canonicalize().map_err(|error| {
                Failure::usage(format!("cannot watch `{}` (`--watch`): {error}; name an existing path", path.display()))
            })
        };
        let named = named.iter().map(canonical).collect::<Result<Vec<_>, _>>()?;
        let folders = target::source_folders(source).into_iter().filter_map(|folder| folder.canonicalize().ok());
        let mut sources = Self { folders: Vec::new(), named };
        for folder in folders {
            if !sources.folders.iter().any(|other| folder.starts_with(other)) {
                sources.folders.retain(|other| !other.starts_with(&folder));
                sources.folders.push(folder);
            }
        }
        Ok(sources)
    }

    /// Returns the paths to watch.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.folders.iter().chain(&self.named).map(PathBuf::as_path)
    }

    /// Returns whether no path is watched.
    pub(crate) fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.named.is_empty()
    }

    /// Returns whether a changed file belongs to the sources.
    pub(crate) fn contains(&self, file: &Path) -> bool {
        if self.named.iter().any(|named| file.starts_with(named)) {
            return true;
        }
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        EXTENSIONS.contains(&extension) && self.folders.iter().any(|folder| is_watched_in(folder, file))
    }
}

/// Returns whether a file is in a folder, and not in an ignored folder within it.
fn is_watched_in(folder: &Path, file: &Path) -> bool {
    let Ok(relative) = file.strip_prefix(folder) else { return false };
    relative.components().all(|component| match component {
        Component::Normal(name) => {
            let name = name.to_string_lossy();
            !name.starts_with('.') && !IGNORED_FOLDERS.contains(&&*name)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_recognized_by_folder_and_extension() {
        let sources =
            Sources { folders: vec!["/p".into(), "/q/target/x".into()], named: vec!["/data/prices.csv".into()] };
        for file in ["/p/server.py", "/p/src/main.rs", "/p/a/b/Cargo.toml", "/q/target/x/a.rs", "/data/prices.csv"] {
            assert!(sources.contains(Path::new(file)), "{file}");
        }
        for file in [
            "/p/target/debug/a.rs",
            "/p/.venv/a.py",
            "/p/__pycache__/a.py",
            "/p/notes.db",
            "/p/Cargo.lock",
            "/p/.a.rs.swp",
            "/other/a.rs",
            "/data/other.csv",
        ] {
            assert!(!sources.contains(Path::new(file)), "{file}");
        }
    }

    #[test]
    fn missing_file_is_rejected_when_it_is_named() {
        let error = Sources::of(Source::Word("http://localhost/mcp"), &["/does/not/exist".into()]).unwrap_err();
        assert!(error.to_string().starts_with("cannot watch `/does/not/exist` (`--watch`): "), "{error}");
        assert!(Sources::of(Source::Word("http://localhost/mcp"), &[]).unwrap().is_empty());
    }
}
