//! Requests that are dropped, stores that fail, and locks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_auth::client::{
    AuthError, AuthErrorKind, AuthorizationRequest, CredentialStore, FileStore, Grant, MemoryStore, OAuth,
    RedirectHandler, StoreFuture, StoredCredentials,
};
use tokio::time::{sleep, timeout};

use crate::server::{Protected, REDIRECT_URI, State};

#[tokio::test]
async fn rotated_token_is_saved_when_the_request_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let server = Protected::start(State { expires_in: Some(20), rotates: true, ..State::default() }).await;
    let options = || server.options().store(FileStore::new(folder.path()));
    let oauth = OAuth::new(options()).unwrap();
    assert!(oauth.login().await.unwrap());
    for _ in 0..3 {
        server.state().token_delay = Duration::from_millis(300);
        // The request is sent, and the server has replaced the token.
        timeout(Duration::from_millis(150), oauth.login()).await.unwrap_err();
        server.state().token_delay = Duration::ZERO;
        sleep(Duration::from_millis(300)).await;
        assert!(OAuth::new(options()).unwrap().login().await.unwrap());
    }
    server.state().expires_in = Some(3600);
    assert!(oauth.login().await.unwrap());
    assert_eq!(server.connect(&oauth).await.unwrap().tools().await.unwrap().len(), 1);
    assert_eq!(server.counts(|state| (state.logins, state.reused)), (1, 0));
}

#[tokio::test]
async fn next_login_succeeds_when_a_login_was_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let server = Protected::start(State::default()).await;
    let hangs = Arc::new(AtomicBool::new(true));
    let (agreeing, hanging) = (server.clone(), Arc::clone(&hangs));
    let prompt = RedirectHandler::new(REDIRECT_URI, move |request: AuthorizationRequest| {
        let (response, hangs) = (agreeing.agree_to(request.url()), hanging.load(Ordering::SeqCst));
        async move { if hangs { std::future::pending().await } else { Ok(response) } }
    });
    let options = server.options().grant(Grant::authorization_code(prompt)).store(FileStore::new(folder.path()));
    let oauth = OAuth::new(options).unwrap();
    for _ in 0..3 {
        timeout(Duration::from_millis(700), oauth.login()).await.unwrap_err();
    }
    hangs.store(false, Ordering::SeqCst);
    assert!(oauth.login().await.unwrap());
    assert_eq!(server.state().registrations, 1);
}

#[tokio::test]
async fn functions_of_the_application_have_a_timeout() {
    let server = Protected::start(State::default()).await;
    let grant = Grant::workload_identity(|_| std::future::pending());
    let options = server.options().grant(grant).login_timeout(Duration::from_millis(50));
    let error = OAuth::new(options).unwrap().login().await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Timeout);
    assert!(error.to_string().contains("see `OAuthOptions::login_timeout`"), "{error}");
}

#[tokio::test]
async fn newer_tokens_of_another_process_are_kept_when_a_login_is_denied() {
    let folder = tempfile::tempdir().unwrap();
    let server = Protected::start(State { rotates: true, ..State::default() }).await;
    let denies = Arc::new(AtomicBool::new(false));
    let (agreeing, cancels) = (server.clone(), Arc::clone(&denies));
    let prompt = RedirectHandler::new(REDIRECT_URI, move |request: AuthorizationRequest| {
        let is_canceled = cancels.load(Ordering::SeqCst);
        let response =
            if is_canceled { Err(AuthError::prompt("canceled")) } else { Ok(agreeing.agree_to(request.url())) };
        async move { response }
    });
    let options = || server.options().store(FileStore::new(folder.path()));
    let first = OAuth::new(options().grant(Grant::authorization_code(prompt))).unwrap();
    let client = server.connect(&first).await.unwrap();
    // Another process refreshes the token and logs in.
    server.state().refuses_with = Some(401);
    server.connect(&OAuth::new(options()).unwrap()).await.unwrap_err();
    server.state().refuses_with = None;
    assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (2, 1));
    // The user denies more scopes to the first one.
    denies.store(true, Ordering::SeqCst);
    server.state().required_scope = Some("write");
    client.tools().await.unwrap_err();
    server.state().required_scope = None;
    server.state().access.clear();
    let third = OAuth::new(options()).unwrap();
    assert_eq!(server.connect(&third).await.unwrap().tools().await.unwrap().len(), 1);
    assert_eq!(server.counts(|state| (state.logins, state.refreshes, state.reused)), (2, 2, 0));
}

/// A store that fails sometimes.
#[derive(Clone, Default)]
struct Unreliable(Arc<MemoryStore>, Arc<AtomicBool>);

impl CredentialStore for Unreliable {
    fn load<'a>(&'a self, server: &'a str) -> StoreFuture<'a, Option<StoredCredentials>> {
        self.0.load(server)
    }

    fn save<'a>(&'a self, server: &'a str, credentials: &'a StoredCredentials) -> StoreFuture<'a, ()> {
        if self.1.load(Ordering::SeqCst) {
            return Box::pin(async { Err(AuthError::store("the disk is full")) });
        }
        self.0.save(server, credentials)
    }

    fn remove<'a>(&'a self, server: &'a str) -> StoreFuture<'a, ()> {
        self.0.remove(server)
    }
}

