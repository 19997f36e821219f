//! Python files as targets.

use std::path::Path;

use crate::interop;
use crate::process::{Run, command, file, run};

/// A package `mcp` that is complete enough for the search of the server object.
const FAKE: &str = r#"
import json, sys

class Server:
    def __init__(self, name):
        self.name = name

    def run(self, transport):
        assert transport == "stdio"
        for line in sys.stdin:
            message = json.loads(line)
            if "id" not in message:
                continue
            reply = {"jsonrpc": "2.0", "id": message["id"]}
            if message["method"] == "initialize":
                info = {"name": self.name, "version": "1"}
                reply["result"] = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": info}
            else:
                reply["error"] = {"code": -32601, "message": "Method not found"}
            print(json.dumps(reply), flush=True)
"#;

fn python() -> Option<&'static str> {
    let has = std::process::Command::new("python3").arg("--version").output().is_ok_and(|it| it.status.success());
    if !has {
        eprintln!("skipped: python3 is not installed");
    }
    has.then_some("python3")
}

fn discover(folder: &Path, target: &str) -> Run {
    run(command(&["discover", "--python", "python3", target]).current_dir(folder))
}

/// Creates a folder with the package of [`FAKE`]. `None` without Python.
fn folder_with_sdk() -> Option<tempfile::TempDir> {
    python()?;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mcp")).unwrap();
    file(&folder.path().join("mcp"), "__init__.py", FAKE);
    Some(folder)
}

/// Discovers a server object of a file with this code.
fn discover_object(folder: &Path, code: &str, object: &str) -> Run {
    file(folder, "server.py", &format!("from mcp import Server\n{code}\n"));
    discover(folder, &format!("server.py{object}"))
}

#[test]
fn server_object_is_found() {
    let Some(folder) = folder_with_sdk() else { return };
    let folder = folder.path();
    for (code, object, expected) in [
        ("mcp = Server('a')", "", "a"),
        ("other, server = Server('a'), Server('b')", "", "b"),
        ("only = Server('c')\nalias = only", "", "c"),
        ("x, y = Server('d'), Server('e')", ":y", "e"),
        ("def make(): return Server('f')", ":make", "f"),
        ("async def make(): return Server('g')", ":make", "g"),
        ("class Box: inner = Server('h')", ":Box.inner", "h"),
        ("print('noise while importing')\napp = Server('i')", "", "i"),
        ("import helper\nserver = Server(helper.NAME)", "", "j"),
    ] {
        file(folder, "helper.py", "NAME = 'j'");
        let run = discover_object(folder, code, object);
        assert!(run.stdout.starts_with(&format!("name:         {expected}\n")), "{code}: {run:?}");
    }
}

#[test]
fn error_names_the_cause_when_no_server_object_is_found() {
    let Some(folder) = folder_with_sdk() else { return };
    let folder = folder.path();
    for (code, object, expected) in [
        ("x, y = Server('a'), Server('b')", "", "several server objects; write one of: server.py:x, server.py:y"),
        ("x = 3", "", "cannot find a server object in server.py"),
        ("x = 3", ":y", "cannot find `y` in server.py"),
        ("x = 3", ":x", "cannot run `x` of server.py: it is a int, not an MCP server"),
        ("raise ValueError('broken')", "", "ValueError: broken"),
        ("import not_installed_anywhere", "", "No module named 'not_installed_anywhere'"),
    ] {
        let run = discover_object(folder, code, object);
        assert!(run.code == 3 && run.stderr.contains(expected), "{code}: {run:?}");
    }
}

#[test]
fn servers_of_python_packages_are_started() {
    let Some(interop) = interop::folder("servers_of_python_packages_are_started") else { return };
    let folder = tempfile::tempdir().unwrap();
    let tool = "@mcp.tool()\ndef add(a: int, b: int = 1) -> int:\n    \"\"\"Add two numbers.\"\"\"\n    return a + b\n";
    let low_level = "from mcp.server.lowlevel import Server\nserver = Server('low')\n";
    for (part, code, name) in [
        ("py1", format!("from mcp.server.fastmcp import FastMCP\nmcp = FastMCP('one')\n{tool}"), "one"),
        ("py2", format!("from mcp.server.mcpserver import MCPServer\nmcp = MCPServer('two')\n{tool}"), "two"),
        ("fastmcp", format!("from fastmcp import FastMCP\nmcp = FastMCP('three')\n{tool}"), "three"),
        ("py1", low_level.to_owned(), "low"),
        ("py2", low_level.to_owned(), "low"),
    ] {
        let path = file(folder.path(), "server.py", &code).display().to_string();
        let python = interop.join(part).join("bin/python").display().to_string();
        let discover = run(&mut command(&["discover", "--python", &python, &path]));
        assert!(discover.stdout.starts_with(&format!("name:         {name}\n")), "{part}: {discover:?}");
        if name == "low" {
            continue;
        }
        let call = run(&mut command(&["call", "--python", &python, &path, "add", "a=2"]));
        assert_eq!((call.code, call.stdout.as_str()), (0, "3\n"), "{part}: {call:?}");
        let list = run(&mut command(&["list", "--python", &python, &path, "tools"]));
        assert!(list.stdout.starts_with("add(a: integer, b: integer = 1)\n"), "{part}: {list:?}");
    }
}
