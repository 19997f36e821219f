//! Processes that share a store.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_auth::authorization_server::{
    AnyUser, AuthorizationServer, AuthorizationServerOptions, ClientRegistrationOptions, RateLimits, StoredProvider,
};
use ferromcp_auth::client::{
    AuthError, AuthorizationRequest, CredentialStore, FileStore, Grant, OAuth, OAuthOptions, RedirectHandler,
};
use ferromcp_server::Server;
use ferromcp_server::http::http;

use crate::server::{Protected, REDIRECT_URI, State};

const VARIABLE: &str = "FERROMCP_TEST_REFRESH";
/// Refreshes of each process.
const REFRESHES: usize = 500;

/// Runs in another process: the token always expires, so that each request refreshes it.
#[tokio::test]
#[ignore = "a child process of the next test"]
async fn refreshing_process() {
    let Ok(arguments) = std::env::var(VARIABLE) else { return };
    let (url, folder) = arguments.split_once(' ').unwrap();
    let prompt = RedirectHandler::new(REDIRECT_URI, |_| async { Err(AuthError::prompt("no user")) });
    let options = OAuthOptions::new(url).store(FileStore::new(folder)).grant(Grant::authorization_code(prompt));
    let oauth = OAuth::new(options).unwrap();
    for _ in 0..REFRESHES {
        assert!(oauth.login().await.unwrap());
    }
}

fn spawn(url: &str, folder: &std::path::Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "processes::refreshing_process"])
        .env(VARIABLE, format!("{url} {}", folder.display()))
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
    let children: Vec<Child> = (0..2).map(|_| spawn(&server.url(), folder.path())).collect();
    let outcomes = tokio::task::spawn_blocking(move || {
        children.into_iter().map(|mut child| child.wait().unwrap().success()).collect::<Vec<_>>()
    });
    assert_eq!(outcomes.await.unwrap(), [true, true]);
    let state = server.state();
    assert_eq!((state.logins, state.reused), (1, 0));
    assert!(state.refreshes >= 2 * REFRESHES, "{} refreshes", state.refreshes);
}

#[tokio::test(flavor = "multi_thread")]
async fn store_is_intact_when_processes_are_killed() {
    let folder = tempfile::tempdir().unwrap();
    // Previous refresh tokens remain valid, so that a login is required only if the store is damaged.
    let server = Protected::start(State { expires_in: Some(5), ..State::default() }).await;
    let store = FileStore::new(folder.path());
    let oauth = OAuth::new(server.options().store(store.clone())).unwrap();
    assert!(oauth.login().await.unwrap());
    for i in 0..12 {
        let refreshes = server.state().refreshes;
        let mut child = spawn(&server.url(), folder.path());
        while server.state().refreshes < refreshes + 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            assert!(child.try_wait().unwrap().is_none(), "the process has failed");
        }
        tokio::time::sleep(Duration::from_micros(i * 700)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let lock = tokio::time::timeout(Duration::from_secs(5), store.lock(&server.url())).await;
        drop(lock.unwrap().unwrap());
        assert!(oauth.stored().await.unwrap().unwrap().has_tokens());
    }
    assert!(OAuth::new(server.options().store(store)).unwrap().login().await.unwrap());
    assert_eq!(server.counts(|state| (state.registrations, state.logins)), (1, 1));
}

/// Starts a server with an embedded authorization server that rotates refresh tokens, and returns its URL. Tokens expire
/// within the margin, so that each use refreshes them.
pub(crate) async fn rotating_server() -> String {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let issuer = format!("http://{address}");
    let url = format!("{issuer}/mcp");
    let provider = StoredProvider::new(AnyUser::new("ada")).auto_approve();
    let options = AuthorizationServerOptions::new(issuer)
        .resource(&url)
        .rate_limits(RateLimits::disabled())
        .client_registration(ClientRegistrationOptions::new());
    let provider = provider.access_token_lifetime(Duration::from_secs(5));
    let authorization = AuthorizationServer::new(options, provider).unwrap();
    let (sender, bound) = tokio::sync::oneshot::channel();
    let listener = http(address.to_string()).authorization(authorization).on_bound(move |_| sender.send(()).unwrap());
    tokio::spawn(Server::new("rotating", "1.0.0").serve(listener));
    bound.await.unwrap();
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_lost_when_a_process_is_killed_while_it_refreshes() {
    let folder = tempfile::tempdir().unwrap();
    let (url, logins) = (rotating_server().await, Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&logins);
    let prompt = RedirectHandler::new(REDIRECT_URI, move |request: AuthorizationRequest| {
        counter.fetch_add(1, Ordering::SeqCst);
        async move {
            let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
            let response = browser.get(request.url()).send().await.unwrap();
            Ok(response.headers()["location"].to_str().unwrap().to_owned())
        }
    });
    let options = OAuthOptions::new(&url).store(FileStore::new(folder.path()));
    let oauth = OAuth::new(options.grant(Grant::authorization_code(prompt))).unwrap();
    assert!(oauth.login().await.unwrap());
    let expiry = async || oauth.stored().await.unwrap().unwrap();
    for i in 0..20 {
        // One process is killed, at different points of a refresh. The other continues.
        let (mut killed, mut other) = (spawn(&url, folder.path()), spawn(&url, folder.path()));
        let before = expiry().await;
        while expiry().await == before {
            assert!(
                killed.try_wait().unwrap().is_none() && other.try_wait().unwrap().is_none(),
                "a process has failed"
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_micros(i * 350)).await;
        killed.kill().unwrap();
        killed.wait().unwrap();
        let before = expiry().await;
        while expiry().await == before {
            assert!(other.try_wait().unwrap().is_none(), "the other process has failed");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        other.kill().unwrap();
        other.wait().unwrap();
    }
    assert!(oauth.login().await.unwrap());
    assert_eq!(logins.load(Ordering::SeqCst), 1, "no token was lost, and no reuse was detected");
}
