//! Multi-round-trip requests: `input_required` responses are answered by the handlers, and the request is repeated.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::model::{CacheHint, InputRequest, InputRequired};
use ferromcp_core::{ClientRequest, ErrorCode, RawJson, RawMap, ServerResult, Str};
use serde::Deserialize;

use crate::channel::TransportKind;
use crate::engine::{Engine, Options};
use crate::error::{ClientError, ErrorKind};
use crate::inbound_dispatcher::AnswerGuard;
use crate::output_validation::validate_output;
use crate::result_cache::ResultCache;
use crate::subscription::change::Change;
use crate::urls;

/// Maximum delay between rounds without input requests.
const MAX_ROUND_DELAY: Duration = Duration::from_secs(5);

/// Outcome of one round.
pub(crate) enum Round {
    Complete(ServerResult),
    InputRequired(InputRequired),
}

/// Sends a request until it completes, answering input requests. `retry` is the request of the next round of a resumed
/// call.
pub(crate) async fn run_rounds(
    engine: &Engine,
    request: &ClientRequest,
    mut retry: Option<ClientRequest>,
    options: &Options,
) -> Result<ServerResult, ClientError> {
    let limits = &engine.settings.limits;
    let mut delay = limits.round_backoff;
    for _ in 0..=limits.rounds {
        let required = match run_round_with_urls(engine, request, retry.as_ref(), options).await? {
            Round::Complete(result) => return Ok(result),
            Round::InputRequired(required) => required,
        };
        let answers = match required.input_requests {
            Some(requests) if !requests.is_empty() => Some(answer_input_requests(engine, requests).await?),
            _ => {
                // The server only requests to be called again later, possibly through another instance.
                tokio::time::sleep(delay).await;
                delay = delay.saturating_mul(2).min(MAX_ROUND_DELAY);
                None
            }
        };
        retry = Some(next_round(request, answers, required.request_state)?);
    }
    let message = format!(
        "`{}` exceeded `ClientLimits::rounds` ({} input_required responses)",
        request.method(),
        limits.rounds + 1
    );
    Err(ClientError::new(ErrorKind::Limit, message))
}

/// Runs one round, and repeats it if the user has to visit a URL first.
async fn run_round_with_urls(
    engine: &Engine,
    request: &ClientRequest,
    retry: Option<&ClientRequest>,
    options: &Options,
) -> Result<Round, ClientError> {
    let error = match run_round(engine, request, retry, options).await {
        Err(error) => error,
        outcome => return outcome,
    };
    let Some(required) = urls::required_urls(engine, &error) else { return Err(error) };
    urls::request_visits(engine, required, error).await?;
    run_round(engine, request, retry, options).await
}

/// Runs one round: a cache lookup, or a request.
pub(crate) async fn run_round(
    engine: &Engine,
    request: &ClientRequest,
    retry: Option<&ClientRequest>,
    options: &Options,
) -> Result<Round, ClientError> {
    let list_version = engine.router.list_version();
    // Results of retries depend on user input, so they are not cached.
    let cacheable = retry.is_none() && request.info().is_some_and(|method| method.cacheable);
    let results = engine.router.results.as_ref().filter(|_| cacheable && !engine.is_closed());
    if let Some(results) = results.filter(|_| !options.fresh) {
        if let Some(cached) = results.get(request).await {
            if let Ok(result) = ServerResult::decode(request.method(), &cached) {
                return Ok(Round::Complete(cache_tools(engine, result, list_version)));
            }
        }
    }
    let before = results.map(|_| Snapshot::of(engine));
    let sent = engine.send(retry.unwrap_or(request), options).await;
    let (raw, revision) = match sent {
        Ok(answer) => answer,
        Err(error) => {
            if let Some(results) = results.filter(|_| is_rejected_cursor(request, &error)) {
                results.cursor_rejected(request).await;
            }
            if let Some(stale) = stale_result(results.filter(|_| !options.fresh), request, &error).await {
                return Ok(Round::Complete(cache_tools(engine, stale, list_version)));
            }
            return Err(error);
        }
    };
    if !raw.is_object() {
        return Err(ClientError::malformed("result is not an object"));
    }
    if revision.is_modern() && is_input_required(&raw)? {
        return input_required(engine, request, &raw).map(Round::InputRequired);
    }
    let mut result = ServerResult::decode(request.method(), &raw).map_err(ClientError::malformed)?;
    validate_output(engine, request, &result, revision)?;
    if let Some((before, hint)) = before.zip(cache_hint(&mut result)) {
        store(engine, request, &raw, hint, &before).await;
    }
    Ok(Round::Complete(cache_tools(engine, result, list_version)))
}

/// Returns a stale cached result if the server is unavailable.
async fn stale_result(
    results: Option<&Arc<dyn ResultCache>>,
    request: &ClientRequest,
    error: &ClientError,
) -> Option<ServerResult> {
    let results = results.filter(|_| error.is_unavailable())?;
    let stale = results.get_stale(request).await?;
    tracing::warn!(method = request.method(), %error, "server unavailable; using a stale cached result");
    ServerResult::decode(request.method(), &stale).ok()
}

/// Returns the cache hint of a result. The default scope is private.
fn cache_hint(result: &mut ServerResult) -> Option<CacheHint> {
    let (ttl_ms, scope) = result.cache_mut()?;
    let mut hint = CacheHint::private((*ttl_ms)?);
    hint.scope = scope.unwrap_or_default();
    Some(hint)
}

