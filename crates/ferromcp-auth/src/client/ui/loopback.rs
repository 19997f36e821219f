//! A prompt that opens a browser and receives the response on the loopback interface (RFC 8252).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

use super::{AuthorizationPrompt, PromptFuture, RedirectListener};
use crate::client::authorization::AuthorizationRequest;
use crate::error::AuthError;

const PATH: &str = "/callback";
/// Maximum size of a request head, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// Maximum number of concurrent connections. Browsers open some in advance.
const MAX_CONNECTIONS: usize = 16;
/// Timeout of reading a request.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// A prompt that opens the default browser and receives the response at `http://127.0.0.1:PORT/callback`.
///
/// The URL of the page is also printed to stderr, for machines on which no browser can be opened.
#[derive(Clone)]
pub struct LoopbackPrompt {
    address: IpAddr,
    port: u16,
    host: Option<String>,
    path: String,
    open: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

impl LoopbackPrompt {
    /// Creates a prompt that listens on a free port of `127.0.0.1`.
    pub fn new() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            host: None,
            path: PATH.to_owned(),
            open: Arc::new(|url| webbrowser::open(url).is_ok()),
        }
    }

    /// Sets the port, for a redirect URI that is registered in advance. By default, the port of the previous login is
    /// used again if it is free, because another redirect URI requires another registration.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the host in the redirect URI, such as `localhost` or `[::1]`. It must be a loopback host. Default:
    /// `127.0.0.1`.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Sets the path of the redirect URI. Default: `/callback`.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Sets the address to listen on, for containers with a forwarded port. Default: `127.0.0.1`. The redirect URI does
    /// not contain it; see [`host`](Self::host).
    #[must_use]
    pub fn bind(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// Sets the function that opens the URL of the page, and returns whether it succeeded. It may block. By default, it
    /// opens the default browser.
    #[must_use]
    pub fn open_with(mut self, open: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.open = Arc::new(open);
        self
    }

    async fn bind_listener(&self, previous: Option<&str>) -> Result<Listener, AuthError> {
        let previous = previous.and_then(|uri| Url::parse(uri).ok()).and_then(|uri| uri.port());
        let wanted = if self.port == 0 { previous.unwrap_or(0) } else { self.port };
        let listener = match TcpListener::bind(SocketAddr::new(self.address, wanted)).await {
            Ok(listener) => listener,
            // The port that was used before is taken; the client registers again with another.
            Err(_) if self.port == 0 => {
                TcpListener::bind(SocketAddr::new(self.address, 0)).await.map_err(|error| self.cannot_bind(0, error))?
            }
            Err(error) => return Err(self.cannot_bind(wanted, error)),
        };
        let port = listener.local_addr().map_err(|error| self.cannot_bind(wanted, error))?.port();
        let host = self.host.clone().unwrap_or_else(|| "127.0.0.1".to_owned());
        let redirect_uri = format!("http://{host}:{port}{}", self.path);
        Ok(Listener { socket: listener, redirect_uri, open: Arc::clone(&self.open) })
    }

    fn cannot_bind(&self, port: u16, error: std::io::Error) -> AuthError {
        let text = format!("cannot listen on {} for the authorization response", SocketAddr::new(self.address, port));
        AuthError::configuration(text).with_source(error)
    }
}

impl Default for LoopbackPrompt {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LoopbackPrompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopbackPrompt")
            .field("address", &self.address)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl AuthorizationPrompt for LoopbackPrompt {
    fn listen<'a>(&'a self, previous: Option<&'a str>) -> PromptFuture<'a, Box<dyn RedirectListener>> {
        Box::pin(async move { Ok(Box::new(self.bind_listener(previous).await?) as Box<dyn RedirectListener>) })
    }
}

struct Listener {
    socket: TcpListener,
    redirect_uri: String,
    open: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

impl RedirectListener for Listener {
    fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    fn authorize<'a>(&'a mut self, request: &'a AuthorizationRequest) -> PromptFuture<'a, String> {
        Box::pin(async move {
            let (open, url) = (Arc::clone(&self.open), request.url().to_owned());
            let (sender, mut opening) = oneshot::channel();
            // A browser in the terminal returns only when it exits. A thread of the runtime would delay its shutdown.
            let open_page = move || {
                let _ = sender.send(open(&url));
            };
            // Without a thread, the user opens the URL.
            let _ = std::thread::Builder::new().spawn(open_page);
            let mut is_open = false;
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    opened = &mut opening, if !is_open => {
                        is_open = true;
                        show(request.url(), opened.unwrap_or(false));
                    }
                    accepted = self.socket.accept(), if connections.len() < MAX_CONNECTIONS => {
                        let (stream, _) = accepted.map_err(|error| {
                            AuthError::prompt("cannot receive the authorization response").with_source(error)
                        })?;
                        let request = request.clone();
                        connections.spawn(async move { timeout(READ_TIMEOUT, respond(stream, &request)).await });
                    }
                    // Requests that do not belong to the login are answered and ignored.
                    Some(done) = connections.join_next() => if let Ok(Ok(Some(response))) = done {
                        return Ok(response);
                    }
                }
            }
        })
    }
}

