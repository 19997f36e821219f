//! The web inspector of `mcp dev` in Chromium, through Node with playwright-core.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::interop;
use crate::process::server;

/// Programs that run the page.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Returns the browser: that of `FERROMCP_CHROMIUM`, or one in `PATH`. Reports a skipped test if no browser exists.
fn browser(test: &str) -> Option<PathBuf> {
    let named = env::var_os("FERROMCP_CHROMIUM").filter(|path| !path.is_empty()).map(PathBuf::from);
    let folders: Vec<PathBuf> = env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    let mut found = BROWSERS.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let browser = named.or_else(|| found.find(|path| path.is_file()));
    if browser.is_none() {
        eprintln!("skipped: {test}: no Chromium; set FERROMCP_CHROMIUM");
    }
    browser
}

/// Runs a file of tests with Node. The test is skipped without Node, its packages or a browser.
fn run_tests(test: &str, file: &str) {
    let Some(folder) = interop::folder(test) else { return };
    let Some(browser) = browser(test) else { return };
    let packages = folder.join("node").join("node_modules");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("inspector").join(file);
    let output = Command::new(packages.join(".bin").join("node"))
        .args(["--test", "--test-reporter=spec"])
        .arg(path)
        .env("MCP", env!("CARGO_BIN_EXE_mcp"))
        .env("TEST_SERVER", server())
        .env("NODE_MODULES", packages)
        .env("CHROMIUM", browser)
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn modules_of_the_page_are_correct_without_a_browser() {
    run_tests("modules_of_the_page_are_correct_without_a_browser", "unit.test.mjs");
}

#[test]
fn page_works_in_chromium() {
    run_tests("page_works_in_chromium", "page.test.mjs");
}

#[test]
fn texts_of_a_hostile_server_stay_text() {
    run_tests("texts_of_a_hostile_server_stay_text", "hostile.test.mjs");
}
