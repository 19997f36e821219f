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

/// Writes a program `uv` that runs Python without the options of uv. A package `NAME` of `--with` is a module in
/// `packages/NAME`.
#[cfg(unix)]
fn write_uv(folder: &Path, python: &Path) {
    let script = format!(
        r#"#!/bin/sh
HERE='{}'
shift
while [ "$1" != python ]; do
    case "$1" in
        --with) PYTHONPATH="$HERE/packages/${{2%%[<>=]*}}:$PYTHONPATH"; shift 2;;
        --project|--with-requirements) shift 2;;
        *) shift;;
    esac
done
shift
export PYTHONPATH
exec '{}' "$@"
"#,
        folder.display(),
        python.display()
    );
    std::fs::create_dir_all(folder.join("bin")).unwrap();
    crate::process::program(&folder.join("bin"), "uv", &script);
    for package in ["needed", "extra"] {
        std::fs::create_dir_all(folder.join("packages").join(package)).unwrap();
        file(&folder.join("packages").join(package), &format!("{package}.py"), "");
    }
}

/// Installs a target in Cursor, with this home directory. Returns the arguments of the entry before `python`.
#[cfg(unix)]
fn installed_args(home: &Path, args: &[&str]) -> (Run, Vec<String>) {
    let path = format!("{}:{}", home.join("bin").display(), std::env::var("PATH").unwrap_or_default());
    let install = ["install", "--host", "cursor", "--force", "--name", "demo"];
    let mut command = command(&[&install[..], args].concat());
    let run = run(command.env("HOME", home).env("PATH", path).env_remove("XDG_STATE_HOME").current_dir(home));
    let text = std::fs::read_to_string(home.join(".cursor/mcp.json")).unwrap_or_default();
    let entry: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let args = entry["mcpServers"]["demo"]["args"].as_array().cloned().unwrap_or_default();
    let args = args.iter().map(|arg| arg.as_str().unwrap().to_owned());
    (run, args.take_while(|arg| arg != "python").collect())
}

#[cfg(unix)]
#[test]
fn declared_packages_are_added_when_installed() {
    let Some(interop) = interop::folder("declared_packages_are_added_when_installed") else { return };
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write_uv(home, &interop.join("py1/bin/python"));
    let tool = "@mcp.tool()\ndef add(a: int, b: int = 1) -> int:\n    return a + b\n";
    let server = format!(
        "from mcp.server.fastmcp import FastMCP\nimport needed\n\nmcp = FastMCP('one', dependencies=['needed>=1', 'extra'])\n{tool}"
    );
    file(home, "server.py", &server);
    let (run, args) = installed_args(home, &["server.py"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("adding the packages of the file: mcp<2, needed>=1, extra\n"), "{run:?}");
    assert!(run.stderr.contains("demo: one ") && run.stderr.contains("1 tool: add"), "the module is found: {run:?}");
    let folder = home.canonicalize().unwrap().display().to_string();
    let with = ["--with", "mcp<2", "--with", "needed>=1", "--with", "extra"];
    assert_eq!(args, [&["run"], &with[..], &["--quiet", "--project", &folder]].concat());

    let (run, args) = installed_args(home, &["server.py", "--with", "extra==2", "--with", "mcp==1.9"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(args[1..7], ["--with", "extra==2", "--with", "mcp==1.9", "--with", "needed>=1"]);

    file(home, "pyproject.toml", "[project]\nname = 'x'\nversion = '1'\n");
    let (run, args) = installed_args(home, &["server.py:mcp"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(args[1..5], ["--with", "needed>=1", "--with", "extra"], "the project contains the SDK");
}

#[cfg(unix)]
#[test]
fn packages_are_found_in_each_form_when_declared() {
    use std::path::PathBuf;
    if python().is_none() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write_uv(home, &PathBuf::from("python3"));
    let one = "from mcp.server.fastmcp import FastMCP\n";
    for (code, object, expected) in [
        ("mcp = FastMCP('a')", "", &["mcp<2"][..]),
        ("mcp = FastMCP('a', dependencies=())", "", &["mcp<2"]),
        ("mcp: FastMCP = FastMCP('a', dependencies=('b', 'b', 'c'))", "", &["mcp<2", "b", "c"]),
        ("LIST = ['b']\nmcp = FastMCP('a', dependencies=LIST)", "", &["mcp<2", "b"]),
        ("x = FastMCP('a', dependencies=['b'])\nserver = FastMCP('a', dependencies=['c'])", "", &["mcp<2", "c"]),
        ("x = FastMCP('a', dependencies=['b'])\nserver = FastMCP('a', dependencies=['c'])", ":x", &["mcp<2", "b"]),
        ("def make(): return FastMCP('a', dependencies=['b'])", ":make", &["mcp<2", "b"]),
        ("class Box: inner = FastMCP('a', dependencies=['b'])", ":Box.inner", &["mcp<2", "b"]),
        ("mcp = FastMCP('a', dependencies=['mcp[cli]>=1', '--index=x', 'b\\n'])", "", &["mcp[cli]>=1"]),
        ("import fastmcp\nmcp = fastmcp.FastMCP('a', dependencies=['b'])", "", &["fastmcp", "b"]),
        ("mcp = FastMCP('a', dependencies=open('x').readlines())", "", &["mcp<2"]),
        ("mcp = FastMCP(", "", &[]),
    ] {
        file(home, "server.py", &format!("{one}{code}\n"));
        let (run, args) = installed_args(home, &[&format!("server.py{object}")]);
        assert_eq!(run.code, 0, "{code}: {run:?}");
        let with: Vec<&String> =
            args.iter().filter(|arg| !["run", "--with", "--quiet"].contains(&arg.as_str())).collect();
        assert_eq!(with[..with.len() - 2], *expected, "{code}: {args:?}");
        let is_unknown = run.stderr.contains("cannot read the argument `dependencies` in server.py");
        assert_eq!(is_unknown, code.contains("open"), "{run:?}");
    }
    file(home, "server.py", "from mcp.server.mcpserver import MCPServer as M\nmcp = M('a', dependencies=['b'])\n");
    assert_eq!(installed_args(home, &["server.py"]).1[1..5], ["--with", "mcp", "--with", "b"]);
    let config = r#"{"source": {"path": "server.py"}, "environment": {"dependencies": ["b", "of-config"]}}"#;
    file(home, "fastmcp.json", config);
    assert_eq!(installed_args(home, &["server.py"]).1[1..7], ["--with", "mcp", "--with", "b", "--with", "of-config"]);
    file(home, "server.py", "# /// script\n# dependencies = ['mcp']\n# ///\nfrom mcp.server import Server\n");
    let args = installed_args(home, &["server.py"]).1;
    assert_eq!(args[..6], ["run", "--with", "b", "--with", "of-config", "--quiet"], "uv reads the comment: {args:?}");
    assert_eq!(args[6..8], ["--no-project", "--with-requirements"]);
}
