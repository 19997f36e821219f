//! The Ferromcp client with servers in web frameworks that have a route for POST only: the framework answers the GET of a
//! session with 404 or 405, and the session continues.
//!
//! The servers are described in `crates/ferromcp/tests/interop/README.md`.

use std::time::Duration;

use ferromcp::client::{Client, ConnectionState};
use ferromcp::core::{Era, Revision};
use serde_json::json;

use crate::interop::set_up_folder;
use crate::server_process::ServerProcess;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/ferromcp/tests/interop");
const TIMEOUT: Duration = Duration::from_secs(15);
/// The number of calls in each session.
const CALLS: usize = 5;

/// Connects twice, with and without the probe, and makes calls in each session. `status` is the response to GET.
async fn session_continues(test: &str, program: &str, script: &str, status: u16) {
    let Some(folder) = set_up_folder(test) else { return };
    let server = ServerProcess::start(folder.join(program).to_str().unwrap(), &[&format!("{SCRIPTS}/{script}")]);
    for era in [None, Some(Era::Legacy)] {
        let mut builder = Client::builder("ferromcp", "0");
        if let Some(era) = era {
            builder = builder.only_era(era);
        }
        let client = tokio::time::timeout(TIMEOUT, builder.connect(server.url())).await.expect("no timeout").unwrap();
        assert_eq!(client.revision(), Revision::LATEST_LEGACY);
        assert_eq!(client.tools().await.unwrap()[0].name, "add");
        for number in 0..CALLS {
            let sum = client.call("add", json!({ "a": number, "b": 1 })).timeout(TIMEOUT).await.unwrap();
            assert_eq!(sum.text_content(), (number + 1).to_string());
            tokio::time::sleep(Duration::from_millis(100)).await; // the response to GET has no effect later either
        }
        assert_eq!(client.state(), ConnectionState::Connected);
        client.close().await;
    }
    server.signal("TERM");
    let log = server.wait().stderr;
    let count = |request: &str| log.lines().filter(|line| *line == request).count();
    assert_eq!(count("POST 200 without a session"), 2, "one session per client: {log}");
    assert_eq!(count(&format!("GET {status} in a session")), 2, "one GET per session: {log}");
    assert_eq!(count("POST 200 in a session"), 2 * (CALLS + 1), "{log}");
    assert_eq!(count(&format!("DELETE {status} in a session")), 2, "{log}");
}

#[tokio::test]
async fn session_continues_when_express_has_no_get_route() {
    // C1
    let node = "node/node_modules/.bin/node";
    let test = "session_continues_when_express_has_no_get_route";
    session_continues(test, node, "server_post_only.mjs", 404).await;
}

#[tokio::test]
async fn session_continues_when_starlette_has_no_get_route() {
    // C1
    let test = "session_continues_when_starlette_has_no_get_route";
    session_continues(test, "py1/bin/python", "server_post_only.py", 405).await;
}
