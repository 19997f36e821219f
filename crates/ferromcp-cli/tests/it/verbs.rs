//! Each verb on our own server, in both eras, over stdio and HTTP.

use serde_json::{Value, json};

use crate::process::{HttpServer, Run, mcp, on_stdio, server};

/// Runs a verb in each era over each transport, and checks the result.
#[track_caller]
fn everywhere(args: &[&str], check: impl Fn(&Run)) {
    let http = HttpServer::start("http");
    let url = http.url();
    let (verb, rest) = args.split_first().expect("a verb");
    for era in ["legacy", "modern"] {
        let over_stdio = [&[*verb, "--era", era], rest, &["--", server(), "stdio"]].concat();
        let over_http = [&[*verb, "--era", era, &url], rest].concat();
        for args in [over_stdio, over_http] {
            let run = mcp(&args);
            assert_eq!(run.code, 0, "{args:?}: {run:?}");
            check(&run);
        }
    }
}

fn json_of(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

#[test]
fn list_shows_signatures_and_descriptions() {
    everywhere(&["list"], |run| {
        for part in [
            "Tools\n  add(a: integer, b: integer = 1)\n      Add two numbers\n  echo(",
            r#"unit?: "celsius" | "kelvin", tags: string[] = [], place?: object"#,
            "\n\nResources\n  note://today (note",
            "\n\nResource templates\n  greeting://{name} (greeting)\n      Get a personalized greeting\n",
            "\n\nPrompts\n  review(code, language?)\n",
        ] {
            assert!(run.stdout.contains(part), "{part:?}: {}", run.stdout);
        }
        assert!(!run.stdout.contains("1 by default") && run.stderr.is_empty(), "{run:?}");
    });
}

#[test]
fn list_shows_one_kind() {
    everywhere(&["list", "prompts"], |run| {
        assert_eq!(run.stdout, "review(code, language?)\n    Ask for a review of some code\n");
    });
    assert!(on_stdio(&["list", "tools", "--long"]).stdout.contains("    The second number is 1 by default.\n"));
    let templates = on_stdio(&["list", "templates", "--json"]);
    assert_eq!(json_of(&templates)["resourceTemplates"][0]["uriTemplate"], "greeting://{name}");
    let all = json_of(&on_stdio(&["list", "--json"]));
    let keys: Vec<&String> = all.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["tools", "resources", "resourceTemplates", "prompts"]);
    assert_eq!(all["tools"].as_array().unwrap().len(), 12);
}

#[test]
fn call_prints_text() {
    everywhere(&["call", "add", "a=2", "b=3"], |run| assert_eq!(run.stdout, "5\n"));
    everywhere(&["call", "steps"], |run| {
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("done\n", ""), "no bar without a terminal");
    });
}

#[test]
fn call_prints_whole_result_as_json() {
    everywhere(&["call", "add", "a=2", "--json"], |run| {
        let result = json_of(run);
        assert_eq!(result["content"], json!([{ "type": "text", "text": "3" }]));
        assert_eq!(result["structuredContent"], json!({ "result": 3 }));
    });
}

#[test]
fn call_saves_binary_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pixel.png");
    let path = path.to_str().unwrap();
    everywhere(&["call", "picture", "-o", path], |run| {
        assert_eq!(run.stdout, "");
        assert!(run.stderr.starts_with("saved ") && run.stderr.ends_with("(67 bytes)\n"), "{run:?}");
        assert!(std::fs::read(path).unwrap().starts_with(b"\x89PNG"));
    });
    let shown = on_stdio(&["call", "picture"]);
    assert_eq!(shown.stdout, "a pixel\n[image, image/png, 67 bytes; save it with `-o FILE`]\n");
}

