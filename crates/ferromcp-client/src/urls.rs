//! -32042 of 2025-11-25: a call that cannot go on before its user has been at certain URLs.
//!
//! Where there is a handler for URLs they are put to it, and the call is made once more. Accepting one is consent and
//! not completion, so the server's word that it is done is waited for, within bounds: it need not come.
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation#url-elicitation-required-error>.

use ferromcp_core::Revision;
use ferromcp_core::model::{ElicitAction, UrlParams};

use crate::ear::Asking;
use crate::engine::Engine;
use crate::error::{ClientError, ErrorKind};

/// The URLs a call waits for, if somebody here can be sent there.
pub(crate) fn wanted(engine: &Engine, error: &ClientError) -> Option<Vec<UrlParams>> {
    let spoken = engine.latest().is_some_and(|connection| connection.revision() == Revision::V2025_11_25);
    let urls = error.urls();
    let few = !urls.is_empty() && urls.len() <= engine.settings.limits.questions_per_round;
    (spoken && few && engine.board.handlers.has_url()).then_some(urls)
}

/// Puts the URLs to the user, and waits until what happens there is over, as far as the server tells.
///
/// # Errors
/// When the user does not agree; the URLs are still in the error.
pub(crate) async fn visit(engine: &Engine, urls: Vec<UrlParams>, error: ClientError) -> Result<(), ClientError> {
    // Listed before anybody is asked, so that no word comes too early.
    let ids = urls.iter().filter_map(|url| url.elicitation_id.as_deref());
    let completions: Vec<_> = ids.map(|id| engine.board.completion(id)).collect();
    let asking = Asking::new(&engine.board);
    for url in urls {
        let place = url.url.clone();
        let answer = engine.board.handlers.visit(url).await;
        if !answer.as_ref().is_ok_and(|answer| answer.action == ElicitAction::Accept) {
            let message = format!("the call needs its user at `{place}` first, and that was not agreed to: {error}");
            let refused = ClientError::new(ErrorKind::Unanswerable, message);
            return Err(match error.rpc() {
                Some(rpc) => refused.with_rpc(rpc.clone()),
                None => refused,
            });
        }
    }
    drop(asking);
    let all = async {
        for completion in &completions {
            completion.wait().await;
        }
    };
    let patience = engine.settings.limits.url_completion;
    if tokio::time::timeout(patience, all).await.is_err() {
        tracing::debug!(?patience, "no word that the user is done at a URL; the call is made again all the same");
    }
    Ok(())
}
