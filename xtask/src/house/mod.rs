//! The house rules as a test: what the plan of the house asks of the sources and no compiler checks.
//!
//! Every broken rule is one line, `path:line: what, and the fix`. Rules read the syntax tree or the tokens, never raw
//! text, so a word in a comment breaks nothing.

mod cycles;
mod features;
mod floors;
mod length;
mod manners;

mod source;
mod versions;
mod violation;

use std::path::Path;

use anyhow::Result;

pub use source::SourceFile;
pub(crate) use source::rust_files;
pub use violation::Violation;

/// What a look through the house found.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Broken rules, by path and line.
    pub violations: Vec<Violation>,
    /// How many source files were read.
    pub files: usize,
    /// How often `unsafe` is written outside of tests.
    pub unsafe_count: usize,
}

impl Report {
    /// Whether no rule is broken.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }
}

/// Reads every source of the workspace and holds it against all rules.
pub fn check(root: &Path) -> Result<Report> {
    let (sources, mut violations) = source::collect(root)?;
    violations.extend(floors::check(&floors::packages(root)?));
    violations.extend(cycles::check(&sources));
    for file in &sources {
        violations.extend(length::check(file));
        violations.extend(manners::check(file));
        violations.extend(features::check(file));
        violations.extend(versions::check(file));
    }
    violations.sort();
    let unsafe_count = sources.iter().map(manners::count_unsafe).sum();
    Ok(Report { violations, files: sources.len(), unsafe_count })
}

/// Runs [`check`] and prints what it found.
pub fn run(root: &Path) -> Result<Report> {
    let report = check(root)?;
    for violation in &report.violations {
        println!("{violation}");
    }
    println!(
        "house: {} files, {} broken rules, `unsafe` written {} times",
        report.files,
        report.violations.len(),
        report.unsafe_count
    );
    Ok(report)
}

#[cfg(test)]
mod tests;
