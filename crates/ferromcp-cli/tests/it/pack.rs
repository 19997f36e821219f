//! `mcp pack`: the manifest, the archive, and `server.json`.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::cargo_targets::workspace;
use crate::interop;
use crate::process::{Run, command, file, run, server};

const URL: &str = "https://github.com/ada/demo/releases/download/v1.0.0/demo.mcpb";

/// The name of this platform in bundles.
const PLATFORM: &str = if cfg!(target_os = "macos") { "darwin" } else { "linux" };

fn number(bytes: &[u8], length: usize) -> usize {
    bytes[..length].iter().rev().fold(0, |sum, byte| (sum << 8) | usize::from(*byte))
}

/// Reads the files of a bundle.
fn unpack(bundle: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = std::fs::read(bundle).unwrap();
    let mut rest = bytes.as_slice();
    let mut found = BTreeMap::new();
    while rest.starts_with(b"PK\x03\x04") {
        let (size, name) = (number(&rest[18..], 4), number(&rest[26..], 2));
        let (path, data) = (&rest[30..30 + name], &rest[30 + name..30 + name + size]);
        let mut content = Vec::new();
        flate2::read::DeflateDecoder::new(data).read_to_end(&mut content).unwrap();
        found.insert(String::from_utf8(path.to_vec()).unwrap(), content);
        rest = &rest[30 + name + size..];
    }
    found
}

fn manifest(bundle: &Path) -> Value {
    serde_json::from_slice(&unpack(bundle)["manifest.json"]).unwrap()
}

/// Packs the server `demo` of the tests, which is built already, with these arguments.
fn pack_demo(bundle: &Path, args: &[&str]) -> Run {
    let binary = format!("{PLATFORM}={}", server());
    let mut command = command(&["pack", "cli-test-server", "--binary", &binary, "--arg", "demo"]);
    command.args(["--name", "demo", "--author", "Ada <ada@example.com>", "--output"]).arg(bundle).args(args);
    run(command.current_dir(env!("CARGO_MANIFEST_DIR")))
}

#[test]
fn manifest_describes_the_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("demo.mcpb");
    let other = file(folder.path(), "other.exe", "MZ");
    let other = format!("win32={}", other.display());
    let icon = folder.path().join("logo.png");
    std::fs::write(&icon, b"\x89PNG\r\n\x1a\n").unwrap();
    let icon = icon.display().to_string();
    let options = ["--secret", "API_KEY", "--config", "LIMIT:number=3", "--config", "ROOT:directory"];
    let packed = pack_demo(&bundle, &[&options[..], &["--binary", &other, "--icon", &icon]].concat());
    assert_eq!((packed.code, packed.stdout.as_str()), (0, ""), "{packed:?}");
    assert!(packed.stderr.contains("2 tools, "), "{packed:?}");
    assert!(!packed.stderr.contains("prompts without"), "{packed:?}");

    let manifest = manifest(&bundle);
    assert_eq!(manifest["manifest_version"], "0.3");
    assert_eq!((&manifest["name"], &manifest["display_name"]), (&json!("demo"), &json!("Demo")));
    assert_eq!((&manifest["version"], &manifest["license"]), (&json!("1.0.0"), &json!("MIT OR Apache-2.0")));
    assert_eq!(manifest["author"], json!({ "name": "Ada", "email": "ada@example.com" }));
    let tools = json!([
        { "name": "add", "description": "Add two numbers" },
        { "name": "divide", "description": "Divide two numbers" }
    ]);
    assert_eq!(manifest["tools"], tools);
    let text = "Please review this ${arguments.language} code:\n\n${arguments.code}";
    let prompt = json!({
        "name": "review_code", "description": "Ask for a review of some code", "arguments": ["code", "language"],
        "text": text,
    });
    assert_eq!(manifest["prompts"], json!([prompt]));
    let program = |platform: &str, name: &str| json!({ "command": format!("${{__dirname}}/server/{platform}/{name}") });
    let config = json!({
        "command": program(PLATFORM, "demo")["command"],
        "args": ["demo"],
        "env": {
            "LIMIT": "${user_config.limit}", "ROOT": "${user_config.root}", "API_KEY": "${user_config.api_key}",
        },
        "platform_overrides": { PLATFORM: program(PLATFORM, "demo"), "win32": program("win32", "demo.exe") },
    });
    assert_eq!(manifest["server"]["mcp_config"], config);
    assert_eq!(manifest["compatibility"], json!({ "platforms": [PLATFORM, "win32"] }));
    let user_config = &manifest["user_config"];
    assert_eq!(
        (&user_config["api_key"]["sensitive"], &user_config["api_key"]["required"]),
        (&json!(true), &json!(true))
    );
    assert_eq!((&user_config["limit"]["default"], &user_config["limit"]["required"]), (&json!(3), &json!(false)));
    assert_eq!(user_config["root"]["type"], "directory");

    let files = unpack(&bundle);
    let licenses = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "icon.png", "manifest.json"];
    let programs = [format!("server/{PLATFORM}/demo"), "server/win32/demo.exe".to_owned()];
    let expected: Vec<&str> = licenses.into_iter().chain(programs.iter().map(String::as_str)).collect();
    assert_eq!(files.keys().collect::<Vec<_>>(), expected);
    assert!(files[&programs[0]] == std::fs::read(server()).unwrap() && files[&programs[1]] == b"MZ");
}