#[test]
fn read_prints_or_saves_contents() {
    everywhere(&["read", "note://today"], |run| assert_eq!(run.stdout, "Buy cheese\nand bread\n"));
    everywhere(&["read", "greeting://Ada"], |run| assert_eq!(run.stdout, "Hello, Ada!\n"));
    let blob = on_stdio(&["read", "image://pixel"]);
    assert_eq!(blob.stdout, "[binary content, image/png, 67 bytes; save it with `-o FILE`]\n");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("note");
    assert_eq!(on_stdio(&["read", "note://today", "-o", path.to_str().unwrap()]).code, 0);
    assert_eq!(std::fs::read(&path).unwrap(), b"Buy cheese\r\nand bread\n", "the file has the original bytes");
    assert_eq!(json_of(&on_stdio(&["read", "greeting://Ada", "--json"]))["contents"][0]["text"], "Hello, Ada!");
}

#[test]
fn prompt_prints_messages() {
    everywhere(&["prompt", "review", "code=x = 1", "language=Rust"], |run| {
        assert_eq!(run.stdout, "[user]\nPlease review this Rust code:\n\nx = 1\n");
    });
    let result = json_of(&on_stdio(&["prompt", "review", "code=x", "--json"]));
    assert_eq!(result["messages"][0]["role"], "user");
    for (args, expected) in [
        (&["prompt", "reviews"][..], "did you mean `review(code, language?)`?"),
        (&["prompt", "review"], "missing argument `code`; usage: review(code, language?)"),
        (
            &["prompt", "review", "cod=x"],
            "unknown argument `cod`; did you mean `code`?; usage: review(code, language?)",
        ),
        (&["prompt", "review", "code=x", "code=y"], "it is given twice"),
    ] {
        let run = on_stdio(args);
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains(expected), "{run:?}");
    }
}

#[test]
fn complete_prints_values() {
    everywhere(&["complete", "review", "language=r", "code=x"], |run| assert_eq!(run.stdout, "ruby\nrust\n"));
    assert_eq!(json_of(&on_stdio(&["complete", "review", "language=c", "--json"]))["values"], json!(["c"]));
    assert_eq!(on_stdio(&["complete", "greeting://{name}", "name="]).code, 0);
}

#[test]
fn discover_shows_the_server() {
    everywhere(&["discover"], |run| {
        for part in [
            "name:         Kitchen\nversion:      1.2.3\nrevision:     20",
            "capabilities: tools (list changes), resources (list changes, subscriptions), prompts (list changes)",
            "instructions:\n  Use `add` for sums.\n  Ask before you `book`.\n",
        ] {
            assert!(run.stdout.contains(part), "{part:?}: {}", run.stdout);
        }
    });
    let modern = json_of(&on_stdio(&["discover", "--json"]));
    assert_eq!((&modern["era"], &modern["protocolVersion"]), (&json!("modern"), &json!("2026-07-28")));
    let legacy = json_of(&on_stdio(&["discover", "--json", "--era", "legacy"]));
    assert_eq!((&legacy["era"], &legacy["serverInfo"]["name"]), (&json!("legacy"), &json!("Kitchen")));
}

#[test]
fn ping_prints_milliseconds_and_revision() {
    everywhere(&["ping"], |run| assert!(run.stdout.contains(" ms (20"), "{run:?}"));
}

#[test]
fn verbose_prints_logs_and_stderr_of_the_server() {
    let verbose = on_stdio(&["call", "steps", "-v"]);
    assert!(verbose.stderr.contains("[info] on the way"), "{verbose:?}");
    let quiet = on_stdio(&["call", "steps"]);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn root_is_known_to_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    everywhere(&["call", "folders", "--root", path], |run| {
        assert!(
            run.stdout.starts_with("file://") && !run.stdout.contains("..") && !run.stdout.ends_with("/\n"),
            "{run:?}"
        );
    });
    let refused = on_stdio(&["call", "folders"]);
    assert!(matches!(refused.code, 5 | 6) && refused.stderr.contains("roots"), "{refused:?}");
    let missing = on_stdio(&["call", "folders", "--root", "/does/not/exist"]);
    assert!(missing.code == 2 && missing.stderr.contains("cannot use the root"), "{missing:?}");
}

#[test]
fn completions_are_printed_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = mcp(&["completions", shell]);
        assert!(run.code == 0 && run.stdout.contains("whoami"), "{shell}: {}", run.stderr);
    }
}
