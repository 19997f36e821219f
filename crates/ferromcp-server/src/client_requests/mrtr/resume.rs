//! Resumed calls: requests with `requestState` or `inputResponses`.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr#server-requirements>.

use std::sync::Arc;

use ferromcp_core::{ClientRequest, Error, RawMap, Str};

use crate::call::Call;
use crate::era::features::has_multi_round_trip;
use crate::inner::Inner;
use crate::request_state::{self, CallIdentity};
use crate::rounds::journal::Journal;
use crate::rounds::replay::Replay;

/// Returns whether a call has a request state, or responses that precede their questions.
pub(crate) fn is_resumed(call: &Call) -> bool {
    call.rounds.is_none()
        && has_multi_round_trip(call.peer.revision())
        && state_and_responses(&call.request).is_some_and(|(state, answers)| state.is_some() || answers.is_some())
}

/// Returns whether the method of the request has `input_required` results.
pub(crate) fn may_require_input(request: &ClientRequest) -> bool {
    state_and_responses(request).is_some()
}

/// Returns the request state and the input responses of a request.
fn state_and_responses(request: &ClientRequest) -> Option<(Option<&Str>, Option<&RawMap>)> {
    match request {
        ClientRequest::CallTool(params) => Some((params.request_state.as_ref(), params.input_responses.as_ref())),
        ClientRequest::GetPrompt(params) => Some((params.request_state.as_ref(), params.input_responses.as_ref())),
        ClientRequest::ReadResource(params) => Some((params.request_state.as_ref(), params.input_responses.as_ref())),
        _ => None,
    }
}

/// Opens the request state of a call, records its responses, and returns the call to run.
///
/// # Errors
/// Fails with -32602 if the state is not valid for this call, or a response is invalid.
pub(crate) async fn resume(inner: &Inner, call: Call) -> Result<Call, Error> {
    let (Some((state, answers)), Some(identity)) =
        (state_and_responses(&call.request), CallIdentity::of(&call.request))
    else {
        return Ok(call);
    };
    let round_answers = answers.cloned().unwrap_or_default();
    let Some(state) = state else { return Ok(call.with_rounds(Arc::new(Replay::with_early_answers(round_answers)))) };
    let (options, audience) = inner.sealing(call.outer.as_deref());
    let binding = identity.binding(call.peer.identity(), audience);
    let opened = request_state::open(options, &binding, state).await.map_err(|refused| refused.to_client_error())?;
    let mut journal = Journal::decode(&opened.journal).map_err(|error| {
        tracing::warn!(reason = %error, "cannot deserialize the journal of a request state");
        request_state::invalid_state_error()
    })?;
    journal
        .record_responses(&round_answers)
        .map_err(|reason| Error::invalid_params(format!("Invalid params: {reason}")))?;
    let replay = Arc::new(Replay::resumed(journal, opened.round, round_answers));
    Ok(call.with_rounds(replay))
}
