//! Runs the fuzz targets under AddressSanitizer, one after another, and checks that they compile.
//!
//! A run requires a nightly toolchain, a C++ compiler and `cargo install cargo-fuzz`. New inputs are stored under
//! `target/fuzz`; `fuzz/corpus` is read, and changed only by `--minimize`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::outcome::Outcome;
use crate::shell;

/// The default time for each target, in seconds.
const SECONDS: u32 = 600;

/// The options of libFuzzer: the maximum input in bytes, memory in MiB, the time for one input in seconds, and no names of
/// new functions, which are slow to look up.
const LIMITS: [&str; 4] = ["-max_len=8192", "-rss_limit_mb=2048", "-timeout=10", "-print_funcs=0"];

/// The maximum number of files in the corpus of a target.
const MAX_FILES: usize = 200;

/// Targets whose servers serve many inputs. Each input leaves records there, so that libFuzzer would search for leaks after
/// each of the first thousand inputs, which takes longer than the inputs.
const WITHOUT_LEAK_CHECKS: [&str; 2] = ["auth_jwt", "auth_server"];

/// The options of one run.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    seconds: u32,
    minimize: bool,
    targets: Vec<String>,
}

/// Runs the targets that `args` select, by default all. Returns `false` if a target failed.
pub fn run(root: &Path, args: &[String]) -> Result<bool> {
    let all = targets(root)?;
    let options = parse(args, &all)?;
    if shell::output(cargo_fuzz(root).arg("--version")).is_err() {
        bail!(
            "cannot run `cargo fuzz`; run `rustup toolchain install nightly` and `cargo install cargo-fuzz --locked`"
        );
    }
    // Build first, so that the time of each target is spent on inputs.
    shell::run(cargo_fuzz(root).arg("build"))?;
    let mut failed = Vec::new();
    for target in &options.targets {
        if let Err(error) = run_target(root, target, &options) {
            println!("{error}");
            failed.push(target.as_str());
        }
    }
    if !failed.is_empty() {
        println!("failed: {}; see fuzz/README.md", failed.join(", "));
    }
    Ok(failed.is_empty())
}

/// Checks that the targets compile, with the current toolchain and the versions of the committed lock file.
///
/// A check does not link libFuzzer, so its library need not exist, and no C++ compiler is required.
///
/// # Errors
/// When a target does not compile, or has warnings.
pub fn check(root: &Path) -> Result<Outcome> {
    let folder = root.join("fuzz");
    // Git ignores the copy.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).context("cannot copy Cargo.lock to fuzz")?;
    let mut command = shell::cargo(&folder, &["check", "--bins"]);
    command.env("RUSTFLAGS", "--cfg fuzzing -D warnings").env("CUSTOM_LIBFUZZER_PATH", folder.join("libfuzzer.a"));
    shell::run(command.env("CARGO_TARGET_DIR", root.join("target").join("fuzz-check")))?;
    Ok(Outcome::Passed)
}

