//! The error -32042, which requires URL elicitations before a call can continue.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation#url-mode-elicitation-requests>.

use ferromcp_core::model::{ElicitParams, InputRequest};
use ferromcp_core::{Error, ErrorCode, Revision};
use serde::Serialize;

use super::elicited::UrlConsent;
use super::error::{Kind, QuestionError};
use super::mrtr::round::NextRound;
use super::pending_question::{missing_capabilities, register_url};
use super::question::Question;
use crate::ctx::Ctx;
use crate::tool_error::ToolError;

/// Returns the error of a call that requires these URL elicitations first.
pub(crate) fn url_required_error(ctx: &Ctx, questions: impl IntoIterator<Item = Question<UrlConsent>>) -> ToolError {
    match try_url_required(ctx, questions.into_iter().collect()) {
        Ok(error) | Err(error) => error,
    }
}

fn try_url_required(ctx: &Ctx, questions: Vec<Question<UrlConsent>>) -> Result<ToolError, ToolError> {
    if let Some(reason) = questions.iter().find_map(Question::invalid_reason) {
        return Err(QuestionError::usage(reason).into());
    }
    if let Some(missing) = questions.iter().find_map(|question| missing_capabilities(&question.request, ctx)) {
        return Err(QuestionError::from(Kind::Unsupported(Box::new(missing))).into());
    }
    if ctx.revision().is_modern() {
        let round = questions.into_iter().enumerate().fold(NextRound::new(ctx.clone()), |round, (index, question)| {
            let key = question.key.clone().unwrap_or_else(|| format!("url{}", index + 1));
            round.ask(key, question)
        });
        return Ok(round.into());
    }
    debug_assert_eq!(ctx.revision(), Revision::V2025_11_25, "no other handshake revision supports URL elicitation");
    let mut elicitations = Vec::new();
    for mut question in questions {
        register_url(&mut question.request, ctx)?;
        if let InputRequest::Elicit(params) = question.request {
            elicitations.push(params);
        }
    }
    let error =
        Error::new(ErrorCode::URL_ELICITATION_REQUIRED, "The user must visit a URL before this call can continue");
    Ok(error.with_data(&Data { elicitations }).into())
}

/// The data of the error -32042: the required URL elicitations.
#[derive(Serialize)]
struct Data {
    elicitations: Vec<ElicitParams>,
}
