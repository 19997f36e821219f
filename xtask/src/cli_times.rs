//! `cargo xtask cli-times`: times `mcp call` and other command-line clients, and prints ratios.
//!
//! Each client runs as a whole process and calls a tool of the example `quickstart` over stdio: `fastmcp call`, the Inspector
//! with `--cli` and `mcporter call`, in the versions that `cargo xtask interop` installs. They start in turn, so that all of
//! them measure the same load of the machine. A client that does not print the result of the tool is an error. The times are
//! printed only: they depend on the machine, and never fail the command.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{interop, shell};

/// Runs of each command, unless `--runs` is given.
const RUNS: usize = 20;
/// Runs of each command that are not counted.
const WARM_UP: usize = 2;
/// The sum that the tool `add` returns for the arguments 2 and 3.
const SUM: &str = "5";

/// A command to time, and its times.
struct Contender {
    name: String,
    program: PathBuf,
    args: Vec<String>,
    /// The text that stdout must contain.
    expected: &'static str,
    times: Vec<Duration>,
}

impl Contender {
    fn new(name: &str, program: impl Into<PathBuf>, args: &[&str], expected: &'static str) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { name: name.to_owned(), program: program.into(), args, expected, times: Vec::new() }
    }

    /// Runs the command once, in this home directory.
    fn run(&mut self, home: &Path) -> Result<Duration> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(home).env("HOME", home).env("MCP_HOME", home.join("mcp"));
        // Clients must not measure a registry.
        command.env("NO_UPDATE_NOTIFIER", "1").env("FASTMCP_CHECK_FOR_UPDATES", "off").env("NO_COLOR", "1");
        command.stdin(Stdio::null());
        let start = Instant::now();
        let output = command.output().with_context(|| format!("cannot start {}", self.program.display()))?;
        let elapsed = start.elapsed();
        let stdout = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() || !stdout.contains(self.expected) {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!("`{}` did not print `{}`: {}\n{stdout}{stderr}", self.name, self.expected, output.status);
        }
        Ok(elapsed)
    }

    fn median(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort();
        times[times.len() / 2]
    }
}