fn run_target(root: &Path, target: &str, options: &Options) -> Result<()> {
    let corpus = root.join("fuzz").join("corpus").join(target);
    let found = root.join("target").join("fuzz").join(target);
    for folder in [&corpus, &found] {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let mut command = cargo_fuzz_run(root, target);
    command.args([&found, &corpus]).arg("--").args(LIMITS);
    command
        .arg(format!("-max_total_time={}", options.seconds))
        .arg("-print_final_stats=1")
        .arg(dictionary(root, target));
    if WITHOUT_LEAK_CHECKS.contains(&target) {
        command.arg("-detect_leaks=0");
    }
    shell::run(&mut command)?;
    if options.minimize {
        minimize(root, target, &corpus, &found)?;
    }
    Ok(())
}

/// Replaces the corpus by a minimal set of its inputs and the new ones, which reaches the same code.
fn minimize(root: &Path, target: &str, corpus: &Path, found: &Path) -> Result<()> {
    let minimal = root.join("target").join("fuzz-minimal").join(target);
    if minimal.exists() {
        fs::remove_dir_all(&minimal)?;
    }
    fs::create_dir_all(&minimal)?;
    let mut command = cargo_fuzz_run(root, target);
    command.args([minimal.as_path(), corpus, found]).arg("--").args(LIMITS);
    // Without counters, the number of times that code runs is ignored, which keeps the corpus small.
    shell::run(command.args(["-set_cover_merge=1", "-use_counters=0"]))?;
    // The inputs that reach the most code are written first.
    let mut inputs = Vec::new();
    for entry in fs::read_dir(&minimal)? {
        let entry = entry?;
        inputs.push((entry.metadata()?.modified()?, entry.path()));
    }
    inputs.sort();
    fs::remove_dir_all(corpus)?;
    fs::create_dir_all(corpus)?;
    for (_, path) in inputs.iter().take(MAX_FILES) {
        if let Some(name) = path.file_name() {
            fs::copy(path, corpus.join(name))?;
        }
    }
    Ok(())
}

/// Returns the `-dict` option: words of the protocol or of OAuth, which libFuzzer inserts into inputs.
fn dictionary(root: &Path, target: &str) -> String {
    let file = if target.starts_with("auth_") { "auth.dict" } else { "protocol.dict" };
    format!("-dict={}", root.join("fuzz").join(file).display())
}

/// Returns the targets in alphabetic order.
fn targets(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("fuzz").join("fuzz_targets");
    let mut targets = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path: PathBuf = entry?.path();
        targets.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
    }
    targets.sort();
    Ok(targets)
}

fn parse(args: &[String], all: &[String]) -> Result<Options> {
    let mut options = Options { seconds: SECONDS, minimize: false, targets: Vec::new() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--seconds" => {
                let seconds = args.next().and_then(|seconds| seconds.parse().ok());
                options.seconds = seconds.context("`--seconds` requires a number of seconds")?;
            }
            "--minimize" => options.minimize = true,
            target if all.iter().any(|other| other == target) => options.targets.push(target.to_owned()),
            other => bail!("unknown fuzz target `{other}`; available targets: {}", all.join(", ")),
        }
    }
    if options.targets.is_empty() {
        options.targets = all.to_vec();
    }
    Ok(options)
}

/// Returns a command that runs `cargo fuzz` with the nightly toolchain.
fn cargo_fuzz(root: &Path) -> Command {
    let mut command = Command::new("rustup");
    // The variables of the outer cargo must not affect the inner one.
    command.current_dir(root).env_remove("RUSTC").env_remove("CARGO").args(["run", "nightly", "cargo", "fuzz"]);
    command
}

/// Returns a command that runs a target, which is built already. Without certificates the HTTP client starts faster; the
/// targets do not use TLS.
fn cargo_fuzz_run(root: &Path, target: &str) -> Command {
    let mut command = cargo_fuzz(root);
    command.args(["run", target]).env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", root.join("fuzz"));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn runs_all_targets_when_no_target_is_given() {
        let all = strings(&["decode", "sse"]);
        let options = parse(&strings(&["--seconds", "5"]), &all).unwrap();
        assert_eq!(options, Options { seconds: 5, minimize: false, targets: all });
    }

    #[test]
    fn runs_selected_targets_when_targets_are_given() {
        let all = strings(&["decode", "sse"]);
        let options = parse(&strings(&["sse", "--minimize"]), &all).unwrap();
        assert_eq!(options, Options { seconds: SECONDS, minimize: true, targets: strings(&["sse"]) });
    }

    #[test]
    fn parse_fails_when_an_argument_is_invalid() {
        let all = strings(&["decode"]);
        for args in [&["--seconds"][..], &["--seconds", "x"], &["sse"]] {
            assert!(parse(&strings(args), &all).is_err(), "{args:?}");
        }
    }

    #[test]
    fn every_target_is_in_the_manifest() {
        let root = shell::workspace_root().unwrap();
        let manifest = fs::read_to_string(root.join("fuzz").join("Cargo.toml")).unwrap();
        let binaries: Vec<&str> = manifest.split("[[bin]]").skip(1).collect();
        let targets = targets(&root).unwrap();
        assert_eq!(binaries.len(), targets.len());
        for target in targets {
            assert!(binaries.iter().any(|binary| binary.contains(&format!("name = \"{target}\""))), "{target}");
        }
    }
}
