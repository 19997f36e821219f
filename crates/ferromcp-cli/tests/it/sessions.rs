//! Runs the terminal sessions of the guide and of the README.
//!
//! A block of the language `console` contains commands after `$ `, each followed by its output. `…` matches any text within a
//! line. The program `demo` is a server on stdio, and `http://127.0.0.1:8000/mcp` one over HTTP.

use std::path::Path;

use crate::process::{HttpServer, command, file, run, server};

/// A command and the lines of its output.
#[derive(Debug, Default)]
struct Step {
    line: usize,
    words: Vec<String>,
    output: Vec<String>,
}

fn steps(page: &str) -> Vec<Step> {
    let (mut steps, mut is_open) = (Vec::<Step>::new(), false);
    for (index, line) in page.lines().enumerate() {
        if line.starts_with("```") {
            is_open = !is_open && line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| is_open) {
            steps.push(Step { line: index + 1, words: words(command), output: Vec::new() });
        } else if let Some(step) = steps.last_mut().filter(|_| is_open) {
            step.output.push(line.to_owned());
        }
    }
    steps
}

/// Splits a command at spaces, except between single quotes.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut is_quoted) = (vec![String::new()], false);
    for c in command.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            _ => words.last_mut().expect("not empty").push(c),
        }
    }
    words
}

/// Returns whether a line matches, where `…` matches any text.
fn matches(line: &str, expected: &str) -> bool {
    let mut parts = expected.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Runs the steps of a page in a folder with the files and programs that the page uses.
fn check(page: &Path) {
    let text = std::fs::read_to_string(page).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let http = HttpServer::start("http");
    let url = http.url();
    let demo = file(folder, "demo", &format!("#!/bin/sh\nexec '{}' demo\n", server()));
    #[cfg(unix)]
    std::fs::set_permissions(&demo, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_mcp"), folder.join("mcp")).unwrap();
    let demo = demo.display();
    file(folder, "mcp.json", &format!(r#"{{ "mcpServers": {{ "demo": {{ "command": "{demo}" }} }} }}"#));
    file(folder, "main.rs", "fn main() {}\n");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let (mut code, steps) = (0, steps(&text));
    assert!(steps.len() > 2, "{} has no sessions", page.display());
    for step in steps {
        let place = format!("{}:{}", page.display(), step.line);
        let (program, args) = step.words.split_first().unwrap();
        let shown = if step.words == ["echo", "$?"] {
            format!("{code}\n")
        } else {
            assert_eq!(program, "mcp", "{place}: only `mcp` and `echo $?` are supported");
            let args: Vec<String> = args.iter().map(|word| word.replace("http://127.0.0.1:8000/mcp", &url)).collect();
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let home = folder.join("home");
            let run = run(command(&args).current_dir(folder).env("MCP_HOME", home).env("PATH", &path));
            code = run.code;
            format!("{}{}", run.stdout, run.stderr).replace(&url, "http://127.0.0.1:8000/mcp")
        };
        let lines: Vec<&str> = shown.lines().collect();
        let is_same = lines.len() == step.output.len() && lines.iter().zip(&step.output).all(|(a, b)| matches(a, b));
        assert!(is_same, "{place}: `{}` prints:\n{shown}\nexpected:\n{}", step.words.join(" "), step.output.join("\n"));
    }
}

#[test]
fn sessions_of_the_guide_run() {
    for page in ["command-line.md", "run.md", "tool-surface.md", "lint.md"] {
        check(&Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide")).join(page));
    }
}

#[test]
fn sessions_of_the_readme_run() {
    check(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")));
}

#[test]
fn sessions_are_compared_by_line() {
    let page = "```console\n$ mcp a 'b c'\nx\n\n$ echo $?\n0\n```\n```\n$ no\n```\n";
    let steps = steps(page);
    assert_eq!((steps.len(), steps[0].words.clone()), (2, words("mcp a 'b c'")));
    assert_eq!((steps[0].output.as_slice(), steps[1].line), (&["x".to_owned(), String::new()][..], 5));
    assert!(matches("took 5 ms (2026)", "took … ms (…)") && !matches("took 5 s", "took … ms") && !matches("ab", "a"));
}
