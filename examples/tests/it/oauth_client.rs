//! A login by pasting the URL to which the browser was redirected, against a protected server.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use crate::protected::{Protected, State};

#[tokio::test]
async fn user_logs_in_once_by_pasting_the_url() {
    let folder = tempfile::tempdir().unwrap();
    let server = Protected::start(State::default()).await;
    assert_eq!(run(&server, folder.path(), true).await, "add\n");
    // The next process finds the tokens.
    assert_eq!(run(&server, folder.path(), false).await, "add\n");
    assert_eq!(server.counts(|state| state.logins), 1);
}

async fn run(server: &Protected, folder: &Path, logs_in: bool) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_oauth_client"));
    program.arg(server.url()).arg(folder).arg("--paste").kill_on_drop(true);
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    if logs_in {
        let url = loop {
            let line = lines.next_line().await.unwrap().expect("the URL of the page");
            if line.starts_with("http") {
                break line;
            }
        };
        let redirect = server.agree_to(&url);
        child.stdin.take().unwrap().write_all(format!("{redirect}\n").as_bytes()).await.unwrap();
    }
    let mut output = String::new();
    child.stdout.take().unwrap().read_to_string(&mut output).await.unwrap();
    let status = child.wait().await.unwrap();
    while let Some(line) = lines.next_line().await.unwrap() {
        eprintln!("{line}");
    }
    assert!(status.success());
    output
}
