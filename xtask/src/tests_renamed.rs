//! `cargo xtask tests-renamed --base REV`: which test functions got another name since a revision.
//!
//! Files are followed through renames by git. Within a file the order of the tests pairs old names with new ones. The
//! table at the end compares the number of tests per crate, so that no test gets lost in a rename.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::lint::rust_files;
use crate::shell;

/// Prints the renamed, removed and added tests, and the number of tests per crate.
pub fn run(root: &Path, args: &[String]) -> Result<()> {
    let [flag, base] = args else { bail!("`cargo xtask tests-renamed` requires --base REV") };
    if flag != "--base" {
        bail!("`cargo xtask tests-renamed` accepts only --base REV");
    }
    let git = |args: &[&str]| shell::output(Command::new("git").current_dir(root).args(args));
    let old_files = git(&["ls-tree", "-r", "--name-only", base])?;
    let old_files: Vec<&str> = old_files.lines().filter(|path| is_rust(path)).collect();
    let status = git(&["diff", "--find-renames=30%", "--name-status", base])?;
    let moved: BTreeMap<&str, &str> = status.lines().filter_map(rename).collect();
    let mut new_files = Vec::new();
    for folder in ["crates", "examples", "conformance", "bench", "fuzz", "xtask"] {
        rust_files(root, folder, &mut new_files)?;
    }
    let mut new_files: BTreeSet<String> = new_files.into_iter().collect();
    let mut counts: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for old_path in old_files {
        let old = tests(&git(&["show", &format!("{base}:{old_path}")])?);
        counts.entry(group(old_path)).or_default()[0] += old.len();
        let path = moved.get(old_path).copied().unwrap_or(old_path);
        let new = if new_files.remove(path) { read_tests(root, path)? } else { Vec::new() };
        counts.entry(group(path)).or_default()[1] += new.len();
        print_changes(path, &old, &new);
    }
    for path in new_files {
        let new = read_tests(root, &path)?;
        counts.entry(group(&path)).or_default()[1] += new.len();
        print_changes(&path, &[], &new);
    }
    println!("{:<26}{:>8}{:>8}", "tests per crate", "before", "now");
    for (name, [before, now]) in counts.iter().filter(|(_, counts)| **counts != [0, 0]) {
        println!("{name:<26}{before:>8}{now:>8}");
    }
    let sum = |at: usize| counts.values().map(|counts| counts[at]).sum::<usize>();
    println!("{:<26}{:>8}{:>8}", "total", sum(0), sum(1));
    Ok(())
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|end| end == "rs")
}

/// The old and the new path in a line of `git diff --name-status`, for a renamed file.
fn rename(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.split('\t');
    let status = cells.next()?;
    status.starts_with('R').then_some((cells.next()?, cells.next()?))
}

fn read_tests(root: &Path, path: &str) -> Result<Vec<String>> {
    Ok(tests(&std::fs::read_to_string(root.join(path)).with_context(|| path.to_owned())?))
}

/// The names of the functions that follow a test attribute, in order.
///
/// The text is scanned line by line, because tests inside of macro calls are not in the syntax tree.
fn tests(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut after_attribute = false;
    for line in text.lines().map(str::trim) {
        after_attribute |= is_test_attribute(line);
        let name = line.split_once("fn ").map(|(_, rest)| rest.split(['(', '<']).next().unwrap_or_default());
        if let Some(name) = name.filter(|_| after_attribute && !line.starts_with("//")) {
            found.push(name.to_owned());
            after_attribute = false;
        }
    }
    found
}

/// `#[test]`, `#[tokio::test]`, `#[tokio::test(…)]`
fn is_test_attribute(line: &str) -> bool {
    let Some(attribute) = line.strip_prefix("#[") else { return false };
    let path = attribute.split(['(', ']']).next().unwrap_or_default();
    path.rsplit("::").next() == Some("test")
}

fn print_changes(path: &str, old: &[String], new: &[String]) {
    let lines = changes(old, new);
    if !lines.is_empty() {
        println!("{path}\n{}\n", lines.join("\n"));
    }
}

/// One line for each test that has another name, is gone or is new.
fn changes(old: &[String], new: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut old, mut new) = (old, new);
    while !old.is_empty() || !new.is_empty() {
        // Everything before the next common name is one gap, and the names in it are paired by their order.
        let common = old.iter().enumerate().find_map(|(i, name)| Some((i, new.iter().position(|it| it == name)?)));
        let (before, after) = common.unwrap_or((old.len(), new.len()));
        for i in 0..before.max(after) {
            lines.push(match (old[..before].get(i), new[..after].get(i)) {
                (Some(old), Some(new)) => format!("  {old} -> {new}"),
                (Some(old), None) => format!("  - {old}"),
                (None, new) => format!("  + {}", new.map_or("", String::as_str)),
            });
        }
        let step = usize::from(common.is_some());
        (old, new) = (&old[before + step..], &new[after + step..]);
    }
    lines
}

/// The crate of a file.
fn group(path: &str) -> String {
    let path = path.strip_prefix("crates/").unwrap_or(path);
    path.split('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn finds_tests_by_their_attribute() {
        let text = "#[test]\nfn a() {}\nfn helper() {}\n#[tokio::test(start_paused = true)]\n#[ignore]\nasync fn b() {}\n\
                    proptest! {\n    #[test]\n    // fn no\n    fn c(x in 0..3) {}\n}\n#[cfg(test)]\nfn d() {}\n";
        assert_eq!(tests(text), ["a", "b", "c"]);
    }

    #[test]
    fn pairs_renamed_tests_by_order() {
        assert_eq!(changes(&names("a b c"), &names("a x c")), ["  b -> x"]);
        assert_eq!(changes(&names("a b"), &names("x y z")), ["  a -> x", "  b -> y", "  + z"]);
        assert_eq!(changes(&names("a b c"), &names("c")), ["  - a", "  - b"]);
        assert!(changes(&names("a b"), &names("a b")).is_empty());
    }

    #[test]
    fn reads_renames_from_git() {
        assert_eq!(rename("R087\ta/b.rs\ta/c.rs"), Some(("a/b.rs", "a/c.rs")));
        assert_eq!(rename("M\ta/b.rs"), None);
    }

    #[test]
    fn unknown_arguments_are_rejected() {
        assert!(run(Path::new("."), &[]).is_err());
        assert!(run(Path::new("."), &["--only".to_owned(), "HEAD".to_owned()]).is_err());
    }
}
