//! Targets of a Cargo workspace.

use std::path::Path;

use crate::process::{Run, command, file, run};

/// A server without dependencies, which answers `initialize` and `ping`.
const SERVER: &str = r##"
fn main() {
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let Some(id) = line.split("\"id\":").nth(1) else { continue };
        let id: String = id.chars().take_while(|c| c.is_ascii_digit()).collect();
        let body = if line.contains("\"initialize\"") {
            r#""result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"NAME","version":"1"}}"#
        } else if line.contains("\"ping\"") {
            r#""result":{}"#
        } else {
            r#""error":{"code":-32601,"message":"Method not found"}"#
        };
        println!(r#"{{"jsonrpc":"2.0","id":{id},{body}}}"#);
    }
}
"##;

/// Writes a package `pack` with the program `pack` and the example `demo`.
pub(crate) fn workspace(folder: &Path) {
    std::fs::create_dir_all(folder.join("src/bin")).unwrap();
    std::fs::create_dir_all(folder.join("examples")).unwrap();
    let manifest = "[package]\nname = \"pack\"\nedition = \"2021\"\n[features]\nextra = []\n[workspace]\n\
                    [[example]]\nname = \"demo\"\nrequired-features = [\"extra\"]\n";
    file(folder, "Cargo.toml", manifest);
    file(&folder.join("src"), "main.rs", &SERVER.replace("NAME", "main"));
    file(&folder.join("examples"), "demo.rs", &SERVER.replace("NAME", "demo"));
    file(&folder.join("examples"), "broken.rs", "fn main() { let x: u8 = \"s\"; }");
}

#[test]
fn examples_and_packages_are_built_and_started() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    workspace(folder);
    let target = folder.join("target");
    let at = |args: &[&str]| -> Run {
        run(command(args).current_dir(folder.join("src")).env("CARGO_TARGET_DIR", &target).env_remove("RUSTFLAGS"))
    };
    let name = |target: &str| at(&["discover", target]);
    let example = name("demo");
    assert!(example.stdout.starts_with("name:         demo\n") && example.stderr.is_empty(), "{example:?}");
    let package = name("pack");
    assert!(package.stdout.starts_with("name:         main\n"), "{package:?}");
    let broken = name("broken");
    assert_eq!(broken.code, 3);
    assert!(broken.stderr.contains("cannot build `broken`:\n  error[E0308]: mismatched types"), "{broken:?}");
    let unknown = name("other");
    assert!(unknown.code == 2 && unknown.stderr.contains("cannot find the target `other`"), "{unknown:?}");

    let home = tempfile::tempdir().unwrap();
    let saved = run(command(&["add", "d", "demo"]).env("MCP_HOME", home.path()).current_dir(folder));
    assert_eq!(saved.code, 0, "{saved:?}");
    let mut elsewhere = command(&["discover", "d"]);
    let elsewhere = run(elsewhere.env("MCP_HOME", home.path()).current_dir("/").env("CARGO_TARGET_DIR", &target));
    assert!(elsewhere.stdout.starts_with("name:         demo\n"), "{elsewhere:?}");
}
