//! Questions of the server: forms and URLs, which the user answers in the terminal.
//!
//! Without a terminal they are declined. Sampling is not declared as a capability.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation>.

mod field;

use std::sync::Arc;

use ferromcp_client::{ClientBuilder, accept, accept_url, cancel, decline};
use ferromcp_core::model::{ElicitResult, FormParams, UrlParams};
use ferromcp_core::text::excerpt;
use ferromcp_core::{Error, RawJson, RawMap};
use tokio::sync::Mutex;
use url::Url;

use crate::terminal::{self, ask};
use field::Field;

/// Answers questions in the terminal, one at a time.
pub(crate) fn answer_questions(builder: ClientBuilder) -> ClientBuilder {
    let lock = Arc::new(Mutex::new(()));
    let url_lock = Arc::clone(&lock);
    builder
        .on_form(move |form| {
            let lock = Arc::clone(&lock);
            async move {
                let _turn = lock.lock().await;
                answer_form(form).await
            }
        })
        .on_url(move |url| {
            let lock = Arc::clone(&url_lock);
            async move {
                let _turn = lock.lock().await;
                answer_url(url).await
            }
        })
}

/// Prints a question. Returns whether a user can answer it.
fn show(kind: &str, message: &str) -> bool {
    if terminal::is_interactive() {
        terminal::message(format_args!("The server asks {kind}: {}", terminal::indented(message)));
        return true;
    }
    terminal::message(format_args!(
        "declined a question of the server, because stdin and stderr are not a terminal: {}",
        excerpt(message)
    ));
    false
}

async fn answer_form(form: FormParams) -> Result<ElicitResult, Error> {
    if !show("for input", &form.message) {
        return Ok(decline());
    }
    let required = form.requested_schema.required.unwrap_or_default();
    let mut content = RawMap::new();
    if !form.requested_schema.properties.is_empty() {
        terminal::message("(Enter accepts a default or skips an optional field, Ctrl-D cancels)");
    }
    for (name, schema) in &form.requested_schema.properties {
        let field = Field::new(name, schema, required.contains(name));
        let value = loop {
            let Some(line) = ask(&field.prompt()).await else { return Ok(cancel()) };
            match field.parse(&line) {
                Ok(value) => break value,
                Err(problem) => terminal::message(format_args!("  {problem}")),
            }
        };
        if let Some(value) = value {
            content.insert(name.as_str(), RawJson::from(value));
        }
    }
    match ask("Send this to the server? [Y/n] ").await {
        None => Ok(cancel()),
        Some(line) if is_no(&line) => Ok(decline()),
        Some(_) => accept(&content),
    }
}

async fn answer_url(params: UrlParams) -> ElicitResult {
    if !show("you to open a page", &params.message) {
        return decline();
    }
    let url = Url::parse(&params.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some((url, host)) = url.and_then(|url| url.host_str().map(str::to_owned).map(|host| (url, host))) else {
        terminal::message(format_args!("declined: not a URL of a web page: {}", excerpt(&params.url)));
        return decline();
    };
    // The URL as parsed shows the host that the browser opens, with non-ASCII names as `xn--`.
    terminal::message(format_args!("  host: {host}\n  URL:  {url}"));
    let Some(line) = ask("Open it in a browser? [y/N] ").await else { return cancel() };
    if !is_yes(&line) {
        return decline();
    }
    let address = url.to_string();
    // A browser in the terminal returns only when it exits.
    let is_open = tokio::task::spawn_blocking(move || webbrowser::open(&address).is_ok()).await.unwrap_or(false);
    if !is_open {
        terminal::message("cannot open a browser; open the URL yourself");
    }
    accept_url()
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

fn is_no(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "n" | "no")
}
