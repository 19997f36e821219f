//! `mcp repl`: scripts, and sessions in a terminal.

use crate::process::{HttpServer, Run, command, run_with_input, server};

/// Runs a script on the stdio server.
fn script(options: &[&str], lines: &str) -> Run {
    run_with_input(&mut command(&[&["repl"], options, &["--", server(), "stdio"]].concat()), lines)
}

#[test]
fn lines_of_a_script_run_on_one_connection() {
    for era in ["legacy", "modern"] {
        let lines = "call add a=1 b=2\n\n  # a comment\ncall echo 'text=two  words' --json\nread note://today\n\
                     prompt review code=x\ncomplete review language=ru\nlist prompts\ndiscover --json\nping\nexit\ncall fail\n";
        let run = script(&["--era", era], lines);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
        for part in [
            "3\n",
            "two  words",
            "Buy cheese\n",
            "Please review this C code",
            "ruby\nrust\n",
            "review(code, language?)\n",
        ] {
            assert!(run.stdout.contains(part), "{part}: {run:?}");
        }
        assert!(run.stdout.contains("\"name\": \"Kitchen\"") && run.stdout.contains(" ms (20"), "{run:?}");
        assert!(!run.stdout.contains("mcp> "), "no prompt: {run:?}");
    }
}

#[cfg(unix)]
#[test]
fn server_is_started_once_when_a_script_has_several_lines() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("starts");
    let line = format!("echo start >> '{}'; exec '{}' stdio", log.display(), server());
    let run =
        run_with_input(&mut command(&["repl", "--", "sh", "-c", &line]), "call add a=1\ncall add a=2\ncall add a=3");
    assert_eq!((run.code, run.stdout.as_str()), (0, "2\n3\n4\n"), "the last line has no line end: {run:?}");
    assert_eq!(std::fs::read_to_string(log).unwrap(), "start\n");
}

#[test]
fn exit_code_is_that_of_the_first_line_that_failed() {
    let run = script(&[], "call fail\ncall add a=x\ncall add a=1\n");
    assert_eq!((run.code, run.stdout.as_str()), (6, "2\n"), "later lines run: {run:?}");
    assert!(run.stderr.starts_with("error: out of cheese\nerror: cannot set the argument `a`"), "{run:?}");
    for (line, code, expected) in [
        ("cal add a=1", 2, "unknown command `cal`; did you mean `call`?"),
        ("nonsense", 2, "unknown command `nonsense`; `help` lists the commands"),
        ("\u{1b}[31mred", 2, "unknown command `\\u{1b}[31mred`"),
        ("call add 'a=1", 2, "cannot read the line: ' is not closed"),
        ("call add \\", 2, "cannot read the line: it ends with a backslash"),
        ("call add a=1 --timeout 5", 2, "unexpected argument '--timeout'"),
        ("call", 2, "the name of the tool is missing"),
        ("call ad a=1", 2, "did you mean `add(a: integer, b: integer = 1)`?"),
        ("ping --json", 2, "unexpected argument '--json'"),
        ("discover x", 2, "unexpected argument `x`"),
        ("read nowhere://nothing", 5, "Resource not found: nowhere://nothing"),
    ] {
        let run = script(&[], line);
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{line}: {run:?}");
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(expected), "{line}: {run:?}");
    }
    let missing = run_with_input(&mut command(&["repl", "--", "/does/not/exist"]), "ping\n");
    assert!(missing.code == 3 && missing.stderr.contains("cannot start `/does/not/exist`"), "{missing:?}");
    let protected = HttpServer::start("protected");
    let url = protected.url();
    let login = run_with_input(&mut command(&["repl", &url]), "ping\n");
    assert!(login.code == 4 && login.stderr.contains(&format!("run `mcp login {url}`")), "{login:?}");
}

#[test]
fn help_lists_the_commands() {
    let run = script(&[], "help\nhelp call\ncall --help\n");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    for part in ["Commands:\n", "  watch ", "  exit ", "Usage: call [OPTIONS] TOOL [NAME=VALUE]...", "NAME:=JSON"] {
        assert!(run.stdout.contains(part), "{part}: {run:?}");
    }
    assert!(!run.stdout.contains("TARGET"), "{run:?}");
}

#[test]
fn changes_of_lists_are_announced_between_commands() {
    for era in ["legacy", "modern"] {
        let run = script(&["--era", era], "call touch\nping\nping\n");
        assert_eq!((run.code, run.stderr.as_str()), (0, "note: tools changed\n"), "{era}: {run:?}");
    }
}

