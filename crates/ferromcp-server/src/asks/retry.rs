//! A call that comes again with the answers to its questions, or with the state it was given.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr#server-requirements>.

use std::sync::Arc;

use ferromcp_core::{ClientRequest, Error, RawMap, Str};

use super::journal::Journal;
use super::origin::Origin;
use super::replay::Replay;
use super::state::{self, Binding};
use crate::call::Call;
use crate::inner::Inner;

/// Whether a call is one that comes again, or brings answers along before it is asked.
pub(crate) fn is_one(call: &Call) -> bool {
    call.asks.is_none()
        && call.peer.revision().is_modern()
        && parts(&call.request).is_some_and(|(state, answers)| state.is_some() || answers.is_some())
}

/// The state and the answers of a request.
fn parts(request: &ClientRequest) -> Option<(Option<&Str>, Option<&RawMap>)> {
    match request {
        ClientRequest::CallTool(params) => Some((params.request_state.as_ref(), params.input_responses.as_ref())),
        ClientRequest::GetPrompt(params) => Some((params.request_state.as_ref(), params.input_responses.as_ref())),
        ClientRequest::ReadResource(params) => Some((params.request_state.as_ref(), params.input_responses.as_ref())),
        _ => None,
    }
}

/// Opens the state of a call, and takes in its answers: the call as it goes on.
///
/// # Errors
/// -32602 when the state is not one of this call's, or an answer is none.
pub(crate) async fn resume(inner: &Inner, call: Call) -> Result<Call, Error> {
    let (Some((state, answers)), Some(origin)) = (parts(&call.request), Origin::of(&call.request)) else {
        return Ok(call);
    };
    let latest = answers.cloned().unwrap_or_default();
    let Some(state) = state else { return Ok(call.with_asks(Arc::new(Replay::forestalled(latest)))) };
    let binding = Binding {
        identity: call.peer.identity(),
        method: origin.method,
        name: &origin.name,
        arguments: origin.arguments.as_ref(),
        audience: inner.states_of_calls.audience_or(&inner.info.name),
    };
    let opened = state::open(&inner.states_of_calls, &binding, state).await.map_err(|refused| refused.answer())?;
    let mut journal = Journal::decode(&opened.journal).map_err(|error| {
        tracing::warn!(reason = %error, "a request state holds no journal of this version");
        state::refused()
    })?;
    journal.hear(&latest).map_err(|words| Error::invalid_params(format!("Invalid params: {words}")))?;
    let replay = Arc::new(Replay::again(journal, opened.round, latest));
    Ok(call.with_asks(replay))
}
