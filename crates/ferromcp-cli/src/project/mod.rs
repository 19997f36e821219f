//! Creates the Cargo project of a server from a template.
//!
//! | module | content |
//! |---|---|
//! | `name` | names of packages |
//! | `template` | the files of the templates |

mod name;
mod template;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cli::TemplateName;
use crate::exit::Failure;

pub(crate) use name::check_name;

/// Maximum size of a `Cargo.toml` that is read, in bytes.
const MAX_MANIFEST: u64 = 1024 * 1024;

/// A project to create. The name was checked with [`check_name`].
#[derive(Debug)]
pub(crate) struct Project<'a> {
    pub(crate) name: &'a str,
    pub(crate) template: TemplateName,
    pub(crate) folder: &'a Path,
    /// The folder of the library; without it, the version of this command is used.
    pub(crate) library: Option<&'a Path>,
}

impl Project<'_> {
    /// Writes the files. Existing files are not replaced.
    ///
    /// # Errors
    /// Fails if the folder is not empty, a file cannot be written, or the folder of the library is invalid.
    pub(crate) fn create(&self) -> Result<(), Failure> {
        let dependency = match self.library {
            Some(folder) => library_path(folder)?,
            None => format!("version = \"{}\"", env!("CARGO_PKG_VERSION")),
        };
        let folder = self.folder;
        fs::create_dir_all(folder).map_err(|error| failed(folder, &format!("{error}; use another `--path`")))?;
        let mut entries = fs::read_dir(folder).map_err(|error| failed(folder, &error.to_string()))?;
        if entries.next().is_some() {
            return Err(failed(folder, "the folder is not empty; use another name or `--path`"));
        }
        for file in template::files(self.template) {
            let path = folder.join(file.path.replace("{{name}}", self.name));
            let text = file.text.replace("{{name}}", self.name).replace("{{ferromcp}}", &dependency);
            write(&path, &text).map_err(|error| failed(&path, &error.to_string()))?;
        }
        Ok(())
    }

    /// Returns the `Cargo.toml` of the workspace around the folder, which Cargo requires to list the project.
    pub(crate) fn workspace(&self) -> Option<PathBuf> {
        let folder = fs::canonicalize(self.folder).ok()?;
        let manifests = folder.ancestors().skip(1).map(|folder| folder.join("Cargo.toml"));
        manifests.into_iter().find(|path| read_manifest(path).is_some_and(|it| it.contains_key("workspace")))
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    File::create_new(path)?.write_all(text.as_bytes())
}

fn failed(path: &Path, cause: &str) -> Failure {
    Failure::usage(format!("cannot create `{}`: {cause}", path.display()))
}

fn read_manifest(path: &Path) -> Option<toml_edit::DocumentMut> {
    let size = fs::metadata(path).ok()?.len();
    if size > MAX_MANIFEST {
        return None;
    }
    fs::read_to_string(path).ok()?.parse().ok()
}

/// Returns the dependency on the library in a folder.
fn library_path(folder: &Path) -> Result<String, Failure> {
    let failed = |cause: &str| {
        let remedy = "name the folder `crates/ferromcp` of a checkout";
        Failure::usage(format!("cannot use the library in `{}`: {cause}; {remedy}", folder.display()))
    };
    let path = fs::canonicalize(folder).map_err(|error| failed(&error.to_string()))?;
    let manifest = read_manifest(&path.join("Cargo.toml")).ok_or_else(|| failed("it has no valid `Cargo.toml`"))?;
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(toml_edit::Item::as_str);
    if name != Some("ferromcp") {
        return Err(failed("its package is not `ferromcp`"));
    }
    let path = path.to_str().ok_or_else(|| failed("its path is not UTF-8"))?;
    Ok(format!("path = {}", toml_edit::Value::from(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project<'a>(folder: &'a Path, template: TemplateName, library: Option<&'a Path>) -> Project<'a> {
        Project { name: "demo", template, folder, library }
    }

    #[test]
    fn version_is_that_of_the_command_when_no_path_is_given() {
        let folder = tempfile::tempdir().unwrap();
        project(folder.path(), TemplateName::Minimal, None).create().unwrap();
        let manifest = fs::read_to_string(folder.path().join("Cargo.toml")).unwrap();
        let expected = format!("ferromcp = {{ version = \"{}\" }}", env!("CARGO_PKG_VERSION"));
        assert!(manifest.contains(&expected) && manifest.contains("name = \"demo\""), "{manifest}");
    }

    #[test]
    fn path_is_quoted_when_it_contains_special_characters() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("a \"quoted\" folder");
        write(&library.join("Cargo.toml"), "[package]\nname = \"ferromcp\"\n").unwrap();
        let target = folder.path().join("p");
        project(&target, TemplateName::Http, Some(&library)).create().unwrap();
        let manifest = read_manifest(&target.join("Cargo.toml")).unwrap();
        let path = manifest["dependencies"]["ferromcp"]["path"].as_str().unwrap();
        assert_eq!(Path::new(path), fs::canonicalize(&library).unwrap());
    }

    #[test]
    fn fails_when_the_folder_is_not_empty_or_the_library_is_another_package() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("Cargo.toml"), "[package]\nname = \"other\"\n").unwrap();
        let error = project(folder.path(), TemplateName::Minimal, None).create().unwrap_err().to_string();
        assert!(error.ends_with("the folder is not empty; use another name or `--path`"), "{error}");
        let error = library_path(folder.path()).unwrap_err().to_string();
        assert!(error.contains("its package is not `ferromcp`; name the folder"), "{error}");
    }

    #[test]
    fn workspace_is_found_when_the_project_is_below_it() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a").join("b");
        let project = project(&inner, TemplateName::Minimal, None);
        project.create().unwrap();
        assert_eq!(project.workspace(), None);
        write(&folder.path().join("Cargo.toml"), "[workspace]\n").unwrap();
        assert_eq!(project.workspace(), Some(fs::canonicalize(folder.path()).unwrap().join("Cargo.toml")));
    }
}
