//! Refreshing tokens.

use ferromcp_auth::client::OAuth;
use serde_json::json;

use crate::server::{Protected, State};

#[tokio::test]
async fn concurrent_requests_share_one_refresh() {
    //
    let server = Protected::start(State { expires_in: Some(20), rotates: true, ..State::default() }).await;
    let oauth = OAuth::new(server.options()).unwrap();
    assert!(oauth.login().await.unwrap());
    // The token expires within the margin. The next ones do not.
    server.state().expires_in = Some(3600);
    let calls = (0..8).map(|_| {
        let (server, oauth) = (server.clone(), oauth.clone());
        tokio::spawn(async move { server.connect(&oauth).await.unwrap().tools().await.unwrap().len() })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), 1);
    }
    assert_eq!(server.counts(|state| (state.logins, state.refreshes, state.reused)), (1, 1, 0));
    assert_eq!(server.counts(|state| state.token_requests[1]["resource"].clone()), server.url());
    // The scope of the grant is kept, which the response omits.
    assert_eq!(oauth.stored().await.unwrap().unwrap().scope(), "read");
}

#[tokio::test]
async fn a_rejected_token_is_refreshed_once() {
    let server = Protected::start(State { rotates: true, ..State::default() }).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    server.state().access.clear();
    assert_eq!(client.call_as::<i64>("add", json!({ "a": 1, "b": 2 })).await.unwrap(), 3);
    assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (1, 1));
}

#[tokio::test]
async fn logs_in_again_when_the_refresh_token_is_rejected() {
    let server = Protected::start(State::default()).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    {
        let mut state = server.state();
        state.access.clear();
        state.forget_refresh_tokens();
    }
    assert_eq!(client.call_as::<i64>("add", json!({ "a": 1, "b": 2 })).await.unwrap(), 3);
    assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (2, 1));
}

#[tokio::test]
async fn tokens_are_kept_when_the_authorization_server_has_an_outage() {
    let server = Protected::start(State { expires_in: Some(20), ..State::default() }).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    let refreshes = server.state().refreshes;
    server.state().token_status = Some(503);
    // The token is still valid for 20 s.
    assert_eq!(client.call_as::<i64>("add", json!({ "a": 1, "b": 2 })).await.unwrap(), 3);
    assert!(oauth.stored().await.unwrap().unwrap().has_tokens());
    assert_eq!(server.state().refreshes, refreshes);
    server.state().token_status = None;
    server.state().expires_in = Some(3600);
    assert_eq!(client.call_as::<i64>("add", json!({ "a": 1, "b": 2 })).await.unwrap(), 3);
    assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (1, refreshes + 1));
}
