//! `cargo xtask test`: the whole test command, step by step, and a closing table that hides nothing.
//!
//! A step that did not run is told with its reason. Under `CI=true` that is a failure, unless the machine has no means
//! at all to run it.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::outcome::Outcome;
use crate::{conformance, deny, house, interop, msrv, run_tests, shell};

struct Step {
    name: &'static str,
    about: &'static str,
    run: fn(&Path) -> Result<Outcome>,
}

/// Cheap steps first, so that a slip is told soon; the tests last, so that their numbers stand at the end of the log.
const STEPS: [Step; 10] = [
    Step { name: "fmt", about: "every source is formatted", run: fmt_check },
    Step { name: "house", about: "the house rules hold", run: house_rules },
    Step { name: "clippy", about: "no lint, in any target, with every feature", run: clippy },
    Step {
        name: "features",
        about: "the facade builds with each feature alone and HTTP with each side",
        run: features,
    },
    Step { name: "doc", about: "the documentation builds without a warning", run: doc },
    Step { name: "msrv", about: "the oldest compiler we promise still builds it", run: msrv::check },
    Step { name: "deny", about: "licences, bans, sources, advisories", run: deny::check },
    Step { name: "interop", about: "other people's MCP programs are set up", run: interop_set_up },
    Step { name: "conformance", about: "the official suite passes what is required", run: conformance::both },
    Step { name: "test", about: "unit, integration and doc tests", run: run_tests::run },
];

enum Verdict {
    Passed { note: String },
    Failed(String),
    Skipped { why: String, fails: bool },
}

struct Line {
    name: &'static str,
    verdict: Verdict,
    took: Duration,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, why) = match &self.verdict {
            Verdict::Passed { note } => ("passed", format!("  {note}")),
            Verdict::Failed(why) => ("FAILED", format!("  {}", why.lines().next().unwrap_or_default())),
            Verdict::Skipped { why, fails: true } => ("SKIPPED", format!("  {why} (a failure under CI=true)")),
            Verdict::Skipped { why, fails: false } => ("skipped", format!("  {why}")),
        };
        let line = format!("{:<12}{word:<8}{:>7.1} s{why}", self.name, self.took.as_secs_f64());
        f.write_str(line.trim_end())
    }
}

/// Runs the steps that `args` choose; `false` when one failed.
pub fn run(root: &Path, args: &[String]) -> Result<bool> {
    let Some(choice) = Choice::read(args)? else {
        for step in &STEPS {
            println!("{:<12}{}", step.name, step.about);
        }
        return Ok(true);
    };
    let strict = shell::in_ci();
    let mut lines = Vec::new();
    for (i, step) in STEPS.iter().enumerate() {
        println!("\n=== {}/{} {}: {}", i + 1, STEPS.len(), step.name, step.about);
        let started = Instant::now();
        let verdict = match choice.refuses(step.name) {
            Some(why) => Verdict::Skipped { why, fails: strict },
            None => judge((step.run)(root), strict),
        };
        let line = Line { name: step.name, verdict, took: started.elapsed() };
        if let Verdict::Failed(why) = &line.verdict {
            println!("{why}");
        }
        println!("--- {line}");
        lines.push(line);
    }
    Ok(close(&lines))
}

fn judge(result: Result<Outcome>, strict: bool) -> Verdict {
    match result {
        Ok(Outcome::Passed) => Verdict::Passed { note: String::new() },
        Ok(Outcome::Noted(note)) => Verdict::Passed { note },
        Ok(Outcome::Skipped { why, excused }) => Verdict::Skipped { why, fails: strict && !excused },
        Err(error) => Verdict::Failed(format!("{error:#}")),
    }
}

