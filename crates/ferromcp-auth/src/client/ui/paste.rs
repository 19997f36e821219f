//! A prompt for users without a local browser: they paste the URL to which their browser was redirected.

use std::io::{BufRead, Write};

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
            std::thread::spawn(move || {
                let _ = sender.send(read(&request, &mut std::io::stdin().lock(), &mut std::io::stderr().lock()));
            });
            receiver.await.unwrap_or_else(|error| Err(AuthError::prompt("cannot read from stdin").with_source(error)))
        })
    }
}

fn read(
    request: &AuthorizationRequest,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<String, AuthError> {
    let failed = |error: std::io::Error| AuthError::prompt("cannot show the authorization page").with_source(error);
    let text = format!(
        "Open this URL in a browser and log in:\n\n{}\n\nThe browser is then redirected to {}, which may show an error. \
         Paste the URL from its address bar here:\n",
        request.url(),
        request.redirect_uri()
    );
    output.write_all(text.as_bytes()).map_err(failed)?;
    for _ in 0..ATTEMPTS {
        let mut line = String::new();
        std::io::Read::take(&mut *input, MAX_LINE).read_line(&mut line).map_err(failed)?;
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
        let pasted = format!("nonsense\n  {url}  \n");
        assert_eq!(read(&request, &mut pasted.as_bytes(), &mut output).unwrap(), url);
        let output = String::from_utf8(output).unwrap();
        assert!(output.contains(request.url()) && output.contains("not the URL of this login"), "{output}");
    }

    #[test]
    fn read_fails_when_stdin_is_closed_or_the_texts_are_wrong() {
        let (request, _) = request_to("http://127.0.0.1:1/callback");
        for (input, expected) in [("", "stdin was closed"), ("x\nx\nx\nx\nx\nx\n", "5 texts")] {
            let error = read(&request, &mut input.as_bytes(), &mut Vec::new()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
