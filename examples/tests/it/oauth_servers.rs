//! The authorization server with the client of the examples, and the protected server.

use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use reqwest::header::WWW_AUTHENTICATE;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::browser::Browser;

#[tokio::test]
async fn user_logs_in_in_the_browser_and_logs_out() {
    let address = free_address();
    let _server = start(env!("CARGO_BIN_EXE_authorization_server"), address, &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let mut client = Command::new(env!("CARGO_BIN_EXE_oauth_client"));
    client.arg(format!("http://{address}/mcp")).arg(folder.path()).arg("--paste").kill_on_drop(true);
    let mut client = client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(client.stderr.take().unwrap()).lines();
    let url = loop {
        let line = lines.next_line().await.unwrap().expect("the URL of the page");
        if line.starts_with("http") {
            break line;
        }
    };
    let mut browser = Browser::new(format!("http://{address}"));
    let login = browser.open(&url).await;
    assert!(login.contains("My App") && login.contains("name=\"password\""), "{login}");
    let again = browser.submit(&login, "/consent/login", &[("username", "ada"), ("password", "wrong")]).await;
    let consent =
        browser.submit(&again.unwrap_err(), "/consent/login", &[("username", "ada"), ("password", "lovelace")]).await;
    let consent = consent.unwrap_err();
    assert!(consent.contains("Ada Lovelace") && consent.contains("Read your profile"), "{consent}");
    let redirect = browser.submit(&consent, "/consent", &[("action", "approve")]).await.unwrap();
    client.stdin.take().unwrap().write_all(format!("{redirect}\n").as_bytes()).await.unwrap();
    let mut output = String::new();
    client.stdout.take().unwrap().read_to_string(&mut output).await.unwrap();
    while let Some(line) = lines.next_line().await.unwrap() {
        eprintln!("{line}");
    }
    assert!(client.wait().await.unwrap().success());
    assert_eq!(output, "whoami\n");
    let mut logout = Command::new(env!("CARGO_BIN_EXE_oauth_client"));
    let logout = logout.arg(format!("http://{address}/mcp")).arg(folder.path()).arg("--logout").output().await.unwrap();
    assert_eq!(String::from_utf8_lossy(&logout.stdout), "Logged out.\n");
}

#[tokio::test]
async fn protected_server_names_its_metadata_and_identity_provider() {
    let address = free_address();
    let args = ["https://mcp.example.com/mcp", "https://login.example.com"];
    let _server = start(env!("CARGO_BIN_EXE_protected_server"), address, &args).await;
    let http = reqwest::Client::new();
    let response = http.post(format!("http://{address}/mcp")).send().await.unwrap();
    assert_eq!(response.status(), 401);
    let challenge = response.headers()[WWW_AUTHENTICATE].to_str().unwrap();
    let metadata = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";
    assert_eq!(challenge, format!("Bearer resource_metadata=\"{metadata}\", scope=\"notes:read\""));
    let path = metadata.trim_start_matches("https://mcp.example.com");
    let document = http.get(format!("http://{address}{path}")).send().await.unwrap().text().await.unwrap();
    assert!(document.contains("https://login.example.com"), "{document}");
}

/// Returns a loopback address with a free port.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Starts a server, and waits until it listens.
pub(crate) async fn start(program: &str, address: SocketAddr, args: &[&str]) -> Child {
    let mut command = Command::new(program);
    let server = command.arg(address.to_string()).args(args).stdin(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    for _ in 0..500 {
        if TcpStream::connect(address).await.is_ok() {
            return server;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("{program} does not listen");
}
