//! What a visit to a URL is known by (2025-11-25).
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation#url-mode-elicitation-requests>.

use ferromcp_core::model::{ElicitParams, InputRequest, UrlParams};

use super::error::AskError;
use crate::ctx::Ctx;
use crate::random;

/// Gives a URL question an id where its revision wants one, and remembers to whom its end is told.
///
/// # Errors
/// When there are no random numbers.
pub(crate) fn known(request: &mut InputRequest, ctx: &Ctx) -> Result<(), AskError> {
    let InputRequest::Elicit(ElicitParams::Url(url)) = request else { return Ok(()) };
    identified(url)?;
    if let (Some(mailbox), Some(id)) = (ctx.peer().mailbox(), &url.elicitation_id) {
        mailbox.awaits(id);
    }
    Ok(())
}

fn identified(url: &mut UrlParams) -> Result<(), AskError> {
    if url.elicitation_id.is_none() {
        url.elicitation_id = Some(random::id().map_err(|error| AskError::mistake(error.to_string()))?);
    }
    Ok(())
}
