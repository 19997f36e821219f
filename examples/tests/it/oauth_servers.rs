//! The authorization server with the client of the examples, and the protected server.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE, WWW_AUTHENTICATE};
use reqwest::redirect::Policy;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::sleep;

#[tokio::test]
async fn user_logs_in_and_consents_in_the_browser() {
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

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Starts a server, and waits until it listens.
async fn start(program: &str, address: SocketAddr, args: &[&str]) -> Child {
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

/// A browser that shows pages of one site.
struct Browser {
    http: reqwest::Client,
    origin: String,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new(origin: String) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { http, origin, cookies: BTreeMap::new() }
    }

    /// Opens a URL of the site, follows redirects, and returns the page.
    async fn open(&mut self, url: &str) -> String {
        let request = self.http.get(url);
        self.send(request).await.unwrap_err()
    }

    /// Submits a form of a page. Returns the redirect to another site, or else the next page as an error.
    async fn submit(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Result<String, String> {
        let hidden = ["id", "csrf"].map(|name| (name, hidden(page, name)));
        let fields: BTreeMap<&str, &str> =
            hidden.iter().map(|(name, value)| (*name, value.as_str())).chain(fields.iter().copied()).collect();
        let body = fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let request = self.http.post(format!("{}{path}", self.origin)).header("origin", &self.origin);
        self.send(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    async fn send(&mut self, mut request: reqwest::RequestBuilder) -> Result<String, String> {
        loop {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let response = request.header(COOKIE, cookies.join("; ")).send().await.unwrap();
            for cookie in response.headers().get_all(SET_COOKIE) {
                let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let Some(location) = response.headers().get(LOCATION) else { return Err(response.text().await.unwrap()) };
            let location = location.to_str().unwrap().to_owned();
            if !location.starts_with('/') && !location.starts_with(&self.origin) {
                return Ok(location);
            }
            let url = if location.starts_with('/') { format!("{}{location}", self.origin) } else { location };
            request = self.http.get(url);
        }
    }
}

/// Returns the value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let value = page.split_once(&start).and_then(|(_, rest)| rest.split_once('"'));
    value.unwrap_or_else(|| panic!("no field {name}: {page}")).0.to_owned()
}
