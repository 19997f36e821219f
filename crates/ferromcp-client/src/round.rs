//! Rounds: a modern server may answer with questions, and is called again with the answers.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::json::Str;
use ferromcp_core::model::{CacheHint, InputRequest, InputRequired};
use ferromcp_core::{ClientRequest, ErrorCode, RawJson, RawMap, ServerResult};
use serde::Deserialize;

use crate::channel::Way;
use crate::ear::Asking;
use crate::engine::{Engine, Options};
use crate::error::{ClientError, ErrorKind};
use crate::output;
use crate::results::Results;
use crate::subscription::change::Change;
use crate::urls;

/// The longest wait between two calls that got state and no question.
const LONGEST: Duration = Duration::from_secs(5);

/// What a call led to.
pub(crate) enum Step {
    Done(ServerResult),
    Asked(InputRequired),
}

/// Calls until there is a result, answering what is asked on the way. `retry` is the next call where an earlier one
/// has been answered already.
pub(crate) async fn drive(
    engine: &Engine,
    request: &ClientRequest,
    mut retry: Option<ClientRequest>,
    options: &Options,
) -> Result<ServerResult, ClientError> {
    let limits = &engine.settings.limits;
    let mut pause = limits.round_backoff;
    for _ in 0..=limits.rounds {
        let asked = match past_urls(engine, request, retry.as_ref(), options).await? {
            Step::Done(result) => return Ok(result),
            Step::Asked(asked) => asked,
        };
        let answers = match asked.input_requests {
            Some(questions) if !questions.is_empty() => Some(answer(engine, questions).await?),
            _ => {
                // The server only wants to be called later, perhaps by way of another instance.
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2).min(LONGEST);
                None
            }
        };
        retry = Some(again(request, answers, asked.request_state)?);
    }
    let message = format!(
        "`{}` was answered with questions {} times in a row; raise `ClientLimits::rounds` if that is to be",
        request.method(),
        limits.rounds + 1
    );
    Err(ClientError::new(ErrorKind::Limit, message))
}

/// Calls, and once more where the user has to be at a URL first and goes there.
async fn past_urls(
    engine: &Engine,
    request: &ClientRequest,
    retry: Option<&ClientRequest>,
    options: &Options,
) -> Result<Step, ClientError> {
    let error = match step(engine, request, retry, options).await {
        Err(error) => error,
        settled => return settled,
    };
    let Some(wanted) = urls::wanted(engine, &error) else { return Err(error) };
    urls::visit(engine, wanted, error).await?;
    step(engine, request, retry, options).await
}

/// Calls once.
pub(crate) async fn step(
    engine: &Engine,
    request: &ClientRequest,
    retry: Option<&ClientRequest>,
    options: &Options,
) -> Result<Step, ClientError> {
    let edition = engine.board.edition();
    // What came by way of questions is for this call alone.
    let keeps = retry.is_none() && request.info().is_some_and(|method| method.cacheable);
    let results = engine.board.results.as_ref().filter(|_| keeps && !engine.is_closed());
    if let Some(results) = results.filter(|_| !options.fresh) {
        if let Some(found) = results.find(request).await {
            if let Ok(result) = ServerResult::decode(request.method(), &found) {
                return Ok(Step::Done(learn(engine, result, edition)));
            }
        }
    }
    let before = results.map(|_| State::of(engine));
    let sent = engine.send(retry.unwrap_or(request), options).await;
    let (raw, revision) = match sent {
        Ok(answer) => answer,
        Err(error) => {
            if let Some(results) = results.filter(|_| is_refused_cursor(request, &error)) {
                results.refused(request).await;
            }
            if let Some(stale) = stale(results.filter(|_| !options.fresh), request, &error).await {
                return Ok(Step::Done(learn(engine, stale, edition)));
            }
            return Err(error);
        }
    };
    if !raw.is_object() {
        return Err(ClientError::malformed("it is no object"));
    }
    if revision.is_modern() && is_question(&raw)? {
        return questions(engine, request, &raw).map(Step::Asked);
    }
    let mut result = ServerResult::decode(request.method(), &raw).map_err(ClientError::malformed)?;
    output::check(engine, request, &result, revision)?;
    if let Some((before, hint)) = before.zip(hint(&mut result)) {
        keep(engine, request, &raw, hint, &before).await;
    }
    Ok(Step::Done(learn(engine, result, edition)))
}

/// What is still there of an earlier answer, where the server cannot be asked.
async fn stale(
    results: Option<&Arc<dyn Results>>,
    request: &ClientRequest,
    error: &ClientError,
) -> Option<ServerResult> {
    let results = results.filter(|_| error.is_outage())?;
    let found = results.find_stale(request).await?;
    tracing::warn!(method = request.method(), %error, "the server cannot be asked; a stale result serves");
    ServerResult::decode(request.method(), &found).ok()
}

