//! Each verb on `@modelcontextprotocol/server-everything`, over stdio, Streamable HTTP and HTTP+SSE.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::interop;
use crate::process::{Run, command, free_port, mcp, run};

/// The server, which runs in Node.
struct Everything {
    node: String,
    script: String,
}

impl Everything {
    /// Reports a skipped test and returns `None` if the server is not installed.
    fn find(test: &str) -> Option<Self> {
        let bin = interop::folder(test)?.join("node").join("node_modules").join(".bin");
        let path = |name: &str| bin.join(name).display().to_string();
        Some(Self { node: path("node"), script: path("mcp-server-everything") })
    }

    fn on_stdio(&self, args: &[&str]) -> Run {
        mcp(&self.args(args))
    }

    fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        [args, &["--", &self.node, &self.script]].concat()
    }

    /// Runs a verb over stdio, Streamable HTTP and HTTP+SSE, and checks the result.
    #[track_caller]
    fn everywhere(&self, args: &[&str], check: impl Fn(&Run)) {
        let (verb, rest) = args.split_first().expect("a verb");
        check(&self.on_stdio(args));
        for transport in ["streamableHttp", "sse"] {
            let http = Http::start(self, transport);
            check(&mcp(&[&[*verb, http.url.as_str()], rest].concat()));
        }
    }
}

/// The server over HTTP. It is killed when it is dropped.
struct Http {
    child: Child,
    /// The log of the server, line by line.
    stdout: BufReader<ChildStdout>,
    url: String,
}

impl Http {
    fn start(server: &Everything, transport: &str) -> Self {
        let port = free_port();
        let mut command = Command::new(&server.node);
        command.arg(&server.script).arg(transport).env("PORT", port.to_string());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains(&port.to_string()) {
            line.clear();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "the server does not listen");
        }
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        let path = if transport == "sse" { "sse" } else { "mcp" };
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout, url: format!("http://127.0.0.1:{port}/{path}") }
    }

    /// Reads the log to a line that contains this text, and returns the rest of the line.
    fn logged(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.stdout.read_line(&mut line).unwrap() > 0, "the server does not log {text:?}");
            if let Some((_, rest)) = line.split_once(text) {
                return rest.trim().to_owned();
            }
        }
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn assert_contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?}: {text}");
    }
}

#[test]
fn everything_is_listed_over_each_transport() {
    let Some(server) = Everything::find("everything_is_listed_over_each_transport") else { return };
    server.everywhere(&["list"], |run| {
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
        let parts = [
            "Tools\n  echo(message: string)\n      Echoes back the input string\n",
            "  get-sum(a: number, b: number)\n",
            "  trigger-long-running-operation(duration: number = 10, steps: number = 5)\n",
            "  trigger-elicitation-request()\n",
            "\n\nResources\n  demo://resource/static/document/architecture.md (architecture.md, text/markdown)\n",
            "\n\nResource templates\n  demo://resource/dynamic/text/{resourceId} (Dynamic Text Resource, text/plain)\n",
            "\n\nPrompts\n  simple-prompt()\n",
            "  args-prompt(city, state?)\n",
        ];
        assert_contains(&run.stdout, &parts);
        assert!(!run.stdout.contains("trigger-sampling-request"), "the server offers it to clients with sampling only");
    });
    server.everywhere(&["discover"], |run| {
        assert_contains(&run.stdout, &["name:         mcp-servers/everything", "revision:     2025-11-25 (legacy)"]);
        assert_contains(&run.stdout, &["resources (list changes, subscriptions)", "# Everything Server"]);
    });
    server.everywhere(&["ping"], |run| assert!(run.stdout.ends_with(" ms (2025-11-25)\n"), "{run:?}"));
}

