//! The step that runs every test: cargo's own output goes to the log line by line, and its numbers are added up.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

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

/// How long the tests may say nothing under `CI=true`. A person sees that a test hangs; a machine would wait for ever.
const SILENCE: Duration = Duration::from_secs(300);

/// Runs all tests, even when one fails: the numbers then say how much is broken.
pub fn run(root: &Path) -> Result<Outcome> {
    let args = ["test", "--workspace", "--all-features", "--locked", "--no-fail-fast"];
    // Building is silent on stdout, so it comes first and by itself.
    shell::run(shell::cargo(root, &args).arg("--no-run"))?;
    let mut command = shell::cargo(root, &args);
    if let Some(folder) = interop::ready(root) {
        println!("{}={}", interop::VARIABLE, folder.display());
        command.env(interop::VARIABLE, folder);
    } else {
        println!("interop is not set up; the tests that need it say so themselves");
        command.env_remove(interop::VARIABLE);
    }
    println!("$ cargo {}", args.join(" "));
    let limit = shell::in_ci().then_some(SILENCE);
    let mut tally = Tally::default();
    let passed = follow(&mut command, limit, |line| {
        print!("{line}");
        tally.add(line);
    });
    let told = tally.told();
    if !passed.with_context(|| told.clone())? {
        bail!("{told}; a test failed, died or does not build");
    }
    if tally.passed == 0 {
        bail!("not one test ran");
    }
    Ok(Outcome::Noted(told))
}

/// Runs a command, hands on each line of its stdout, and says whether it succeeded. A command that is silent for longer
/// than `limit` is ended with all it started.
fn follow(command: &mut Command, limit: Option<Duration>, mut each: impl FnMut(&str)) -> Result<bool> {
    command.stdout(Stdio::piped());
    #[cfg(unix)]
    if limit.is_some() {
        // A group of its own, so that it can be ended as a whole.
        std::os::unix::process::CommandExt::process_group(command.stdin(Stdio::null()), 0);
    }
    let mut child = command.spawn().context("cargo does not start")?;
    let mut output = BufReader::new(child.stdout.take().context("stdout is piped")?);
    let (lines, arrive) = mpsc::sync_channel::<Vec<u8>>(64);
    // Ends with the pipe, or with the receiver.
    thread::spawn(move || {
        let mut line = Vec::new();
        // Bytes, not text: a test may print anything.
        while output.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            if lines.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    let mut last = String::new();
    loop {
        match arrive.recv_timeout(limit.unwrap_or(Duration::MAX)) {
            Ok(line) => {
                last = String::from_utf8_lossy(&line).into_owned();
                each(&last);
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(child.wait()?.success()),
            Err(RecvTimeoutError::Timeout) => {
                let _ = shell::read(Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]));
                let _ = child.kill();
                child.wait()?;
                bail!("a test hangs: nothing for {} s after `{}`", limit.unwrap_or_default().as_secs(), last.trim());
            }
        }
    }
}

impl Tally {
    /// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`; other lines count nothing.
    fn add(&mut self, line: &str) {
        let Some((_, numbers)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        let number = |word: &str| {
            let part = numbers.split("; ").find_map(|part| part.strip_suffix(word));
            part.and_then(|n| n.trim().parse::<usize>().ok()).unwrap_or(0)
        };
        self.programs += 1;
        self.passed += number("passed");
        self.failed += number("failed");
        self.ignored += number("ignored");
    }

    fn told(self) -> String {
        let Self { programs, passed, failed, ignored } = self;
        format!("{} tests ran in {programs} test programs, {failed} failed, {ignored} ignored", passed + failed)
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
        assert_eq!(tally, Tally { programs: 2, passed: 34, failed: 2, ignored: 1 });
        assert_eq!(tally.told(), "36 tests ran in 2 test programs, 2 failed, 1 ignored");
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_arrive_and_the_end_is_told() {
        let mut seen = Vec::new();
        let passed = follow(&mut shell("echo a; echo b; exit 3"), None, |line| seen.push(line.to_owned()));
        assert!(!passed.unwrap());
        assert_eq!(seen, ["a\n", "b\n"]);
    }

    #[test]
    fn a_silent_command_is_ended_with_its_children() {
        let started = std::time::Instant::now();
        let limit = Some(Duration::from_millis(300));
        let error = follow(&mut shell("echo test a; sleep 600 & wait"), limit, |_| {}).unwrap_err();
        assert!(error.to_string().contains("after `test a`"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(60));
    }
}