/// Runs the command.
///
/// # Errors
/// When an argument is invalid, a client cannot be installed or built, or does not print the result of the tool.
pub fn run(root: &Path, args: &[String]) -> Result<()> {
    let runs = match args {
        [] => RUNS,
        [option, value] if option == "--runs" => value.parse().ok().filter(|runs| *runs > 0).context("an integer")?,
        _ => bail!("unknown arguments; run `cargo xtask cli-times [--runs N]`"),
    };
    let installed = interop::set_up_clients(root)?;
    shell::run(&mut shell::cargo(root, &["build", "--profile", "dist", "--package", "ferromcp-cli", "--bin", "mcp"]))?;
    let quickstart = ["build", "--release", "--package", "ferromcp-examples", "--bin", "quickstart"];
    shell::run(&mut shell::cargo(root, &quickstart))?;
    let target = PathBuf::from(shell::metadata(root)?["target_directory"].as_str().context("a target directory")?);
    let program =
        |profile: &str, name: &str| target.join(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let (mcp, server) = (program("dist", "mcp"), program("release", "quickstart"));
    let home = target.join("cli-times");
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(&home)?;

    let mut calls = clients(&mcp, &server, &installed);
    measure(&mut calls, runs, &home)?;
    print!("{}", table("a call of `add` of the quickstart over stdio", &calls));
    let mut starts =
        vec![Contender::new("true", "true", &[], ""), Contender::new("mcp version", &mcp, &["version"], "protocol")];
    measure(&mut starts, runs, &home)?;
    print!("{}", table("start", &starts));
    println!("{}", size(&mcp, &home)?);
    Ok(())
}

/// Returns the clients, the one to compare with first.
fn clients(mcp: &Path, server: &Path, installed: &interop::Clients) -> Vec<Contender> {
    let server = server.display().to_string();
    let node = &installed.node;
    let script = |name: &str| node.with_file_name(name).display().to_string();
    let (inspector, mcporter) = (script("mcp-inspector"), script("mcporter"));
    let tool = ["--method", "tools/call", "--tool-name", "add", "--tool-arg", "a=2", "b=3"];
    let inspect = [&[&*inspector, "--cli", &*server], &tool[..]].concat();
    let mcporter = [&mcporter, "call", "--stdio", &server, "add", "a=2", "b=3"];
    let fastmcp = ["call", "--command", &server, "--target", "add", "--input-json", r#"{"a": 2, "b": 3}"#];
    vec![
        Contender::new("mcp call", mcp, &["call", "add", "a=2", "b=3", "--", &server], SUM),
        Contender::new("fastmcp call", &installed.fastmcp, &fastmcp, SUM),
        Contender::new("mcp-inspector --cli", node, &inspect, SUM),
        Contender::new("mcporter call", node, &mcporter, SUM),
    ]
}

/// Runs the commands in turn.
fn measure(contenders: &mut [Contender], runs: usize, home: &Path) -> Result<()> {
    for run in 0..WARM_UP + runs {
        for contender in &mut *contenders {
            let elapsed = contender.run(home)?;
            if run >= WARM_UP {
                contender.times.push(elapsed);
            }
        }
    }
    Ok(())
}

/// Returns the minimum, median and maximum of each command, and the ratio of the medians to the first one.
fn table(title: &str, contenders: &[Contender]) -> String {
    let runs = contenders[0].times.len();
    let mut text = format!("{title}: wall time of the process in ms, {runs} runs\n");
    let _ = writeln!(text, "{:24}{:>9}{:>9}{:>9}{:>9}", "", "min", "median", "max", "ratio");
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let first = contenders[0].median().as_secs_f64();
    for contender in contenders {
        let (min, max) = (contender.times.iter().min(), contender.times.iter().max());
        let [min, max] = [min, max].map(|time| millis(time.copied().unwrap_or_default()));
        let median = contender.median();
        let ratio = median.as_secs_f64() / first;
        let _ = writeln!(text, "{:24}{min:9.1}{:9.1}{max:9.1}{ratio:9.1}", contender.name, millis(median));
    }
    text
}

/// Returns the size of the program, and without its symbols if `strip` is installed.
fn size(program: &Path, folder: &Path) -> Result<String> {
    let mib = |path: &Path| -> Result<String> {
        let bytes = fs::metadata(path)?.len();
        Ok(format!("{bytes} bytes ({}.{} MiB)", bytes >> 20, ((bytes & 0xF_FFFF) * 10) >> 20))
    };
    let mut text = format!("size of mcp: {}", mib(program)?);
    let stripped = folder.join("mcp-stripped");
    if shell::output(Command::new("strip").arg("-o").arg(&stripped).arg(program)).is_ok() {
        let _ = write!(text, ", stripped: {}", mib(&stripped)?);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contender(name: &str, times: &[u64]) -> Contender {
        let times = times.iter().map(|millis| Duration::from_millis(*millis)).collect();
        Contender { times, ..Contender::new(name, "true", &[], "") }
    }

    #[test]
    fn ratio_compares_medians_with_the_first_command_when_printed() {
        let text = table("a call", &[contender("one", &[4, 2, 90]), contender("two", &[600, 200, 100])]);
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[2], ["one", "2.0", "4.0", "90.0", "1.0"]);
        assert_eq!(lines[3], ["two", "100.0", "200.0", "600.0", "50.0"]);
    }

    #[cfg(unix)]
    #[test]
    fn command_fails_when_its_output_is_unexpected() {
        let home = std::env::temp_dir();
        assert!(Contender::new("echo", "echo", &["x 5"], SUM).run(&home).is_ok());
        let error = Contender::new("echo", "echo", &["x"], SUM).run(&home).unwrap_err().to_string();
        assert!(error.starts_with("`echo` did not print `5`: exit status: 0\nx"), "{error}");
        assert!(Contender::new("false", "false", &[], "").run(&home).is_err());
    }
}
