//! URLs that a client's user visits: what they are known by, and calls that cannot go on without.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation#url-mode-elicitation-requests>.

use ferromcp_core::model::{ElicitParams, InputRequest};
use ferromcp_core::{Error, ErrorCode, Revision};
use serde::Serialize;

use super::asking::missing;
use super::error::{AskError, Kind};
use super::known::known;
use super::question::Question;
use super::round::NextRound;
use super::visit::Visit;
use crate::ctx::Ctx;
use crate::tool_error::ToolError;

/// The failure of a call that cannot go on before its user has visited these URLs.
pub(crate) fn required(ctx: &Ctx, questions: impl IntoIterator<Item = Question<Visit>>) -> ToolError {
    match try_required(ctx, questions.into_iter().collect()) {
        Ok(error) | Err(error) => error,
    }
}

fn try_required(ctx: &Ctx, questions: Vec<Question<Visit>>) -> Result<ToolError, ToolError> {
    if let Some(flaw) = questions.iter().find_map(Question::flaw) {
        return Err(AskError::mistake(flaw).into());
    }
    if let Some(missing) = questions.iter().find_map(|question| missing(&question.request, ctx)) {
        return Err(AskError::from(Kind::Unsupported(Box::new(missing))).into());
    }
    if ctx.revision().is_modern() {
        let round = questions.into_iter().enumerate().fold(NextRound::new(ctx.clone()), |round, (place, question)| {
            let key = question.key.clone().unwrap_or_else(|| format!("url{}", place + 1));
            round.ask(key, question)
        });
        return Ok(round.into());
    }
    debug_assert_eq!(ctx.revision(), Revision::V2025_11_25, "no other session can be sent to a URL");
    let mut elicitations = Vec::new();
    for mut question in questions {
        known(&mut question.request, ctx)?;
        if let InputRequest::Elicit(params) = question.request {
            elicitations.push(params);
        }
    }
    let error = Error::new(ErrorCode::URL_ELICITATION_REQUIRED, "The user has to visit a URL before this can be done");
    Ok(error.with_data(&Data { elicitations }).into())
}

/// What -32042 tells: where the user has to go.
#[derive(Serialize)]
struct Data {
    elicitations: Vec<ElicitParams>,
}
