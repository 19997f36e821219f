//! Processes that share a store.

use std::process::{Child, Command, Stdio};

use ferromcp_auth::client::{FileStore, OAuth};

use crate::server::{Protected, State};

const VARIABLE: &str = "FERROMCP_TEST_REFRESH";
/// Refreshes of each process.
const REFRESHES: usize = 500;

/// Runs in another process: the token always expires, so that each request refreshes it.
#[tokio::test]
#[ignore = "a child process of the next test"]
async fn refreshing_process() {
    let Ok(arguments) = std::env::var(VARIABLE) else { return };
    let (url, folder) = arguments.split_once(' ').unwrap();
    let options = ferromcp_auth::client::OAuthOptions::new(url).store(FileStore::new(folder));
    let oauth = OAuth::new(options).unwrap();
    for _ in 0..REFRESHES {
        assert!(oauth.login().await.unwrap());
    }
}

fn spawn(server: &Protected, folder: &std::path::Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "processes::refreshing_process"])
        .env(VARIABLE, format!("{} {}", server.url(), folder.display()))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_share_one_rotating_refresh_token() {
    let folder = tempfile::tempdir().unwrap();
    // Tokens expire within the margin, so that each use refreshes them.
    let server = Protected::start(State { expires_in: Some(5), rotates: true, ..State::default() }).await;
    let oauth = OAuth::new(server.options().store(FileStore::new(folder.path()))).unwrap();
    assert!(oauth.login().await.unwrap());
    let children: Vec<Child> = (0..2).map(|_| spawn(&server, folder.path())).collect();
    let outcomes = tokio::task::spawn_blocking(move || {
        children.into_iter().map(|mut child| child.wait().unwrap().success()).collect::<Vec<_>>()
    });
    assert_eq!(outcomes.await.unwrap(), [true, true]);
    let state = server.state();
    assert_eq!((state.logins, state.reused), (1, 0));
    assert!(state.refreshes >= 2 * REFRESHES, "{} refreshes", state.refreshes);
}
