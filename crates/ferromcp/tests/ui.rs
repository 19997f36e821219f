//! Compile errors of incorrect attribute macros.
//!
//! The files in `ui` fail with messages of the macros. The files in `ui/types` fail with messages of the compiler, which
//! change between versions, so they are compared only with the version that generated the expected output.

use std::process::Command;

/// To update the expected output, run `TRYBUILD=overwrite cargo test -p ferromcp --test ui` and set the version here.
const EXPECTED_COMPILER: &str = "rustc 1.95.";

#[test]
fn compile_errors_match_expected_output() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    if compiler().starts_with(EXPECTED_COMPILER) {
        cases.compile_fail("tests/ui/types/*.rs");
    }
}

#[test]
fn troubleshooting_explains_the_error_of_a_function_without_attribute() {
    let read = |path| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let expected = read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ui/types/unannotated.stderr"));
    let guide = read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/troubleshooting.md"));
    let errors: Vec<&str> = expected.lines().filter_map(|line| line.strip_prefix("error[")).collect();
    assert_eq!(errors.len(), 4, "{expected}"); // a tool, a resource, a prompt and a completion
    for error in errors {
        let (code, text) = error.split_once("]: ").expect("a code and a text");
        assert!(guide.contains(&format!("- **{text}** ({code}), ")), "{text} ({code}) is not in troubleshooting.md");
    }
}

fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("a compiler compiled this");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