#[test]
fn tools_are_called_over_each_transport() {
    let Some(server) = Everything::find("tools_are_called_over_each_transport") else { return };
    server.everywhere(&["call", "get-sum", "a=2", "b=3.5"], |run| {
        assert_eq!((run.code, run.stdout.as_str()), (0, "The sum of 2 and 3.5 is 5.5.\n"), "{run:?}");
    });
    let steps = ["call", "trigger-long-running-operation", "duration=0.2", "steps=2"];
    server.everywhere(&steps, |run| {
        let expected = "Long running operation completed. Duration: 0.2 seconds, Steps: 2.\n";
        assert_eq!((run.code, run.stdout.as_str()), (0, expected), "{run:?}");
    });
    server.everywhere(&["call", "get-structured-content", "location=Chicago", "--json"], |run| {
        let result: Value = serde_json::from_str(&run.stdout).unwrap();
        let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(result["structuredContent"], text);
        assert!(text["temperature"].is_number(), "{run:?}");
    });
    server.everywhere(&["call", "get-roots-list", "--root", "."], |run| {
        assert_contains(&run.stdout, &["Current MCP Roots (1 total)", "URI: file:///"]);
    });
}

#[test]
fn content_of_each_kind_is_printed() {
    let Some(server) = Everything::find("content_of_each_kind_is_printed") else { return };
    let stdout = |args: &[&str]| {
        let run = server.on_stdio(args);
        assert_eq!(run.code, 0, "{run:?}");
        run.stdout
    };
    assert_eq!(stdout(&["call", "echo", "message=a=b"]), "Echo: a=b\n");
    let image = "[image, image/png, 4033 bytes; save it with `-o FILE`]\n";
    let expected = format!("Here's the image you requested:\n{image}The image above is the MCP logo.\n");
    assert_eq!(stdout(&["call", "get-tiny-image"]), expected);
    let expected = format!("Error: Operation failed\n{image}");
    assert_eq!(stdout(&["call", "get-annotated-message", "messageType=error", "includeImage=true"]), expected);
    let links = stdout(&["call", "get-resource-links", "count=2"]);
    assert_contains(&links, &["[Blob Resource 1] demo://resource/dynamic/blob/1\n", "[Text Resource 2] demo://"]);
    let embedded = stdout(&["call", "get-resource-reference", "resourceType=Text", "resourceId=2"]);
    assert_contains(&embedded, &["Resource 2: This is a plaintext resource"]);
    assert_contains(&stdout(&["call", "get-env", "-e", "ONLY_HERE=x y"]), &[r#""ONLY_HERE": "x y""#]);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    assert_eq!(stdout(&["call", "get-tiny-image", "-o", &file("logo.png")]), "");
    assert!(std::fs::read(file("logo.png")).unwrap().starts_with(b"\x89PNG"));
    let gzip = ["call", "gzip-file-as-resource", "data=data:text/plain,hello", "outputType=resource", "-o"];
    stdout(&[&gzip[..], &[&file("hello.gz")]].concat());
    assert!(std::fs::read(file("hello.gz")).unwrap().starts_with(b"\x1f\x8b"));
}

#[test]
fn resources_prompts_and_completions_are_fetched() {
    let Some(server) = Everything::find("resources_prompts_and_completions_are_fetched") else { return };
    server.everywhere(&["read", "demo://resource/static/document/startup.md"], |run| {
        assert!(run.code == 0 && run.stdout.starts_with("# Everything Server - Startup Process\n"), "{run:?}");
    });
    let blob = server.on_stdio(&["read", "demo://resource/dynamic/blob/1", "-o", "-"]);
    assert!(blob.code == 0 && blob.stdout.starts_with("Resource 1: This is a base64 blob"), "{blob:?}");
    server.everywhere(&["prompt", "args-prompt", "city=Oslo", "state=Norway"], |run| {
        assert_eq!((run.code, run.stdout.as_str()), (0, "[user]\nWhat's weather in Oslo, Norway?\n"), "{run:?}");
    });
    let embedded = server.on_stdio(&["prompt", "resource-prompt", "resourceType=Text", "resourceId=1"]);
    assert_contains(
        &embedded.stdout,
        &["[user]\nThis prompt includes the Text resource", "[user]\nResource 1: This is"],
    );
    server.everywhere(&["complete", "completable-prompt", "department=S"], |run| {
        assert_eq!((run.code, run.stdout.as_str()), (0, "Sales\nSupport\n"), "{run:?}");
    });
    let name = server.on_stdio(&["complete", "completable-prompt", "name=E", "department=Sales"]);
    assert_eq!(name.stdout, "Eve\n", "{name:?}");
    let template = ["complete", "demo://resource/dynamic/text/{resourceId}", "resourceId=7"];
    assert_eq!(server.on_stdio(&template).stdout, "7\n");
}

#[test]
fn errors_name_the_cause_when_a_request_is_rejected() {
    let Some(server) = Everything::find("errors_name_the_cause_when_a_request_is_rejected") else { return };
    for (args, code, expected) in [
        (
            &["call", "get-sum", "a=x", "b=1"][..],
            2,
            "it must be of type number, got `x`; usage: get-sum(a: number, b: num",
        ),
        (&["call", "trigger-sampling-request", "prompt=x"], 2, "the server has no tool `trigger-sampling-request`"),
        (&["call", "simulate-research-query", "topic=x"], 5, "it requires tasks, which `mcp` does not support"),
        (&["read", "demo://resource/none"], 5, "Resource demo://resource/none not found"),
        (&["prompt", "args-prompt"], 2, "missing argument `city`; usage: args-prompt(city, state?)"),
    ] {
        let run = server.on_stdio(args);
        assert!(run.code == code && run.stderr.contains(expected), "{args:?}: {run:?}");
    }
    // The server asks with a request, or with error -32042 before the call.
    let url = ["call", "trigger-url-elicitation", "url=https://example.com/"];
    for (args, declined) in [
        (&["call", "trigger-elicitation-request"][..], "Please provide inputs for the following fields:"),
        (&url, "Please open the link to complete this action."),
        (
            &[&url[..], &["errorPath=true"]].concat(),
            "Open this link to satisfy the prerequisite, then retry the request.",
        ),
    ] {
        let expected = "declined a question of the server, because stdin and stderr are not a terminal: ";
        let run = server.on_stdio(args);
        assert!(run.stderr.starts_with(&format!("{expected}{declined}\n")), "{args:?}: {run:?}");
    }
}

#[cfg(unix)]
#[test]
fn form_is_answered_when_stdin_is_a_terminal() {
    use crate::terminal::Terminal;
    let Some(server) = Everything::find("form_is_answered_when_stdin_is_a_terminal") else { return };
    let mut terminal = Terminal::start(&server.args(&["call", "trigger-elicitation-request"]), &[]);
    for (prompt, line) in [
        ("String (text): ", "Ada"),
        ("Boolean (y/n) [skip]: ", "y"),
        ("String with default (text) [It was a dark and stormy night.]: ", ""),
        ("String with email format (email) [skip]: ", "ada"),
        ("String with email format (email) [skip]: ", "ada@example.com"),
        ("String with uri format (uri) [skip]: ", ""),
        ("String with date format (date) [skip]: ", "1815-12-10"),
        ("Integer (integer) [42]: ", "101"),
        ("Integer (integer) [42]: ", "7"),
        ("Number in range 1-1000 (number) [3.14]: ", "2.5"),
        ("Untitled Single Select Enum (number or value) [Monica]: ", "Ross"),
        (r#"Untitled Multiple Select Enum (numbers or values, separated by commas) [["Guitar"]]: "#, "2,Drums"),
        ("Titled Single Select Enum (number or value) [hero-1]: ", "Wonder Woman"),
        (r#"Titled Multiple Select Enum (numbers or values, separated by commas) [["fish-1"]]: "#, ""),
        ("Legacy Titled Single Select Enum (number or value) [pet-1]: ", "2"),
        ("Send this to the server? [Y/n] ", ""),
    ] {
        terminal.answer(prompt, &format!("{line}\n"));
    }
    let (code, shown) = terminal.end();
    let shown = shown.replace("\r\n", "\n");
    assert_eq!(code, 0, "{shown}");
    let (_, raw) = shown.split_once("Raw result: ").unwrap_or_else(|| panic!("no result: {shown}"));
    let expected = json!({"action": "accept", "content": {
        "name": "Ada", "check": true, "firstLine": "It was a dark and stormy night.", "email": "ada@example.com",
        "birthdate": "1815-12-10", "integer": 7, "number": 2.5, "untitledSingleSelectEnum": "Ross",
        "untitledMultipleSelectEnum": ["Piano", "Drums"], "titledSingleSelectEnum": "hero-3",
        "titledMultipleSelectEnum": ["fish-1"], "legacyTitledEnum": "pet-2",
    }});
    assert_eq!(serde_json::from_str::<Value>(raw).unwrap(), expected);
}

#[test]
fn progress_and_logs_are_shown_when_requested() {
    let Some(server) = Everything::find("progress_and_logs_are_shown_when_requested") else { return };
    let run = server.on_stdio(&["call", "-v", "toggle-simulated-logging"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_contains(&run.stderr, &["[stderr] Starting default (STDIO) server...\n"]);
    // The server chooses a level, and its texts differ.
    assert!(run.stderr.ends_with("message\n"), "{run:?}");
    #[cfg(unix)]
    {
        let steps = server.args(&["call", "trigger-long-running-operation", "duration=1", "steps=2"]);
        let (code, shown) = crate::terminal::Terminal::start(&steps, &[]).end();
        assert_eq!(code, 0, "{shown}");
        assert_contains(&shown, &["[############............]  50%", "Long running operation completed."]);
    }
}

#[test]
fn update_is_printed_when_a_resource_is_watched() {
    let Some(server) = Everything::find("update_is_printed_when_a_resource_is_watched") else { return };
    let mut http = Http::start(&server, "streamableHttp");
    let uri = "demo://resource/dynamic/text/1";
    let mut watch = command(&["watch", &http.url, uri]).stdout(Stdio::piped()).spawn().unwrap();
    http.logged("Received MCP GET request");
    let session = http.logged("Establishing new SSE stream for session");
    // The server sends updates every five seconds, to sessions that switched them on.
    let call =
        json!({"jsonrpc": "2.0", "id": "t", "method": "tools/call", "params": {"name": "toggle-subscriber-updates"}});
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let post = reqwest::Client::builder().no_proxy().build().unwrap().post(&http.url);
    let post = post.header("content-type", "application/json").header("accept", "application/json, text/event-stream");
    let post = post.header("mcp-session-id", session).header("mcp-protocol-version", "2025-11-25");
    let response = runtime.block_on(async { post.body(call.to_string()).send().await?.text().await }).unwrap();
    assert_contains(&response, &["Started simulated resource updated notifications"]);
    let mut line = String::new();
    BufReader::new(watch.stdout.take().unwrap()).read_line(&mut line).unwrap();
    watch.kill().unwrap();
    watch.wait().unwrap();
    assert_eq!(line, format!("resource changed: {uri}\n"));
}

#[test]
fn server_is_a_target_when_in_a_configuration_file() {
    let Some(server) = Everything::find("server_is_a_target_when_in_a_configuration_file") else { return };
    let folder = tempfile::tempdir().unwrap();
    let write = |text: Value| crate::process::file(Path::new(folder.path()), "mcp.json", &text.to_string());
    let stdio = json!({"command": server.node, "args": [server.script]});
    let http = Http::start(&server, "streamableHttp");
    let path = write(json!({"mcpServers": {"stdio": stdio, "http": {"type": "http", "url": http.url}}}));
    for name in ["stdio", "http"] {
        let target = format!("{}#{name}", path.display());
        let run = run(&mut command(&["call", &target, "echo", "message=hi"]));
        assert_eq!((run.code, run.stdout.as_str()), (0, "Echo: hi\n"), "{run:?}");
    }
}