/// What the server says of storing the result; unsaid, it is private.
fn hint(result: &mut ServerResult) -> Option<CacheHint> {
    let (ttl_ms, scope) = result.cache_mut()?;
    let mut hint = CacheHint::private((*ttl_ms)?);
    hint.scope = scope.unwrap_or_default();
    Some(hint)
}

/// What must not change while a result that is to be stored is on its way.
#[derive(PartialEq)]
struct State {
    changes: u64,
    authorization: String,
}

impl State {
    fn of(engine: &Engine) -> Self {
        Self { changes: engine.board.changes(), authorization: engine.authorization() }
    }
}

/// Stores a result, unless something changed while it was on its way: nobody can say which came first, or whose it is.
async fn keep(engine: &Engine, request: &ClientRequest, raw: &RawJson, hint: CacheHint, before: &State) {
    let Some(results) = engine.board.results.as_ref().filter(|_| State::of(engine) == *before) else { return };
    results.keep(request, raw, hint).await;
    if State::of(engine) != *before {
        results.changed(&Change::Gap);
    }
}

/// The same call again, with the answers of this round alone and the state it came with.
pub(crate) fn again(
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
            let message = format!("`{}` was answered with questions, which it cannot be", other.method());
            return Err(ClientError::new(ErrorKind::Malformed, message));
        }
    };
    (*input_responses, *request_state) = (answers, state);
    Ok(request)
}

/// Answers the questions of one round, one after the other: most of them need the same person.
async fn answer(engine: &Engine, questions: Vec<(String, InputRequest)>) -> Result<RawMap, ClientError> {
    let mut answers = RawMap::new();
    let _asking = Asking::new(&engine.board);
    for (key, question) in questions {
        let answer = engine.board.handlers.answer_input(question).await.map_err(|error| {
            let message = format!("the server's question `{key}` has no answer here: {error}");
            ClientError::new(ErrorKind::Unanswerable, message).with_rpc(error)
        })?;
        let answer = RawJson::new(&answer).map_err(|error| {
            ClientError::new(ErrorKind::Invalid, format!("the answer to `{key}` cannot be JSON: {error}"))
        })?;
        answers.insert(key, answer);
    }
    Ok(answers)
}

/// Whether a result is questions in truth. What is neither is nothing a client may use.
fn is_question(result: &RawJson) -> Result<bool, ClientError> {
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
            Err(ClientError::malformed(format_args!("its `resultType` is `{other}`, which this client does not know")))
        }
    }
}

fn questions(engine: &Engine, request: &ClientRequest, result: &RawJson) -> Result<InputRequired, ClientError> {
    if !request.info().is_some_and(|method| method.may_ask) {
        let method = request.method();
        return Err(ClientError::malformed(format_args!("`{method}` may not be answered with questions")));
    }
    let asked: InputRequired = result.decode().map_err(ClientError::malformed)?;
    let count = asked.input_requests.as_ref().map_or(0, Vec::len);
    if asked.input_requests.is_none() && asked.request_state.is_none() {
        return Err(ClientError::malformed("it asks for input and names neither a question nor a state"));
    }
    let limit = engine.settings.limits.questions_per_round;
    if count > limit {
        let message = format!("the server asks {count} questions at once; at most {limit} are answered");
        return Err(ClientError::new(ErrorKind::Limit, message));
    }
    Ok(asked)
}

/// Remembers the tools of a list, and takes out those that cannot be called the way this client goes.
fn learn(engine: &Engine, mut result: ServerResult, edition: u64) -> ServerResult {
    let ServerResult::ListTools(list) = &mut result else { return result };
    let modern = engine.latest().is_some_and(|connection| connection.revision().is_modern());
    let strict = engine.way() == Way::Post && modern;
    list.tools.to_mut().retain(|tool| match &engine.toolbox.learn(tool, edition).marks {
        Err(flaw) if strict => {
            tracing::warn!(tool = tool.name, %flaw, "a tool is left out: its headers cannot be made");
            false
        }
        _ => true,
    });
    result
}

fn is_refused_cursor(request: &ClientRequest, error: &ClientError) -> bool {
    let cursor = match request {
        ClientRequest::ListTools(params)
        | ClientRequest::ListResources(params)
        | ClientRequest::ListResourceTemplates(params)
        | ClientRequest::ListPrompts(params) => params.cursor.is_some(),
        _ => false,
    };
    cursor && error.rpc().is_some_and(|error| error.code == ErrorCode::INVALID_PARAMS)
}
