//! URL elicitation by error -32042 (2025-11-25): the call fails until the user has visited the URLs.
//!
//! If a URL handler is registered, it is asked for consent, and the call is retried. Consent is not completion: the
//! client waits for the completion notification of the server, with a timeout, because the notification is optional.
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation#url-elicitation-required-error>.

use ferromcp_core::model::{ElicitAction, UrlParams};
use ferromcp_core::text::reason;

use crate::engine::Engine;
use crate::era::features::has_url_elicitation_error;
use crate::error::{ClientError, ErrorKind};
use crate::inbound_dispatcher::AnswerGuard;
use crate::limits::{MAX_INPUT_REQUESTS, URL_COMPLETION_TIMEOUT};

/// Returns the URLs that the failed call requires, if a URL handler is registered.
pub(crate) fn required_urls(engine: &Engine, error: &ClientError) -> Option<Vec<UrlParams>> {
    let supported = engine.latest().is_some_and(|connection| has_url_elicitation_error(connection.revision()));
    let urls = error.urls();
    let within_limit = !urls.is_empty() && urls.len() <= MAX_INPUT_REQUESTS;
    (supported && within_limit && engine.router.handlers.has_url()).then_some(urls)
}

/// Asks the user to visit the URLs, and waits for the completion notifications or the timeout.
///
/// # Errors
/// When the user declines a URL. The URLs are available from the error.
pub(crate) async fn request_visits(
    engine: &Engine,
    urls: Vec<UrlParams>,
    error: ClientError,
) -> Result<(), ClientError> {
    // Register before asking, so that no completion notification is missed.
    let ids = urls.iter().filter_map(|url| url.elicitation_id.as_deref());
    let completions: Vec<_> = ids.map(|id| engine.router.register_completion(id)).collect();
    // The user is busy until the completion, so that no call times out in the meantime.
    let _answering = AnswerGuard::new(&engine.router);
    for url in urls {
        let address = reason(&url.url).to_string();
        let answer = engine.router.handlers.elicit_url(url).await;
        if !answer.as_ref().is_ok_and(|answer| answer.action == ElicitAction::Accept) {
            let message = format!("the call requires the user to visit `{address}`, and the user declined: {error}");
            let declined = ClientError::new(ErrorKind::Unanswerable, message);
            return Err(match error.rpc() {
                Some(rpc) => declined.with_rpc(rpc.clone()),
                None => declined,
            });
        }
    }
    let all = async {
        for completion in &completions {
            completion.wait().await;
        }
    };
    if tokio::time::timeout(URL_COMPLETION_TIMEOUT, all).await.is_err() {
        tracing::debug!(timeout = ?URL_COMPLETION_TIMEOUT, "no completion notification for the URL elicitation; retrying the call");
    }
    Ok(())
}
