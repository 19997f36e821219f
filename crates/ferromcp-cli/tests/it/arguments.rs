//! Arguments of `mcp call`: conversion, files, and errors with the signature.

use serde_json::{Value, json};

use crate::process::{command, file, on_stdio, run_with_input, server};

#[track_caller]
fn echoed(args: &[&str]) -> Value {
    let run = on_stdio(&[&["call", "echo"], args].concat());
    assert_eq!(run.code, 0, "{run:?}");
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn arguments_are_converted_by_the_schema() {
    let nothing = json!({ "unit": null, "tags": [], "place": null, "flag": null, "text": null });
    let with = |name: &str, value: Value| {
        let mut all = nothing.clone();
        all[name] = value;
        all
    };
    assert_eq!(echoed(&[]), nothing);
    assert_eq!(echoed(&["unit=kelvin"]), with("unit", json!("kelvin")));
    assert_eq!(echoed(&["tags=a,b"]), with("tags", json!(["a", "b"])));
    assert_eq!(echoed(&["tags=a,b", "tags=c"]), with("tags", json!(["a,b", "c"])));
    assert_eq!(echoed(&["place.city=Oslo", "place.zip=150"]), with("place", json!({ "city": "Oslo", "zip": 150 })));
    assert_eq!(echoed(&["flag=true"]), with("flag", json!(true)));
    assert_eq!(echoed(&["text=5"]), with("text", json!("5")));
    assert_eq!(echoed(&["--args", r#"{"text":"x"}"#, "flag:=false"])["flag"], json!(false));
}

#[test]
fn arguments_are_read_from_files_and_stdin() {
    let folder = tempfile::tempdir().unwrap();
    let text = file(folder.path(), "text.txt", "two\nlines\n");
    let all = file(folder.path(), "all.json", r#"{"tags":["x"]}"#);
    assert_eq!(echoed(&[&format!("text=@{}", text.display())])["text"], "two\nlines\n");
    assert_eq!(echoed(&["--args", &format!("@{}", all.display())])["tags"], json!(["x"]));
    let run = run_with_input(&mut command(&["call", "echo", "text=@-", "--", server(), "stdio"]), "typed");
    assert!(run.stdout.contains(r#""text":"typed""#), "{run:?}");
}

#[test]
fn error_repeats_the_signature_when_arguments_are_wrong() {
    let add = "usage: add(a: integer, b: integer = 1)";
    for (args, expected) in [
        (&["add"][..], format!("missing argument `a`; {add}")),
        (&["add", "a=x"], format!("cannot set the argument `a`: it must be of type integer, got `x`; {add}")),
        (&["add", "a=1", "c=2"], format!("unknown argument `c`; {add}")),
        (&["add", "a=1", "a=2"], format!("cannot set the argument `a`: it is given twice; {add}")),
        (&["ad"], "the server has no tool `ad`; did you mean `add(a: integer, b: integer = 1)`?".to_owned()),
        (&["nonsense"], "the server has no tool `nonsense`; `mcp list TARGET tools` lists the tools".to_owned()),
        (&["echo", "tag=x"], "unknown argument `tag`; did you mean `tags`?; usage: echo(".to_owned()),
        (&["echo", "unit=k"], r#"it must be of type "celsius" | "kelvin", got `k`"#.to_owned()),
        (&["add", "a"], "cannot read the argument `a`: `=` is missing".to_owned()),
        (&[], "the name of the tool is missing".to_owned()),
    ] {
        let run = on_stdio(&[&["call"], args].concat());
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{args:?}: {run:?}");
        assert!(run.stderr.contains(&expected), "{args:?}: {run:?}");
    }
}
