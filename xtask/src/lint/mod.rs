//! Project lints: rules for sources and prose that neither the compiler nor Clippy checks.
//!
//! Each violation is one line, `path:line: problem; fix`. Rules for code read the syntax tree or the tokens, so comments
//! do not affect them. Rules for prose read documentation, comments, messages and Markdown.

mod commits;
mod cycles;
mod features;
mod file_header;
mod layering;
mod length;
pub(crate) mod prose;
mod source;
mod versions;
mod violation;
pub(crate) mod words;

use std::path::Path;

use anyhow::Result;

pub use source::SourceFile;
pub(crate) use source::{is_test_path, rust_files};
pub use violation::Violation;

/// The result of checking the workspace.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Violations, sorted by path and line.
    pub violations: Vec<Violation>,
    /// The number of checked source files.
    pub files: usize,
    /// The number of uses of `unsafe` outside of tests.
    pub unsafe_count: usize,
    /// Checks that could not run, each with its reason.
    pub notes: Vec<String>,
}

impl Report {
    /// Whether there are no violations.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }
}

/// Checks all sources of the workspace against all rules.
pub fn check(root: &Path) -> Result<Report> {
    let (sources, mut violations) = source::collect(root)?;
    violations.extend(layering::check(&layering::packages(root)?));
    violations.extend(cycles::check(&sources));
    violations.extend(words::check(root)?);
    for file in &sources {
        violations.extend(length::check(file));
        violations.extend(file_header::check(file));
        violations.extend(features::check(file));
        violations.extend(versions::check(file));
    }
    let mut notes = Vec::new();
    match commits::check(root) {
        Ok(found) => violations.extend(found),
        Err(note) => notes.push(note),
    }
    violations.sort();
    let unsafe_count = sources.iter().map(file_header::count_unsafe).sum();
    Ok(Report { violations, files: sources.len(), unsafe_count, notes })
}

/// Runs [`check`] and prints the violations.
pub fn run(root: &Path) -> Result<Report> {
    let report = check(root)?;
    for violation in &report.violations {
        println!("{violation}");
    }
    for note in &report.notes {
        println!("note: {note}");
    }
    println!(
        "lint: {} files, {} violations, {} uses of `unsafe`",
        report.files,
        report.violations.len(),
        report.unsafe_count
    );
    Ok(report)
}

#[cfg(test)]
mod tests;