/// Checks the rules of the schema of 2025-12-11 that apply to the fields which this command writes.
fn assert_valid_server_json(server: &Value) {
    let text = |value: &Value, max: usize| {
        let text = value.as_str().unwrap();
        assert!((1..=max).contains(&text.chars().count()), "{text}");
        text.to_owned()
    };
    let only = |value: &Value, keys: &[&str]| {
        for key in value.as_object().unwrap().keys() {
            assert!(keys.contains(&key.as_str()), "{key}");
        }
    };
    only(server, &["$schema", "name", "title", "description", "version", "repository", "packages"]);
    assert_eq!(server["$schema"], "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json");
    let name = text(&server["name"], 200);
    let (domain, rest) = name.split_once('/').unwrap();
    assert!(domain.len() > 1 && domain.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c)), "{name}");
    assert!(!rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)), "{name}");
    text(&server["title"], 100);
    text(&server["description"], 100);
    assert_ne!(text(&server["version"], 255), "latest");
    if let Some(repository) = server.get("repository") {
        only(repository, &["url", "source"]);
        assert!(repository["url"].as_str().unwrap().starts_with("https://") && repository["source"].is_string());
    }
    let [package] = server["packages"].as_array().unwrap().as_slice() else { panic!("{server}") };
    let keys = ["registryType", "identifier", "version", "fileSha256", "transport", "environmentVariables"];
    only(package, &keys);
    assert_eq!((&package["registryType"], &package["transport"]), (&json!("mcpb"), &json!({ "type": "stdio" })));
    let digest = text(&package["fileSha256"], 64);
    assert!(digest.len() == 64 && digest.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')), "{digest}");
    for variable in package["environmentVariables"].as_array().into_iter().flatten() {
        only(variable, &["name", "description", "format", "isRequired", "isSecret", "default"]);
        assert!(
            variable["name"].is_string() && variable["isRequired"].is_boolean() && variable["isSecret"].is_boolean()
        );
        assert!(["string", "number", "boolean", "filepath"].contains(&variable["format"].as_str().unwrap()));
        assert!(variable.get("default").is_none_or(Value::is_string), "{variable}");
    }
}

#[test]
fn registry_file_is_written_when_a_name_and_a_url_are_given() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("demo.mcpb");
    let registry = ["--registry-name", "io.github.ada/demo", "--url", URL];
    let long = "A server ".repeat(20);
    let options = ["--secret", "API_KEY", "--config", "LIMIT:number=3", "--description", &long];
    let packed = pack_demo(&bundle, &[&registry[..], &options].concat());
    assert!(packed.code == 0 && packed.stderr.contains("mcp-publisher publish"), "{packed:?}");
    let server: Value = serde_json::from_slice(&std::fs::read(folder.path().join("server.json")).unwrap()).unwrap();
    assert_valid_server_json(&server);
    assert_eq!((&server["name"], &server["version"]), (&json!("io.github.ada/demo"), &json!("1.0.0")));
    let package = &server["packages"][0];
    assert_eq!(package["identifier"], URL);
    let variables = package["environmentVariables"].as_array().unwrap();
    let secrets: Vec<(&Value, &Value)> = variables.iter().map(|it| (&it["name"], &it["isSecret"])).collect();
    assert_eq!(secrets, [(&json!("LIMIT"), &json!(false)), (&json!("API_KEY"), &json!(true))]);
    let sum = Command::new("sha256sum").arg(&bundle).output();
    if let Ok(sum) = sum {
        let sum = String::from_utf8(sum.stdout).unwrap();
        assert!(sum.starts_with(package["fileSha256"].as_str().unwrap()), "{sum}");
    }
}