/// Prints the URL of the page, and that the client waits for the login.
#[allow(clippy::print_stderr, reason = "the user must see the URL; stdout carries the protocol")]
fn show(url: &str, opened: bool) {
    if opened {
        eprintln!("Waiting for the login in the browser. If no page was opened, open this URL:\n\n{url}\n");
    } else {
        eprintln!("Open this URL in a browser on this machine to log in:\n\n{url}\n");
    }
}

/// Answers a request. Returns the URL if it is the authorization response.
pub(in crate::client) async fn respond(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &AuthorizationRequest,
) -> Option<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        if head.len() > MAX_HEAD || stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let head = std::str::from_utf8(&head).ok()?;
    let target = head.strip_prefix("GET ").and_then(|rest| rest.split(' ').next())?;
    let url = Url::parse(request.redirect_uri()).and_then(|base| base.join(target)).ok()?;
    let expected = Url::parse(request.redirect_uri()).ok()?;
    let is_response = url.path() == expected.path() && request.matches(url.as_str());
    let (status, text) = match is_response {
        // The parameters are not shown, because they are not verified yet.
        true if request.is_denied_by(url.as_str()) => ("200 OK", "The login failed. The application shows the reason."),
        true => ("200 OK", "The login is complete. You can close this page and return to the application."),
        false => ("404 Not Found", "This page does not belong to a login in progress."),
    };
    let page = format!("<!doctype html><meta charset=\"utf-8\"><title>Login</title><p>{text}</p>");
    let response = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         content-security-policy: default-src 'none'\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n{page}",
        page.len()
    );
    // The response is valid even if the browser does not receive the page.
    let _ = stream.write_all(response.as_bytes()).await;
    let _ = stream.shutdown().await;
    is_response.then(|| url.into())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;
    use crate::client::authorization::tests::request_to;

    async fn get(address: &str, target: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    #[tokio::test]
    async fn requests_of_others_are_ignored() {
        //
        let prompt = LoopbackPrompt::new().open_with(|_| true);
        let mut listener = prompt.listen(None).await.unwrap();
        let (request, state) = request_to(listener.redirect_uri());
        let address = Url::parse(listener.redirect_uri()).unwrap();
        let address = format!("127.0.0.1:{}", address.port().unwrap());
        let browser = tokio::spawn(async move {
            for target in ["/", "/callback?code=c&state=other", &format!("/other?code=c&state={state}")] {
                assert!(get(&address, target).await.starts_with("HTTP/1.1 404"), "{target}");
            }
            drop(TcpStream::connect(&address).await.unwrap());
            get(&address, &format!("/callback?code=c&state={state}")).await
        });
        let url = listener.authorize(&request).await.unwrap();
        assert!(url.contains("code=c") && request.matches(&url));
        assert!(browser.await.unwrap().contains("The login is complete"));
    }

    #[tokio::test]
    async fn page_shows_that_the_login_failed_when_it_is_denied() {
        let prompt = LoopbackPrompt::new().open_with(|_| true);
        let mut listener = prompt.listen(None).await.unwrap();
        let (request, state) = request_to(listener.redirect_uri());
        let address = Url::parse(listener.redirect_uri()).unwrap();
        let address = format!("127.0.0.1:{}", address.port().unwrap());
        let target = format!("/callback?error=access_denied&error_description=s3cret&state={state}");
        let browser = tokio::spawn(async move { get(&address, &target).await });
        listener.authorize(&request).await.unwrap();
        let page = browser.await.unwrap();
        assert!(page.contains("The login failed") && !page.contains("s3cret"), "{page}");
    }

    #[test]
    fn shutdown_of_the_runtime_does_not_wait_for_the_browser() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (started, opened) = std::sync::mpsc::channel();
        let prompt = LoopbackPrompt::new().open_with(move |_| {
            started.send(()).unwrap();
            std::thread::sleep(Duration::from_secs(60));
            true
        });
        runtime.block_on(async {
            let mut listener = prompt.listen(None).await.unwrap();
            let (request, _) = request_to(listener.redirect_uri());
            timeout(Duration::from_millis(100), listener.authorize(&request)).await.unwrap_err();
        });
        opened.recv().unwrap();
        let start = std::time::Instant::now();
        drop(runtime);
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[tokio::test]
    async fn port_is_used_again_if_it_is_free() {
        let prompt = LoopbackPrompt::new().host("localhost");
        let first = prompt.listen(None).await.unwrap();
        let uri = first.redirect_uri().to_owned();
        assert!(uri.starts_with("http://localhost:"));
        assert_ne!(prompt.listen(Some(&uri)).await.unwrap().redirect_uri(), uri);
        drop(first);
        assert_eq!(prompt.listen(Some(&uri)).await.unwrap().redirect_uri(), uri);
    }
}
