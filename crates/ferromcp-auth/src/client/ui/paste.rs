//! A prompt for users without a local browser: they paste the URL to which their browser was redirected.

use std::io::{BufRead, Write};
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use super::{AuthorizationPrompt, PromptFuture, RedirectListener};
use crate::client::authorization::AuthorizationRequest;
use crate::error::AuthError;

/// The default redirect URI. No process listens there: the browser shows an error, and its address bar contains the
/// response.
const REDIRECT_URI: &str = "http://127.0.0.1:8765/callback";
/// Maximum length of the pasted text, in bytes.
const MAX_LINE: u64 = 16 * 1024;
/// Maximum number of texts that the user can paste.
const ATTEMPTS: usize = 5;

/// A prompt that prints the URL of the page to stderr, and reads from stdin the URL to which the browser was
/// redirected.
///
/// For remote machines, containers and SSH sessions: the browser runs on another machine. The login fails if stdin is
/// closed, or after 5 texts that are not the URL. Do not use it if stdin carries the protocol.
///
/// A login that is cancelled or times out reads the next line of stdin. If another login waits by then, it gets the line.
#[derive(Debug, Clone)]
pub struct PastePrompt {
    redirect_uri: String,
}

impl PastePrompt {
    /// Creates a prompt with the redirect URI `http://127.0.0.1:8765/callback`.
    pub fn new() -> Self {
        Self { redirect_uri: REDIRECT_URI.to_owned() }
    }

    /// Sets the redirect URI, if the client is registered with another one.
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = uri.into();
        self
    }
}

impl Default for PastePrompt {
    fn default() -> Self {
        Self::new()
    }
}

impl AuthorizationPrompt for PastePrompt {
    fn listen<'a>(&'a self, _: Option<&'a str>) -> PromptFuture<'a, Box<dyn RedirectListener>> {
        let listener: Box<dyn RedirectListener> = Box::new(self.clone());
        Box::pin(std::future::ready(Ok(listener)))
    }
}

impl RedirectListener for PastePrompt {
    fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    fn authorize<'a>(&'a mut self, request: &'a AuthorizationRequest) -> PromptFuture<'a, String> {
        let request = request.clone();
        Box::pin(async move {
            let (sender, receiver) = oneshot::channel();
            // A thread of the runtime would delay its shutdown until the user presses Enter, even after a timeout.
            let reader = move || {
                // stderr is not locked while the user acts, because logs of other threads would wait.
                let mut output = std::io::stderr();
                let result = show(&request, &mut output).and_then(|()| {
                    // A cancelled login may hold the lock until the user pastes a text, which it leaves for this one.
                    let mut input = std::io::stdin().lock();
                    read(&request, &mut input, &mut output, &UNUSED, &|| sender.is_closed())
                });
                let _ = sender.send(result);
            };
            std::thread::Builder::new().spawn(reader).map_err(failed)?;
            receiver.await.unwrap_or_else(|error| Err(AuthError::prompt("cannot read from stdin").with_source(error)))
        })
    }
}

/// The text that a cancelled login has read.
static UNUSED: Mutex<Option<String>> = Mutex::new(None);

fn failed(error: std::io::Error) -> AuthError {
    AuthError::prompt("cannot show the authorization page").with_source(error)
}

/// Shows the URL of the page.
fn show(request: &AuthorizationRequest, output: &mut impl Write) -> Result<(), AuthError> {
    let text = format!(
        "Open this URL in a browser and log in:\n\n{}\n\nThe browser is then redirected to {}, which may show an error. \
         Paste the URL from its address bar here:\n",
        request.url(),
        request.redirect_uri()
    );
    output.write_all(text.as_bytes()).map_err(failed)
}

/// Reads texts until one is the URL of the login. A login that was cancelled leaves its text in `unused`.
pub(in crate::client) fn read(
    request: &AuthorizationRequest,
    input: &mut impl BufRead,
    output: &mut impl Write,
    unused: &Mutex<Option<String>>,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<String, AuthError> {
    let unused = || unused.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..ATTEMPTS {
        let cancelled = || Err(AuthError::prompt("the login was cancelled"));
        if is_cancelled() {
            return cancelled();
        }
        let mut line = unused().take().unwrap_or_default();
        if line.is_empty() {
            std::io::Read::take(&mut *input, MAX_LINE).read_line(&mut line).map_err(failed)?;
        }
        if is_cancelled() {
            *unused() = Some(line);
            return cancelled();
        }
        if line.is_empty() {
            return Err(AuthError::prompt("stdin was closed before a URL was pasted"));
        }
        if request.matches(&line) {
            return Ok(line.trim().to_owned());
        }
        writeln!(output, "This is not the URL of this login. Paste the whole URL from the address bar:")
            .map_err(failed)?;
    }
    Err(AuthError::prompt(format!("{ATTEMPTS} texts were pasted that are not the URL of this login")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::authorization::tests::request_to;

    #[test]
    fn reads_the_pasted_url() {
        let (request, state) = request_to("http://127.0.0.1:1/callback");
        let url = format!("http://127.0.0.1:1/callback?code=c&state={state}");
        let mut output = Vec::new();
        show(&request, &mut output).unwrap();
        let pasted = format!("nonsense\n  {url}  \n");
        let (input, unused) = (&mut pasted.as_bytes(), Mutex::default());
        assert_eq!(read(&request, input, &mut output, &unused, &|| false).unwrap(), url);
        let output = String::from_utf8(output).unwrap();
        assert!(output.contains(request.url()) && output.contains("not the URL of this login"), "{output}");
    }

    #[test]
    fn next_login_gets_the_text_that_a_cancelled_one_has_read() {
        let (request, state) = request_to("http://127.0.0.1:1/callback");
        let url = format!("http://127.0.0.1:1/callback?code=c&state={state}");
        let pasted = format!("{url}\n");
        let unused = Mutex::default();
        // The login is cancelled while it reads.
        let calls = std::cell::Cell::new(0);
        let is_cancelled = || calls.replace(calls.get() + 1) > 0;
        read(&request, &mut pasted.as_bytes(), &mut Vec::new(), &unused, &is_cancelled).unwrap_err();
        assert_eq!(read(&request, &mut &b""[..], &mut Vec::new(), &unused, &|| false).unwrap(), url);
        assert!(unused.lock().unwrap().is_none());
        // A login that was cancelled before reads nothing.
        let mut input = pasted.as_bytes();
        read(&request, &mut input, &mut Vec::new(), &unused, &|| true).unwrap_err();
        assert_eq!(input, pasted.as_bytes());
    }

    #[test]
    fn read_fails_when_stdin_is_closed_or_the_texts_are_wrong() {
        let (request, _) = request_to("http://127.0.0.1:1/callback");
        for (input, expected) in [("", "stdin was closed"), ("x\nx\nx\nx\nx\nx\n", "5 texts")] {
            let error = read(&request, &mut input.as_bytes(), &mut Vec::new(), &Mutex::default(), &|| false);
            let error = error.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