#[test]
fn cargo_target_is_built_in_release_mode_with_equal_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    workspace(folder);
    let pack = |output: &str| {
        let mut command = command(&["pack", "pack", "--author", "Ada", "--description", "Packed", "--output", output]);
        run(command.current_dir(folder).env("CARGO_TARGET_DIR", folder.join("target")).env_remove("RUSTFLAGS"))
    };
    for output in ["one.mcpb", "two.mcpb"] {
        let packed = pack(output);
        assert!(packed.code == 0 && packed.stderr.contains("0 tools"), "{packed:?}");
    }
    assert!(folder.join("target/release/pack").is_file());
    assert_eq!(std::fs::read(folder.join("one.mcpb")).unwrap(), std::fs::read(folder.join("two.mcpb")).unwrap());
    let manifest = manifest(&folder.join("one.mcpb"));
    assert_eq!((&manifest["display_name"], &manifest["description"]), (&json!("main"), &json!("Packed")));
    assert_eq!(manifest["server"]["entry_point"], "server/pack");
    assert_eq!(manifest["server"]["mcp_config"], json!({ "command": "${__dirname}/server/pack", "args": [] }));
}

#[test]
fn nothing_is_written_when_arguments_are_invalid() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("demo.mcpb");
    for (args, code, expected) in [
        (&["--config", "A:path"][..], 2, "unknown type; use string"),
        (&["--binary", "macos=x"], 2, "PLATFORM is linux, darwin or win32"),
        (&["--name", "a/b"], 2, "cannot use the name `a/b`"),
        (&["--icon", "Cargo.toml"], 2, "it is not a PNG file"),
        (&["--binary", "win32=/missing"], 2, "cannot pack `/missing`"),
        (&["--url", URL], 2, "--registry-name"),
        (&["--registry-name", "demo", "--url", URL], 2, "write for example io.github.user/server"),
        (&["--arg", "hostile"], 3, "usage: cli-test-server"),
    ] {
        let mut full = vec!["pack", "cli-test-server", "--author", "Ada"];
        let binary = format!("{PLATFORM}={}", server());
        full.extend(["--binary", &binary]);
        if !args.contains(&"hostile") {
            full.extend(["--arg", "demo"]);
        }
        let mut command = command(&full);
        command.arg("--output").arg(&bundle).args(args).current_dir(env!("CARGO_MANIFEST_DIR"));
        let failed = run(&mut command);
        assert!(failed.code == code && failed.stderr.contains(expected), "{args:?}: {failed:?}");
    }
    for target in ["server.py", "https://example.com/mcp", "missing"] {
        let failed = run(command(&["pack", target]).current_dir(env!("CARGO_MANIFEST_DIR")));
        assert!(failed.code == 2 && failed.stderr.contains("npx @anthropic-ai/mcpb init"), "{failed:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn bundle_is_valid_and_starts_when_unpacked_by_mcpb() {
    let Some(interop) = interop::folder("bundle_is_valid_and_starts_when_unpacked_by_mcpb") else { return };
    let bin = interop.join("node").join("node_modules").join(".bin");
    let mcpb = |args: &[&str]| run(Command::new(bin.join("node")).arg(bin.join("mcpb")).args(args));
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("demo.mcpb");
    let options = ["--secret", "API_KEY", "--config", "LIMIT:number=3"];
    assert_eq!(pack_demo(&bundle, &options).code, 0);
    let unpacked = folder.path().join("unpacked");
    let (bundle, folder) = (bundle.display().to_string(), unpacked.display().to_string());
    let result = mcpb(&["unpack", &bundle, &folder]);
    assert_eq!(result.code, 0, "{result:?}");
    let result = mcpb(&["validate", &folder]);
    assert!(result.code == 0 && result.stdout.contains("validation passes"), "{result:?}");

    let manifest: Value = serde_json::from_slice(&std::fs::read(unpacked.join("manifest.json")).unwrap()).unwrap();
    let config = &manifest["server"]["mcp_config"];
    let program = config["command"].as_str().unwrap().replace("${__dirname}", &folder);
    let args = config["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap());
    let list = run(command(&["list", "tools", "--"]).arg(program).args(args));
    assert!(list.code == 0 && list.stdout.starts_with("add(a: integer, b: integer = 1)\n"), "{list:?}");
}
