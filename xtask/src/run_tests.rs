//! The step that runs all tests. The output of cargo is printed line by line, and the test counts are summed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::outcome::Outcome;
use crate::{interop, shell};

/// The summed counts of all test binaries.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct TestCounts {
    programs: usize,
    passed: usize,
    failed: usize,
    ignored: usize,
}

/// The timeout between two lines of test output under `CI=true`, so that a hanging test does not block CI.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(300);

/// Runs all tests, even when one fails.
///
/// # Errors
/// When a test fails, does not build, or exceeds the output timeout under `CI=true`.
pub fn run(root: &Path) -> Result<Outcome> {
    let args = ["test", "--workspace", "--all-features", "--locked", "--no-fail-fast"];
    // The build prints nothing to stdout, so it runs first, without the output timeout.
    shell::run(shell::cargo(root, &args).arg("--no-run"))?;
    let mut command = shell::cargo(root, &args);
    if let Some(folder) = interop::ready(root) {
        println!("{}={}", interop::VARIABLE, folder.display());
        command.env(interop::VARIABLE, folder);
    } else {
        println!("interop is not set up; the tests that require it report that they are skipped");
        command.env_remove(interop::VARIABLE);
    }
    println!("$ cargo {}", args.join(" "));
    let limit = shell::in_ci().then_some(OUTPUT_TIMEOUT);
    let mut counts = TestCounts::default();
    let passed = run_streaming(&mut command, limit, |line| {
        print!("{line}");
        counts.add(line);
    });
    let summary = counts.summary();
    if !passed.with_context(|| summary.clone())? {
        bail!("{summary}; a test failed, crashed or does not build");
    }
    if counts.passed == 0 {
        bail!("no tests ran");
    }
    Ok(Outcome::Noted(summary))
}

/// Runs a command, passes each line of its stdout to `on_line`, and returns whether it succeeded. If no line arrives
/// within `limit`, the command and its child processes are killed.
fn run_streaming(command: &mut Command, limit: Option<Duration>, mut on_line: impl FnMut(&str)) -> Result<bool> {
    command.stdout(Stdio::piped());
    #[cfg(unix)]
    if limit.is_some() {
        // A separate process group can be killed as a whole.
        std::os::unix::process::CommandExt::process_group(command.stdin(Stdio::null()), 0);
    }
    let mut child = command.spawn().context("cannot start cargo")?;
    let mut output = BufReader::new(child.stdout.take().context("stdout is piped")?);
    let (lines, receiver) = mpsc::sync_channel::<Vec<u8>>(64);
    // Exits when the pipe is closed or the receiver is dropped.
    thread::spawn(move || {
        let mut line = Vec::new();
        // Reads bytes, because test output may not be UTF-8.
        while output.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            if lines.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    let mut last = String::new();
    loop {
        match receiver.recv_timeout(limit.unwrap_or(Duration::MAX)) {
            Ok(line) => {
                last = String::from_utf8_lossy(&line).into_owned();
                on_line(&last);
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(child.wait()?.success()),
            Err(RecvTimeoutError::Timeout) => {
                let _ = shell::output(Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]));
                let _ = child.kill();
                child.wait()?;
                bail!("a test hangs: no output for {} s after `{}`", limit.unwrap_or_default().as_secs(), last.trim());
            }
        }
    }
}

impl TestCounts {
    /// Parses `test result: ok. 3 passed; 0 failed; 1 ignored; …`; ignores other lines.
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

    fn summary(self) -> String {
        let Self { programs, passed, failed, ignored } = self;
        format!("{} tests ran in {programs} test binaries, {failed} failed, {ignored} ignored", passed + failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_counts_of_test_binaries() {
        let mut counts = TestCounts::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.44s",
            "test a::test result: ok. 9 passed; 9 failed",
            "test result: FAILED. 31 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
        ] {
            counts.add(line);
        }
        assert_eq!(counts, TestCounts { programs: 2, passed: 34, failed: 2, ignored: 1 });
        assert_eq!(counts.summary(), "36 tests ran in 2 test binaries, 2 failed, 1 ignored");
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn streams_lines_and_reports_exit_status() {
        let mut seen = Vec::new();
        let passed = run_streaming(&mut shell("echo a; echo b; exit 3"), None, |line| seen.push(line.to_owned()));
        assert!(!passed.unwrap());
        assert_eq!(seen, ["a\n", "b\n"]);
    }

    #[test]
    fn kills_process_group_when_output_times_out() {
        let started = std::time::Instant::now();
        let limit = Some(Duration::from_millis(300));
        let error = run_streaming(&mut shell("echo test a; sleep 600 & wait"), limit, |_| {}).unwrap_err();
        assert!(error.to_string().contains("after `test a`"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(60));
    }
}