/// Prints the table; `true` when nothing failed.
fn close(lines: &[Line]) -> bool {
    println!("\n=== what ran");
    for line in lines {
        println!("{line}");
    }
    let count = |wanted: fn(&Verdict) -> bool| lines.iter().filter(|l| wanted(&l.verdict)).count();
    let failed = count(|v| matches!(v, Verdict::Failed(_)));
    let skipped = count(|v| matches!(v, Verdict::Skipped { .. }));
    let counted = count(|v| matches!(v, Verdict::Skipped { fails: true, .. }));
    let ran = lines.len() - skipped;
    println!("steps: {ran} run, {failed} failed, {skipped} skipped ({counted} of them count as failures)");
    let fine = failed + counted == 0;
    println!(
        "{}",
        if !fine {
            "FAILED"
        } else if skipped == 0 {
            "ok"
        } else {
            "ok, but not everything ran"
        }
    );
    fine
}

/// Which steps to run.
#[derive(Debug, Default)]
struct Choice {
    only: Vec<String>,
    skip: Vec<String>,
}

impl Choice {
    /// `None` stands for `--list`.
    fn read(args: &[String]) -> Result<Option<Self>> {
        let mut choice = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let list = match arg.as_str() {
                "--list" => return Ok(None),
                "--only" => &mut choice.only,
                "--skip" => &mut choice.skip,
                other => bail!("`{other}` is no option of `cargo xtask test`; there are --only, --skip and --list"),
            };
            match args.next() {
                Some(name) if STEPS.iter().any(|step| step.name == name) => list.push(name.clone()),
                other => bail!("{arg} wants a step, not `{}`; see --list", other.map_or("", String::as_str)),
            }
        }
        Ok(Some(choice))
    }

    fn refuses(&self, step: &str) -> Option<String> {
        if self.skip.iter().any(|name| name == step) {
            return Some("asked for by --skip".to_owned());
        }
        let left_out = !self.only.is_empty() && !self.only.iter().any(|name| name == step);
        left_out.then(|| "not among --only".to_owned())
    }
}

fn fmt_check(root: &Path) -> Result<Outcome> {
    shell::run(&mut shell::cargo(root, &["fmt", "--all", "--check"]))?;
    Ok(Outcome::Passed)
}

fn house_rules(root: &Path) -> Result<Outcome> {
    let report = house::run(root)?;
    if !report.is_clean() {
        bail!("{} house rules are broken", report.violations.len());
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
    // By itself HTTP has no side to belong to.
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

    fn choice(args: &[&str]) -> Result<Option<Choice>> {
        Choice::read(&args.iter().map(|&a| a.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn only_and_skip_choose_steps_and_give_the_reason() {
        let chosen = choice(&["--only", "fmt", "--only", "doc", "--skip", "doc"]).unwrap().unwrap();
        assert_eq!(chosen.refuses("fmt"), None);
        assert_eq!(chosen.refuses("doc").as_deref(), Some("asked for by --skip"));
        assert_eq!(chosen.refuses("test").as_deref(), Some("not among --only"));
    }

    #[test]
    fn unknown_steps_and_options_are_refused() {
        assert!(choice(&["--only", "everything"]).is_err());
        assert!(choice(&["--skip"]).is_err());
        assert!(choice(&["--quick"]).is_err());
    }

    #[test]
    fn a_skip_fails_in_ci_unless_the_machine_cannot() {
        let skip = |excused| Ok(Outcome::Skipped { why: "no".to_owned(), excused });
        assert!(matches!(judge(skip(false), true), Verdict::Skipped { fails: true, .. }));
        assert!(matches!(judge(skip(true), true), Verdict::Skipped { fails: false, .. }));
        assert!(matches!(judge(skip(false), false), Verdict::Skipped { fails: false, .. }));
    }

    #[test]
    fn one_failure_fails_the_whole() {
        let passed = || Verdict::Passed { note: String::new() };
        let line = |verdict| Line { name: "fmt", verdict, took: Duration::ZERO };
        assert!(close(&[line(passed())]));
        assert!(!close(&[line(passed()), line(Verdict::Failed("no".to_owned()))]));
        assert!(!close(&[line(Verdict::Skipped { why: "no".to_owned(), fails: true })]));
    }
}
