//! URLs that the user must visit before a call can continue: the error -32042 on 2025-11-25, URL elicitations on
//! 2026-07-28.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation#url-mode-elicitation-requests>.

use ferromcp_core::model::{ElicitParams, InputRequest};
use ferromcp_core::{Error, ErrorCode};
use serde::Serialize;

use super::capabilities;
use super::elicited::UrlConsent;
use super::mrtr::once::SlotFuture;
use super::pending_question::{missing_capabilities, register_url, replayed_answer};
use super::question::Question;
use crate::ctx::Ctx;
use crate::era::features::{has_multi_round_trip, has_url_elicitation};
use crate::question_error::{Kind, QuestionError};
use crate::tool_error::ToolError;

/// Requires consent to all URLs, or returns the error -32042.
pub(crate) async fn require_urls(ctx: &Ctx, questions: Vec<Question<UrlConsent>>) -> Result<(), ToolError> {
    if let Some(reason) = questions.iter().find_map(Question::invalid_reason) {
        return Err(QuestionError::usage(reason).into());
    }
    if let Some(missing) = questions.iter().find_map(|question| missing_capabilities(&question.request, ctx)) {
        return Err(QuestionError::from(Kind::Unsupported(Box::new(missing))).into());
    }
    if questions.is_empty() {
        return Ok(());
    }
    if has_multi_round_trip(ctx.revision()) {
        request_consent(ctx, questions).await
    } else {
        Err(required_error(ctx, questions)?)
    }
}

/// Sends all questions before it waits for the first answer, so that they share one round.
async fn request_consent(ctx: &Ctx, mut questions: Vec<Question<UrlConsent>>) -> Result<(), ToolError> {
    ctx.may_ask()?;
    let Some(replay) = ctx.replay() else { return Err(Error::internal("cannot replay the call").into()) };
    let mut slots = Vec::with_capacity(questions.len());
    for (index, question) in questions.iter_mut().enumerate() {
        capabilities::strip_undeclared(&mut question.request, ctx.peer());
        let key = question.key.clone().unwrap_or_else(|| format!("url{}", index + 1));
        slots.push(SlotFuture { replay, slot: replay.ask(&question.request, Some(&key)) });
    }
    for (question, slot) in questions.iter().zip(&slots) {
        question.parse(&replayed_answer(ctx, slot).await?)?;
    }
    Ok(())
}

/// Returns the error -32042 with the elicitations.
///
/// # Errors
/// Fails if the system's random number generator fails.
fn required_error(ctx: &Ctx, questions: Vec<Question<UrlConsent>>) -> Result<ToolError, QuestionError> {
    debug_assert!(has_url_elicitation(ctx.revision()), "the capabilities were checked");
    let mut elicitations = Vec::new();
    for mut question in questions {
        register_url(&mut question.request, ctx.peer())?;
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
