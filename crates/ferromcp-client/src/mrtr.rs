//! Multi-round-trip requests: `input_required` responses are answered by the handlers, and the request is repeated.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>.

use std::borrow::Cow;

use ferromcp_core::model::{CacheHint, InputRequest, InputRequired};
use ferromcp_core::text::{excerpt, reason};
use ferromcp_core::wire::replace_lone_surrogates;
use ferromcp_core::{ClientRequest, ErrorCode, RawJson, RawMap, ServerResult, Str};
use serde::Deserialize;

use crate::backoff::Backoff;
use crate::cache::{CacheKey, Lookup, PendingResult, ResultCache, cache_hint};
use crate::channel::TransportKind;
use crate::decode::{decode_result, decode_server_result};
use crate::engine::timeout::CallDeadline;
use crate::engine::{Engine, Options};
use crate::era::features::{has_header_arguments, has_multi_round_trip};
use crate::error::{ClientError, ErrorKind};
use crate::inbound_dispatcher::AnswerGuard;
use crate::limits::MAX_INPUT_REQUESTS;
use crate::output_validation::validate_output;
use crate::urls;

/// Outcome of one round.
pub(crate) enum Round {
    Complete(Completed),
    InputRequired(InputRequired),
}

/// The result of a call.
pub(crate) struct Completed {
    pub(crate) result: ServerResult,
    /// Its size as JSON.
    pub(crate) bytes: usize,
}

/// Sends a request until it completes, answering input requests, within one deadline. `retry` is the request of the next
/// round of a resumed call.
pub(crate) async fn run_rounds(
    engine: &Engine,
    request: &ClientRequest,
    mut retry: Option<ClientRequest>,
    options: &Options,
) -> Result<Completed, ClientError> {
    let deadline = CallDeadline::start(options, &engine.settings.limits);
    let rounds = rounds(engine, request, &mut retry, options, &deadline);
    match deadline.run(engine, request.method(), rounds).await {
        Err(error) if retry.is_none() => stale_result(engine, request, options, error).await,
        outcome => outcome,
    }
}

/// Runs one round within the deadline of a call.
pub(crate) async fn run_single_round(
    engine: &Engine,
    request: &ClientRequest,
    retry: Option<&ClientRequest>,
    options: &Options,
) -> Result<Round, ClientError> {
    let deadline = CallDeadline::start(options, &engine.settings.limits);
    let round = run_round(engine, request, retry, options, &deadline);
    match deadline.run(engine, request.method(), round).await {
        Err(error) if retry.is_none() => stale_result(engine, request, options, error).await.map(Round::Complete),
        outcome => outcome,
    }
}

