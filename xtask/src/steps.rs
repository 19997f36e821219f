//! `cargo xtask test`: runs all checks and tests in steps and prints a summary of every step.
//!
//! The summary gives the reason of each skipped step. Under `CI=true` a skipped step is a failure, unless the machine
//! cannot run it.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::outcome::Outcome;
use crate::{api, conformance, deny, fuzz, hosts, interop, lint, msrv, run_tests, shell};

struct Step {
    name: &'static str,
    about: &'static str,
    run: fn(&Path) -> Result<Outcome>,
}

/// Fast steps come first, so that mistakes are reported early. The tests come last, so that their counts are at the end
/// of the log.
const STEPS: [Step; 13] = [
    Step { name: "fmt", about: "all sources are formatted", run: fmt_check },
    Step { name: "lint", about: "sources and prose follow the project rules", run: lint_check },
    Step { name: "clippy", about: "no warnings in any target with all features", run: clippy },
    Step {
        name: "features",
        about: "the facade builds with each feature alone, and HTTP with each of server and client",
        run: features,
    },
    Step { name: "fuzz", about: "the fuzz targets compile", run: fuzz::check },
    Step { name: "doc", about: "the documentation builds without warnings", run: doc },
    Step { name: "api", about: "the committed listing of the public API is up to date", run: api::check },
    Step { name: "msrv", about: "the minimum supported Rust version builds the published crates", run: msrv::check },
    Step { name: "deny", about: "licenses, bans, sources and advisories of dependencies", run: deny::check },
    Step { name: "interop", about: "third-party MCP clients and servers are installed", run: interop_set_up },
    Step { name: "hosts", about: "hosts from npm list and start installed entries", run: hosts::check },
    Step { name: "conformance", about: "the required scenarios of the official suite pass", run: conformance::all },
    Step { name: "test", about: "unit, integration and doc tests", run: run_tests::run },
];

enum Status {
    Passed { note: String },
    Failed(String),
    Skipped { reason: String, fails: bool },
}

struct StepReport {
    name: &'static str,
    status: Status,
    duration: Duration,
}

impl fmt::Display for StepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, reason) = match &self.status {
            Status::Passed { note } => ("passed", format!("  {note}")),
            Status::Failed(reason) => ("FAILED", format!("  {}", reason.lines().next().unwrap_or_default())),
            Status::Skipped { reason, fails: true } => ("SKIPPED", format!("  {reason} (a failure under CI=true)")),
            Status::Skipped { reason, fails: false } => ("skipped", format!("  {reason}")),
        };
        let report = format!("{:<12}{word:<8}{:>7.1} s{reason}", self.name, self.duration.as_secs_f64());
        f.write_str(report.trim_end())
    }
}

/// Runs the steps that `args` select; returns `false` when one failed.
pub fn run(root: &Path, args: &[String]) -> Result<bool> {
    let Some(filter) = StepFilter::parse(args)? else {
        for step in &STEPS {
            println!("{:<12}{}", step.name, step.about);
        }
        return Ok(true);
    };
    let strict = shell::in_ci();
    let mut reports = Vec::new();
    for (i, step) in STEPS.iter().enumerate() {
        println!("\n=== {}/{} {}: {}", i + 1, STEPS.len(), step.name, step.about);
        let started = Instant::now();
        let status = match filter.skip_reason(step.name) {
            Some(reason) => Status::Skipped { reason, fails: strict },
            None => status_of((step.run)(root), strict),
        };
        let report = StepReport { name: step.name, status, duration: started.elapsed() };
        if let Status::Failed(reason) = &report.status {
            println!("{reason}");
        }
        println!("--- {report}");
        reports.push(report);
    }
    Ok(print_summary(&reports))
}

fn status_of(result: Result<Outcome>, strict: bool) -> Status {
    match result {
        Ok(Outcome::Passed) => Status::Passed { note: String::new() },
        Ok(Outcome::Noted(note)) => Status::Passed { note },
        Ok(Outcome::Skipped { reason, excused }) => Status::Skipped { reason, fails: strict && !excused },
        Err(error) => Status::Failed(format!("{error:#}")),
    }
}

/// Prints the summary; returns `true` when no step failed.
fn print_summary(reports: &[StepReport]) -> bool {
    println!("\n=== summary");
    for report in reports {
        println!("{report}");
    }
    let count = |wanted: fn(&Status) -> bool| reports.iter().filter(|l| wanted(&l.status)).count();
    let failed = count(|v| matches!(v, Status::Failed(_)));
    let skipped = count(|v| matches!(v, Status::Skipped { .. }));
    let failing_skips = count(|v| matches!(v, Status::Skipped { fails: true, .. }));
    let ran = reports.len() - skipped;
    println!("steps: {ran} run, {failed} failed, {skipped} skipped ({failing_skips} of them count as failures)");
    let ok = failed + failing_skips == 0;
    println!(
        "{}",
        if !ok {
            "FAILED"
        } else if skipped == 0 {
            "ok"
        } else {
            "ok, but not everything ran"
        }
    );
    ok
}