#[test]
fn output_is_escaped() {
    let mut repl = command(&["repl", "--", server(), "hostile", "escapes"]);
    let run = run_with_input(&mut repl, "list\ncall t\ncall fail\ncall rpc\ndiscover\n");
    let is_plain = |text: &str| text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control());
    assert!(is_plain(&run.stdout) && is_plain(&run.stderr), "{run:?}");
    assert!(!run.stderr.lines().any(|line| line.starts_with("error: forged")), "{run:?}");
}

#[cfg(unix)]
mod sessions {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::Stdio;

    use crate::interrupt::interrupt;
    use crate::process::{HttpServer, command, mcp, server, wait_until};
    use crate::terminal::Terminal;

    const PROMPT: &str = "mcp> ";

    #[test]
    fn errors_do_not_end_a_session_in_a_terminal() {
        let mut terminal = Terminal::start(&["repl", "--", server(), "stdio"], &[]);
        terminal.answer(PROMPT, "call fail\n");
        terminal.answer(PROMPT, "cal\n");
        terminal.answer(PROMPT, "call add a=1\n");
        terminal.answer(PROMPT, "call touch\n");
        terminal.answer(PROMPT, "\u{4}");
        let (code, shown) = terminal.end();
        assert_eq!(code, 0, "{shown}");
        for part in [
            "connected to Kitchen 1.2.3 (2026-07-28); `help` lists the commands",
            "error: out of cheese",
            "did you mean `call`?",
            "2\r\n",
            "note: tools changed",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    #[test]
    fn questions_are_answered_in_a_session() {
        let mut terminal = Terminal::start(&["repl", "--", server(), "stdio"], &[]);
        terminal.answer(PROMPT, "call book\n");
        terminal.answer("Name (text): ", "Ada\n");
        terminal.answer("guests (integer) [2]: ", "\n");
        terminal.answer("place (number or value): ", "2\n");
        terminal.answer("Send this to the server? [Y/n] ", "\n");
        terminal.answer(PROMPT, "exit\n");
        let (code, shown) = terminal.end();
        assert!(code == 0 && shown.contains(r#"{"name":"Ada","guests":2,"place":"Garden"}"#), "{shown}");
    }

    #[test]
    fn only_the_call_is_cancelled_when_interrupted() {
        for era in ["legacy", "modern"] {
            let mut terminal = Terminal::start(&["repl", "-v", "--era", era, "--", server(), "stdio"], &[]);
            terminal.answer(PROMPT, "call sleep\n");
            wait_until("the call", || terminal.shown().contains("[stderr] sleeping"));
            interrupt(&terminal.child);
            wait_until("the cancellation", || terminal.shown().contains("[stderr] cancelled"));
            wait_until("the message", || terminal.shown().contains("\r\ninterrupted"));
            // The line of stderr may be printed after the prompt.
            terminal.write("call add a=1\n");
            wait_until("the result", || terminal.shown().contains("2\r\n"));
            wait_until("the prompt", || terminal.shown().matches(PROMPT).count() == 3);
            interrupt(&terminal.child);
            wait_until("the hint", || terminal.shown().contains("(`exit` or Ctrl-D ends the session)"));
            terminal.write("call add a=2\n");
            wait_until("the result", || terminal.shown().contains("3\r\n"));
            terminal.write("exit\n");
            let (code, shown) = terminal.end();
            assert_eq!(code, 0, "{shown}");
        }
    }

    #[test]
    fn script_ends_when_interrupted() {
        let mut command = command(&["repl", "-v", "--", server(), "stdio"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"call sleep\ncall add a=1\n").unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        assert_eq!(line, "[stderr] sleeping\n");
        interrupt(&child);
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(130), &b""[..]), "{rest}");
        assert!(rest.contains("cancelled"), "{rest}");
    }

    #[test]
    fn watch_ends_when_interrupted() {
        let http = HttpServer::start("http");
        let url = http.url();
        let mut terminal = Terminal::start(&["repl", &url], &[]);
        terminal.answer(PROMPT, "watch note://today\n");
        // The subscription may start after the first changes.
        wait_until("a change", || {
            assert_eq!(mcp(&["call", &url, "touch"]).stdout, "touched\n");
            terminal.shown().contains("resource changed: note://today\r\n")
        });
        interrupt(&terminal.child);
        terminal.answer(PROMPT, "call add a=1\n");
        terminal.answer(PROMPT, "\u{4}");
        let (code, shown) = terminal.end();
        assert!(code == 0 && shown.contains("2\r\n"), "{shown}");
    }
}