async fn rounds(
    engine: &Engine,
    request: &ClientRequest,
    retry: &mut Option<ClientRequest>,
    options: &Options,
    deadline: &CallDeadline,
) -> Result<Completed, ClientError> {
    let limits = &engine.settings.limits;
    let mut backoff = Backoff::for_rounds(limits);
    for _ in 0..=limits.rounds {
        let required = match run_round_with_urls(engine, request, retry.as_ref(), options, deadline).await? {
            Round::Complete(result) => return Ok(result),
            Round::InputRequired(required) => required,
        };
        let answers = match required.input_requests {
            Some(requests) if !requests.is_empty() => Some(answer_input_requests(engine, requests).await?),
            _ => {
                // The server only requests to be called again later, possibly through another instance.
                let Some(delay) = backoff.next_delay(None) else { break };
                tokio::time::sleep(delay).await;
                None
            }
        };
        *retry = Some(next_round(request, answers, required.request_state)?);
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
    deadline: &CallDeadline,
) -> Result<Round, ClientError> {
    let error = match run_round(engine, request, retry, options, deadline).await {
        Err(error) => error,
        outcome => return outcome,
    };
    let Some(required) = urls::required_urls(engine, &error) else { return Err(error) };
    urls::request_visits(engine, required, error).await?;
    run_round(engine, request, retry, options, deadline).await
}

/// Runs one round: a cache lookup, or a request.
async fn run_round(
    engine: &Engine,
    request: &ClientRequest,
    retry: Option<&ClientRequest>,
    options: &Options,
    deadline: &CallDeadline,
) -> Result<Round, ClientError> {
    let list_version = engine.router.list_version();
    // Results of retries depend on user input, so they are not cached.
    let cached = if retry.is_none() { CachedRequest::of(engine, request) } else { None };
    if let Some(cached) = cached.as_ref().filter(|_| !options.fresh) {
        if let Some(completed) = cached.fresh().await {
            return Ok(Round::Complete(cache_tools(engine, completed, list_version)));
        }
    }
    let pending = cached.as_ref().map(CachedRequest::begin);
    let sent = engine.send_before(retry.unwrap_or(request), options, deadline).await;
    let (raw, revision) = match sent {
        Ok(answer) => answer,
        Err(error) => {
            if let Some(cached) = cached.filter(|_| is_rejected_cursor(request, &error)) {
                cached.cache.invalidate_pages(&cached.key).await;
            }
            return Err(error);
        }
    };
    if !raw.is_object() {
        return Err(invalid_result(request, "`result`: expected an object"));
    }
    if has_multi_round_trip(revision) && is_input_required(&raw)? {
        return input_required(request, &raw).map(Round::InputRequired);
    }
    let mut result = decode_server_result(request.method(), &raw).map_err(|error| invalid_result(request, error))?;
    validate_output(engine, request, &result, revision)?;
    if let (Some(cached), Some(pending), Some(hint)) = (cached, pending, cache_hint(&mut result)) {
        cached.insert(&pending, &raw, hint).await;
    }
    let completed = Completed { result, bytes: raw.as_str().len() };
    Ok(Round::Complete(cache_tools(engine, completed, list_version)))
}

/// Returns a stale cached result if the server is unavailable, otherwise the error.
async fn stale_result(
    engine: &Engine,
    request: &ClientRequest,
    options: &Options,
    error: ClientError,
) -> Result<Completed, ClientError> {
    let list_version = engine.router.list_version();
    let cached = CachedRequest::of(engine, request).filter(|_| !options.fresh && error.is_unavailable());
    let Some(cached) = cached else { return Err(error) };
    let Some(stale) = cached.stale().await else { return Err(error) };
    let error = reason(&error.to_string()).to_string();
    tracing::warn!(method = request.method(), error, "server unavailable; using a stale cached result");
    Ok(cache_tools(engine, stale, list_version))
}

/// A request whose result is cacheable.
struct CachedRequest<'a> {
    cache: &'a ResultCache,
    key: CacheKey,
    engine: &'a Engine,
    request: &'a ClientRequest,
}

impl<'a> CachedRequest<'a> {
    /// Returns `None` if the result is not cacheable or the client has no cache.
    fn of(engine: &'a Engine, request: &'a ClientRequest) -> Option<Self> {
        let cache = engine.router.cache.as_ref().filter(|_| !engine.is_closed())?;
        Some(Self { cache, key: CacheKey::of(request)?, engine, request })
    }

    /// Returns a fresh cached result.
    async fn fresh(&self) -> Option<Completed> {
        match self.cache.get(&self.key, &self.engine.authorization()).await {
            Lookup::Fresh(result) => self.decode(&result),
            Lookup::Stale(_) | Lookup::Miss => None,
        }
    }

    /// Returns a cached result that may be stale.
    async fn stale(&self) -> Option<Completed> {
        match self.cache.get(&self.key, &self.engine.authorization()).await {
            Lookup::Fresh(result) | Lookup::Stale(result) => self.decode(&result),
            Lookup::Miss => None,
        }
    }

    /// Decodes a cached result. A custom store may return anything.
    fn decode(&self, cached: &str) -> Option<Completed> {
        let result = ServerResult::decode(self.request.method(), &RawJson::parse(cached).ok()?).ok()?;
        Some(Completed { result, bytes: cached.len() })
    }

    /// Records the state before the request.
    fn begin(&self) -> PendingResult {
        self.cache.begin(self.key.clone(), self.engine.authorization())
    }