/// The steps to run.
#[derive(Debug, Default)]
struct StepFilter {
    only: Vec<String>,
    skip: Vec<String>,
}

impl StepFilter {
    /// Parses the options; returns `None` for `--list`.
    fn parse(args: &[String]) -> Result<Option<Self>> {
        let mut filter = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let list = match arg.as_str() {
                "--list" => return Ok(None),
                "--only" => &mut filter.only,
                "--skip" => &mut filter.skip,
                other => bail!("unknown option `{other}` of `cargo xtask test`; use --only, --skip or --list"),
            };
            match args.next() {
                Some(name) if STEPS.iter().any(|step| step.name == name) => list.push(name.clone()),
                other => bail!("{arg} requires a step, got `{}`; see --list", other.map_or("", String::as_str)),
            }
        }
        Ok(Some(filter))
    }

    fn skip_reason(&self, step: &str) -> Option<String> {
        if self.skip.iter().any(|name| name == step) {
            return Some("excluded by --skip".to_owned());
        }
        let left_out = !self.only.is_empty() && !self.only.iter().any(|name| name == step);
        left_out.then(|| "not selected by --only".to_owned())
    }
}

fn fmt_check(root: &Path) -> Result<Outcome> {
    shell::run(&mut shell::cargo(root, &["fmt", "--all", "--check"]))?;
    Ok(Outcome::Passed)
}

fn lint_check(root: &Path) -> Result<Outcome> {
    let report = lint::run(root)?;
    if !report.is_clean() {
        bail!("{} violations of the project rules", report.violations.len());
    }
    Ok(Outcome::Passed)
}

fn clippy(root: &Path) -> Result<Outcome> {
    let args = ["clippy", "--workspace", "--all-targets", "--all-features", "--locked", "--", "-D", "warnings"];
    shell::run(&mut shell::cargo(root, &args))?;
    Ok(Outcome::Passed)
}

fn interop_set_up(root: &Path) -> Result<Outcome> {
    interop::set_up(root)?;
    Ok(Outcome::Passed)
}

fn features(root: &Path) -> Result<Outcome> {
    let metadata = shell::metadata(root)?;
    let facade = metadata["packages"].as_array().and_then(|all| all.iter().find(|p| p["name"] == "ferromcp"));
    let features = facade.and_then(|p| p["features"].as_object()).map(|f| f.keys().cloned()).into_iter().flatten();
    // HTTP without `server` or `client` has no code to enable.
    let sides = ["server,http", "client,http"].map(str::to_owned);
    for feature in std::iter::once(String::new()).chain(features.filter(|f| f != "default")).chain(sides) {
        let args = ["clippy", "-p", "ferromcp", "--locked", "--no-default-features", "--features"];
        let strict = [feature.as_str(), "--", "-D", "warnings"];
        shell::run(shell::cargo(root, &args).args(strict))?;
    }
    Ok(Outcome::Passed)
}

fn doc(root: &Path) -> Result<Outcome> {
    let args = ["doc", "--workspace", "--no-deps", "--all-features", "--locked"];
    shell::run(shell::cargo(root, &args).env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Outcome::Passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(args: &[&str]) -> Result<Option<StepFilter>> {
        StepFilter::parse(&args.iter().map(|&a| a.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn only_and_skip_select_steps_with_reason() {
        let filter = filter(&["--only", "fmt", "--only", "doc", "--skip", "doc"]).unwrap().unwrap();
        assert_eq!(filter.skip_reason("fmt"), None);
        assert_eq!(filter.skip_reason("doc").as_deref(), Some("excluded by --skip"));
        assert_eq!(filter.skip_reason("test").as_deref(), Some("not selected by --only"));
    }

    #[test]
    fn rejects_unknown_steps_and_options() {
        assert!(filter(&["--only", "everything"]).is_err());
        assert!(filter(&["--skip"]).is_err());
        assert!(filter(&["--quick"]).is_err());
    }

    #[test]
    fn skip_fails_in_ci_unless_excused() {
        let skip = |excused| Ok(Outcome::Skipped { reason: "no".to_owned(), excused });
        assert!(matches!(status_of(skip(false), true), Status::Skipped { fails: true, .. }));
        assert!(matches!(status_of(skip(true), true), Status::Skipped { fails: false, .. }));
        assert!(matches!(status_of(skip(false), false), Status::Skipped { fails: false, .. }));
    }

    #[test]
    fn fails_when_one_step_fails() {
        let passed = || Status::Passed { note: String::new() };
        let report = |status| StepReport { name: "fmt", status, duration: Duration::ZERO };
        assert!(print_summary(&[report(passed())]));
        assert!(!print_summary(&[report(passed()), report(Status::Failed("no".to_owned()))]));
        assert!(!print_summary(&[report(Status::Skipped { reason: "no".to_owned(), fails: true })]));
    }
}