#[tokio::test]
async fn tokens_are_used_when_the_store_fails() {
    let store = Unreliable::default();
    let server = Protected::start(State { expires_in: Some(20), rotates: true, ..State::default() }).await;
    let oauth = OAuth::new(server.options().store(store.clone())).unwrap();
    assert!(oauth.login().await.unwrap());
    store.1.store(true, Ordering::SeqCst);
    let client = server.connect(&oauth).await.unwrap();
    for _ in 0..3 {
        assert_eq!(client.tools().await.unwrap().len(), 1);
    }
    // The older tokens of the store are not used.
    assert_eq!(server.counts(|state| (state.logins, state.reused)), (1, 0));
    store.1.store(false, Ordering::SeqCst);
    client.tools().await.unwrap();
    assert!(OAuth::new(server.options().store(store)).unwrap().login().await.unwrap());
    assert_eq!(server.counts(|state| (state.logins, state.reused)), (1, 0));
}

#[tokio::test]
async fn login_fails_when_the_store_fails() {
    let store = Unreliable::default();
    store.1.store(true, Ordering::SeqCst);
    let server = Protected::start(State::default()).await;
    let oauth = OAuth::new(server.options().store(store)).unwrap();
    let error = oauth.login().await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Store, "{error}");
    // The tokens are in memory.
    server.connect(&oauth).await.unwrap();
    assert_eq!(server.state().logins, 1);
}

#[test]
fn waiting_for_the_lock_occupies_no_thread() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).max_blocking_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path());
        let server = Protected::start(State::default()).await;
        let lock = store.lock(&server.url()).await.unwrap();
        let finished = Arc::new(AtomicUsize::new(0));
        let logins = (0..8).map(|_| {
            let (options, finished) = (server.options().store(store.clone()), Arc::clone(&finished));
            tokio::spawn(async move {
                assert!(OAuth::new(options).unwrap().login().await.unwrap());
                finished.fetch_add(1, Ordering::SeqCst);
            })
        });
        let logins: Vec<_> = logins.collect();
        sleep(Duration::from_millis(300)).await;
        assert_eq!(finished.load(Ordering::SeqCst), 0);
        // The holder can use the store.
        timeout(Duration::from_secs(5), store.load(&server.url())).await.unwrap().unwrap();
        drop(lock);
        for login in logins {
            timeout(Duration::from_secs(30), login).await.unwrap().unwrap();
        }
        assert_eq!(server.counts(|state| (state.registrations, state.logins)), (1, 1));
    });
}

#[tokio::test]
async fn login_succeeds_when_files_are_damaged_or_left_over() {
    let folder = tempfile::tempdir().unwrap();
    let server = Protected::start(State::default()).await;
    let options = || server.options().store(FileStore::new(folder.path()));
    assert!(OAuth::new(options()).unwrap().login().await.unwrap());
    let files = || std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let file = files().find(|path| path.extension().is_some_and(|it| it == "json")).unwrap();
    assert!(files().any(|path| path.extension().is_some_and(|it| it == "lock")));
    let text = std::fs::read_to_string(&file).unwrap();
    let damaged: [Vec<u8>; 6] = [
        Vec::new(),
        text.as_bytes()[..text.len() / 2].to_vec(),
        vec![0xff; 100],
        b"{}".to_vec(),
        text.replace("access-s3cret", "access\\n").into_bytes(),
        text.replace(&server.url(), "https://other.example.com/mcp").into_bytes(),
    ];
    for (i, damaged) in damaged.into_iter().enumerate() {
        std::fs::write(&file, damaged).unwrap();
        let client = server.connect(&OAuth::new(options()).unwrap()).await;
        assert_eq!(client.unwrap().tools().await.unwrap().len(), 1, "{i}");
        assert_eq!(server.state().logins, i + 2);
    }
    std::fs::write(&file, vec![b' '; 2_000_000]).unwrap();
    let error = OAuth::new(options()).unwrap().login().await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Store, "{error}");
}

#[tokio::test]
async fn tokens_are_used_when_the_clock_jumps() {
    let folder = tempfile::tempdir().unwrap();
    let server = Protected::start(State { expires_in: Some(3600), ..State::default() }).await;
    let options = || server.options().store(FileStore::new(folder.path()));
    assert!(OAuth::new(options()).unwrap().login().await.unwrap());
    let mut files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.extension().is_some_and(|it| it == "json")).unwrap();
    // The clock was in the future or in the past when the token was saved.
    for (expires_at, is_rejected, refreshes) in
        [("1", false, 1), ("18446744073709551615", false, 1), ("9999999999", true, 2)]
    {
        let mut record: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        record["tokens"]["expires_at"] = expires_at.parse::<u64>().unwrap().into();
        std::fs::write(&file, record.to_string()).unwrap();
        if is_rejected {
            server.state().access.clear();
        }
        let oauth = OAuth::new(options()).unwrap();
        assert_eq!(server.connect(&oauth).await.unwrap().tools().await.unwrap().len(), 1);
        assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (1, refreshes), "{expires_at}");
    }
}