    /// Caches the result, unless the authorization has changed: the result may be for either of the two.
    async fn insert(&self, pending: &PendingResult, result: &RawJson, hint: CacheHint) {
        if self.engine.authorization() == pending.principal() {
            self.cache.insert(pending, result.as_str(), hint).await;
        }
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
            let message = format!("cannot answer the input request `{}`: {error}", excerpt(&key));
            ClientError::new(ErrorKind::Unanswerable, message).with_rpc(error)
        })?;
        let answer = RawJson::new(&answer).map_err(|error| {
            let message = format!("cannot serialize the response to `{}`: {error}", excerpt(&key));
            ClientError::new(ErrorKind::InvalidRequest, message)
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
    let kind = is_input_required_json(result.as_str());
    let kind = kind.or_else(|_| is_input_required_json(&replace_lone_surrogates(result.as_str())));
    kind.map_err(|error| {
        let error = error.to_string();
        let cause = error.split(" at line ").next().unwrap_or_default();
        ClientError::malformed(format_args!("`result.resultType`: {cause}"))
    })?
}

/// Creates the error of a result that cannot be decoded.
fn invalid_result(request: &ClientRequest, problem: impl std::fmt::Display) -> ClientError {
    named(ClientError::malformed(problem), request)
}

/// Adds the tool, resource or prompt to the error of a result that cannot be converted.
pub(crate) fn named(error: ClientError, request: &ClientRequest) -> ClientError {
    if error.kind() != ErrorKind::InvalidResponse {
        return error;
    }
    match request {
        ClientRequest::CallTool(params) => error.about(&format!("tool `{}`", excerpt(&params.name))),
        ClientRequest::ReadResource(params) => error.about(&format!("resource `{}`", excerpt(&params.uri))),
        ClientRequest::GetPrompt(params) => error.about(&format!("prompt `{}`", excerpt(&params.name))),
        request => error.about(&format!("`{}`", request.method())),
    }
}

fn is_input_required_json(result: &str) -> Result<Result<bool, ClientError>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(rename = "resultType", borrow, default)]
        result_type: Option<Cow<'a, str>>,
    }
    let typed: Typed<'_> = serde_json::from_str(result)?;
    Ok(match typed.result_type.as_deref() {
        None | Some("complete") => Ok(false),
        Some("input_required") => Ok(true),
        Some(other) => Err(ClientError::malformed(format_args!("unknown `resultType` `{}`", excerpt(other)))),
    })
}

fn input_required(request: &ClientRequest, result: &RawJson) -> Result<InputRequired, ClientError> {
    if !request.info().is_some_and(|method| method.may_require_input) {
        let method = request.method();
        return Err(ClientError::malformed(format_args!("`{method}` does not support `input_required`")));
    }
    let required: InputRequired =
        decode_result(request.method(), result).map_err(|error| invalid_result(request, error))?;
    let count = required.input_requests.as_ref().map_or(0, Vec::len);
    if required.input_requests.is_none() && required.request_state.is_none() {
        return Err(ClientError::malformed("`input_required` without `inputRequests` and without `requestState`"));
    }
    if count > MAX_INPUT_REQUESTS {
        let message = format!("{count} input requests in one response exceed the limit of {MAX_INPUT_REQUESTS}");
        return Err(ClientError::new(ErrorKind::Limit, message));
    }
    Ok(required)
}

/// Caches the tools of a list, and removes those that cannot be called over this transport.
fn cache_tools(engine: &Engine, mut completed: Completed, list_version: u64) -> Completed {
    let ServerResult::ListTools(list) = &mut completed.result else { return completed };
    let mirrored = engine.latest().is_some_and(|connection| has_header_arguments(connection.revision()));
    let strict = engine.transport_kind() == TransportKind::Post && mirrored;
    list.tools.to_mut().retain(|tool| match &engine.tool_cache.insert(tool, list_version).header_annotations {
        Err(error) if strict => {
            tracing::warn!(tool = %excerpt(&tool.name), %error, "omitting a tool with invalid `x-mcp-header` annotations");
            false
        }
        _ => true,
    });
    completed
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
