//! A client of three servers, one of which may be down.

use crate::terminal::typed;
use crate::web::Web;

const NOTES: &str = env!("CARGO_BIN_EXE_notes");
const COUNTER: &str = env!("CARGO_BIN_EXE_counter");

/// Runs the client. Returns its output without the list of tools, and the number of tools.
fn run(notes: &str, url: &str, lines: &[&str]) -> (String, usize) {
    let shown = typed(env!("CARGO_BIN_EXE_three_servers"), &[notes, COUNTER, url], lines);
    let is_tool = |line: &&str| {
        let (name, _) = line.split_once(": ").unwrap_or_default();
        ["notes_", "local_", "remote_"].iter().any(|server| name.starts_with(server))
    };
    // The tools follow the failures of the list.
    let failures = shown.lines().take_while(|line| line.starts_with("! ")).count();
    let tools = shown.lines().skip(failures).take_while(is_tool).count();
    let rest: Vec<_> = shown.lines().take(failures).chain(shown.lines().skip(failures + tools)).collect();
    (rest.join("\n"), tools)
}

#[test]
fn client_uses_three_servers_when_all_are_up() {
    let web = Web::start(COUNTER, &[]);
    let (shown, tools) = run(NOTES, &format!("http://{}/mcp", web.address), &["y"]);
    assert_eq!(tools, 12, "{shown}");
    let expected = [
        "  10 of 25 notes saved",
        "  20 of 25 notes saved",
        "  25 of 25 notes saved",
        "notes_import_notes: 25 notes saved",
        "Delete note 1, \"note 1\"? (y/n)",
        "notes_delete_note: note 1 is deleted",
        "note://1 changed",
        "local_increment: 1",
        "remote_increment: 1",
        "26 resources", // 24 notes and two counters
    ];
    assert_eq!(shown.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn note_is_kept_when_user_does_not_confirm() {
    let web = Web::start(COUNTER, &[]);
    for lines in [&["n"][..], &[]] {
        let (shown, _) = run(NOTES, &format!("http://{}/mcp", web.address), lines);
        assert!(shown.contains("notes_delete_note: note 1 is kept"), "{shown}");
    }
}

#[test]
fn client_continues_when_http_server_is_down() {
    let web = Web::start(COUNTER, &[]);
    let url = format!("http://{}/mcp", web.address);
    drop(web); // nothing listens at its address now
    let (shown, tools) = run(NOTES, &url, &["y"]);
    assert_eq!(tools, 8, "{shown}");
    assert!(shown.starts_with("! remote is down: "), "{shown}");
    assert!(shown.contains("note 1 is deleted\nnote://1 changed\nlocal_increment: 1\n! remote_increment: "), "{shown}");
    assert!(shown.ends_with("25 resources"), "{shown}");
}

#[test]
fn client_continues_when_child_process_does_not_start() {
    let web = Web::start(COUNTER, &[]);
    let (shown, tools) = run("/no/such/server", &format!("http://{}/mcp", web.address), &[]);
    assert_eq!(tools, 8, "{shown}");
    assert!(shown.starts_with("! notes is down: cannot start `/no/such/server"), "{shown}");
    assert!(shown.ends_with("local_increment: 1\nremote_increment: 1\n2 resources"), "{shown}");
}
