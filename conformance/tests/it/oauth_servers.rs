//! The OAuth client of Ferromcp with authorization servers of the Python SDKs and FastMCP: it registers, logs in, calls
//! tools, and refreshes its tokens.
//!
//! The servers are described in `crates/ferromcp/tests/interop/README.md`.

use std::path::Path;
use std::time::Duration;

use ferromcp::auth::client::{Grant, OAuth, OAuthOptions};
use ferromcp::client::Client;
use serde_json::json;

use crate::interop::set_up_folder;
use crate::oauth_user::User;
use crate::server_process::ServerProcess;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/ferromcp/tests/interop");
/// The timeout of each operation; long, because the machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Logs in to a server and calls its tools twice. `refreshes`: whether its access tokens expire so soon that each call
/// refreshes them.
async fn log_in(folder: &Path, part: &str, script: &str, args: &[&str], refreshes: bool) {
    let (python, script) = (folder.join(part).join("bin/python"), Path::new(SCRIPTS).join(script));
    let args: Vec<&str> = [script.to_str().unwrap()].into_iter().chain(args.iter().copied()).collect();
    let server = ServerProcess::start(python.to_str().unwrap(), &args);
    let url = server.url();
    let options =
        OAuthOptions::new(&url).client_name("ferromcp").grant(Grant::authorization_code(User::new().prompt()));
    let oauth = OAuth::new(options).unwrap();
    let connect = Client::builder("ferromcp", "0").credentials(oauth.clone()).connect(&*url);
    let client = tokio::time::timeout(TIMEOUT, connect).await.expect("no timeout").unwrap();
    for _ in 0..2 {
        let sum = client.call("add", json!({ "a": 2, "b": 3 })).timeout(TIMEOUT).await.unwrap();
        assert_eq!(sum.text_content(), "5");
        let granted: Vec<String> = client.call_as("granted", ()).timeout(TIMEOUT).await.unwrap();
        assert_eq!(granted, ["notes:read"]);
    }
    client.close().await;
    server.signal("TERM");
    let log = server.wait().rest; // uvicorn prints requests to stdout
    let count = |request: &str| log.iter().filter(|line| line.contains(request)).count();
    assert_eq!((count("\"POST /register"), count("\"GET /authorize")), (1, 1), "{log:?}");
    let tokens = count("\"POST /token HTTP/1.1\" 200");
    assert!(if refreshes { tokens > 1 } else { tokens == 1 }, "{tokens} token requests: {log:?}");
}

#[tokio::test]
async fn logs_in_to_python_1_server() {
    let Some(folder) = set_up_folder("logs_in_to_python_1_server") else { return };
    log_in(&folder, "py1", "oauth_server_py1.py", &["3600"], false).await;
}

#[tokio::test]
async fn refreshes_tokens_of_python_1_server() {
    let Some(folder) = set_up_folder("refreshes_tokens_of_python_1_server") else { return };
    log_in(&folder, "py1", "oauth_server_py1.py", &["20"], true).await;
}

#[tokio::test]
async fn logs_in_to_python_2_server_and_refreshes_tokens() {
    let Some(folder) = set_up_folder("logs_in_to_python_2_server_and_refreshes_tokens") else { return };
    log_in(&folder, "py2", "oauth_server_py2.py", &["20"], true).await;
}

#[tokio::test]
async fn logs_in_to_fastmcp_server() {
    let Some(folder) = set_up_folder("logs_in_to_fastmcp_server") else { return };
    log_in(&folder, "fastmcp", "oauth_server_fastmcp.py", &[], false).await;
}