/// State that must not change between the request and the insertion of its result into the cache.
#[derive(PartialEq)]
struct Snapshot {
    changes: u64,
    authorization: String,
}

impl Snapshot {
    fn of(engine: &Engine) -> Self {
        Self { changes: engine.router.change_count(), authorization: engine.authorization() }
    }
}

/// Caches a result, unless a change or another authorization arrived in the meantime, which makes the result ambiguous.
async fn store(engine: &Engine, request: &ClientRequest, raw: &RawJson, hint: CacheHint, before: &Snapshot) {
    let Some(results) = engine.router.results.as_ref().filter(|_| Snapshot::of(engine) == *before) else { return };
    results.insert(request, raw, hint).await;
    if Snapshot::of(engine) != *before {
        results.invalidate(&Change::Gap);
    }
}

/// Returns the request of the next round, with the responses and the `requestState` of the current round.
pub(crate) fn next_round(
    request: &ClientRequest,
    answers: Option<RawMap>,
    state: Option<Str>,
) -> Result<ClientRequest, ClientError> {
    let mut request = request.clone();
    let (input_responses, request_state) = match &mut request {
        ClientRequest::CallTool(params) => (&mut params.input_responses, &mut params.request_state),
        ClientRequest::GetPrompt(params) => (&mut params.input_responses, &mut params.request_state),
        ClientRequest::ReadResource(params) => (&mut params.input_responses, &mut params.request_state),
        other => {
            let message =
                format!("invalid `input_required` response: `{}` does not support input requests", other.method());
            return Err(ClientError::new(ErrorKind::InvalidResponse, message));
        }
    };
    (*input_responses, *request_state) = (answers, state);
    Ok(request)
}

/// Answers the input requests of one round sequentially, because most of them prompt the same user.
async fn answer_input_requests(engine: &Engine, requests: Vec<(String, InputRequest)>) -> Result<RawMap, ClientError> {
    let mut answers = RawMap::new();
    let _answering = AnswerGuard::new(&engine.router);
    for (key, request) in requests {
        let answer = engine.router.handlers.answer_input(request).await.map_err(|error| {
            let message = format!("cannot answer the input request `{key}`: {error}");
            ClientError::new(ErrorKind::Unanswerable, message).with_rpc(error)
        })?;
        let answer = RawJson::new(&answer).map_err(|error| {
            ClientError::new(ErrorKind::InvalidRequest, format!("cannot serialize the response to `{key}`: {error}"))
        })?;
        answers.insert(key, answer);
    }
    Ok(answers)
}

/// Returns whether a result is an `input_required` response.
///
/// # Errors
/// When `resultType` is unknown.
fn is_input_required(result: &RawJson) -> Result<bool, ClientError> {
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(rename = "resultType", borrow, default)]
        result_type: Option<Cow<'a, str>>,
    }
    let typed: Typed<'_> = serde_json::from_str(result.as_str()).map_err(ClientError::malformed)?;
    match typed.result_type.as_deref() {
        None | Some("complete") => Ok(false),
        Some("input_required") => Ok(true),
        Some(other) => {
            let other: String = other.chars().take(64).collect();
            Err(ClientError::malformed(format_args!("unknown `resultType` `{other}`")))
        }
    }
}

fn input_required(engine: &Engine, request: &ClientRequest, result: &RawJson) -> Result<InputRequired, ClientError> {
    if !request.info().is_some_and(|method| method.may_require_input) {
        let method = request.method();
        return Err(ClientError::malformed(format_args!("`{method}` does not support `input_required`")));
    }
    let required: InputRequired = result.decode().map_err(ClientError::malformed)?;
    let count = required.input_requests.as_ref().map_or(0, Vec::len);
    if required.input_requests.is_none() && required.request_state.is_none() {
        return Err(ClientError::malformed("`input_required` without `inputRequests` and without `requestState`"));
    }
    let limit = engine.settings.limits.questions_per_round;
    if count > limit {
        let message =
            format!("{count} input requests in one response exceed `ClientLimits::questions_per_round` ({limit})");
        return Err(ClientError::new(ErrorKind::Limit, message));
    }
    Ok(required)
}

/// Caches the tools of a list, and removes those that cannot be called over this transport.
fn cache_tools(engine: &Engine, mut result: ServerResult, list_version: u64) -> ServerResult {
    let ServerResult::ListTools(list) = &mut result else { return result };
    let modern = engine.latest().is_some_and(|connection| connection.revision().is_modern());
    let strict = engine.transport_kind() == TransportKind::Post && modern;
    list.tools.to_mut().retain(|tool| match &engine.tool_cache.insert(tool, list_version).header_annotations {
        Err(error) if strict => {
            tracing::warn!(tool = tool.name, %error, "omitting a tool with invalid `x-mcp-header` annotations");
            false
        }
        _ => true,
    });
    result
}

fn is_rejected_cursor(request: &ClientRequest, error: &ClientError) -> bool {
    let cursor = match request {
        ClientRequest::ListTools(params)
        | ClientRequest::ListResources(params)
        | ClientRequest::ListResourceTemplates(params)
        | ClientRequest::ListPrompts(params) => params.cursor.is_some(),
        _ => false,
    };
    cursor && error.rpc().is_some_and(|error| error.code == ErrorCode::INVALID_PARAMS)
}
