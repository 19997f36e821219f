//! What people read when they hold an attribute macro wrong.
//!
//! `ui/*.rs` fail with messages of ours. Those in `ui/types` fail with messages of the compiler, whose words change with
//! its version, so they are compared under the one version they were written down with.

use std::process::Command;

/// To bless other words: `TRYBUILD=overwrite cargo test -p ferromcp --test ui`, and write the version here.
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
