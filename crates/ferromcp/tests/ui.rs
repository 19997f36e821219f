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

fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("a compiler compiled this");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
