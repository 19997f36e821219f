//! The step that runs every test: cargo's own output goes to the log line by line, and its numbers are added up.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::outcome::Outcome;
use crate::{interop, shell};

/// What the test programs said at their ends, added up.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    programs: usize,
    passed: usize,
    failed: usize,
    ignored: usize,
}

/// Runs all tests, even when one fails: the numbers then say how much is broken.
pub fn run(root: &Path) -> Result<Outcome> {
    let args = [
        "test",
        "--workspace",
        "--all-features",
        "--locked",
        "--no-fail-fast",
    ];
    let mut command = shell::cargo(root, &args);
    if let Some(folder) = interop::ready(root) {
        println!("{}={}", interop::VARIABLE, folder.display());
        command.env(interop::VARIABLE, folder);
    } else {
        println!("interop is not set up; the tests that need it say so themselves");
        command.env_remove(interop::VARIABLE);
    }
    println!("$ cargo {}", args.join(" "));
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo does not start")?;
    let mut tally = Tally::default();
    let mut output = BufReader::new(child.stdout.take().context("stdout is piped")?);
    let mut line = Vec::new();
    // Bytes, not text: a test may print anything.
    while output.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        tally.add(&text);
        line.clear();
    }
    let told = tally.told();
    if !child.wait()?.success() {
        bail!("{told}; a test failed or does not build");
    }
    if tally.passed == 0 {
        bail!("not one test ran");
    }
    Ok(Outcome::Noted(told))
}

impl Tally {
    /// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`; other lines count nothing.
    fn add(&mut self, line: &str) {
        let Some((_, numbers)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        let number = |word: &str| {
            let part = numbers.split("; ").find_map(|part| part.strip_suffix(word));
            part.and_then(|n| n.trim().parse::<usize>().ok())
                .unwrap_or(0)
        };
        self.programs += 1;
        self.passed += number("passed");
        self.failed += number("failed");
        self.ignored += number("ignored");
    }

    fn told(self) -> String {
        let Self {
            programs,
            passed,
            failed,
            ignored,
        } = self;
        format!(
            "{} tests ran in {programs} test programs, {failed} failed, {ignored} ignored",
            passed + failed
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_add_up_over_test_programs() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.44s",
            "test a::test result: ok. 9 passed; 9 failed",
            "test result: FAILED. 31 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
        ] {
            tally.add(line);
        }
        assert_eq!(
            tally,
            Tally {
                programs: 2,
                passed: 34,
                failed: 2,
                ignored: 1
            }
        );
        assert_eq!(
            tally.told(),
            "36 tests ran in 2 test programs, 2 failed, 1 ignored"
        );
    }
}
