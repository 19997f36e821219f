//! Property test: a handler has the same result and the same effects with live requests and with replay.
//!
//! Random programs of questions, effects, ids, branches and joins run once with live requests and several times
//! in rounds, each of which answers a random subset of the questions.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use ferromcp_core::model::{CallToolParams, CallToolResult, InputRequest};
use ferromcp_core::{ClientRequest, RawJson, RawMap, Revision, ServerResult};
use ferromcp_server::testing::{ClientMode, Effects, TestClient, all_capabilities};
use ferromcp_server::{Call, Ctx, Peer, Reply, Server, Tool, ToolError};
use proptest::prelude::*;
use serde_json::json;

/// One step of a handler.
#[derive(Debug, Clone)]
enum Step {
    /// Asks a question, with or without a key.
    Ask { keyed: bool },
    /// Runs an effect in `once` that yields `waits` times.
    Once { waits: u8 },
    /// Runs an effect in `try_once` that fails.
    Fail,
    /// Creates an id.
    Id,
    /// Awaits a future unrelated to the client.
    Wait,
    /// Selects a branch by the accumulated value.
    Branch(Vec<Step>, Vec<Step>),
    /// Runs several programs concurrently.
    Join(Vec<Vec<Step>>),
}

fn programs() -> impl Strategy<Value = Vec<Step>> {
    let leaf = prop_oneof![
        4 => any::<bool>().prop_map(|keyed| Step::Ask { keyed }),
        3 => (0_u8..3).prop_map(|waits| Step::Once { waits }),
        1 => Just(Step::Fail),
        1 => Just(Step::Id),
        1 => Just(Step::Wait),
    ];
    let step = leaf.prop_recursive(3, 24, 3, |inner| {
        let several = prop::collection::vec(inner, 0..4);
        prop_oneof![
            (several.clone(), several.clone()).prop_map(|(left, right)| Step::Branch(left, right)),
            prop::collection::vec(several, 1..4).prop_map(Step::Join),
        ]
    });
    prop::collection::vec(step, 1..5)
}

/// State shared between a run and the test.
#[derive(Clone)]
struct RunState {
    effects: Effects,
    /// The created ids, by program path.
    ids: Arc<Mutex<HashMap<String, String>>>,
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<u64, ToolError>> + Send + 'a>>;

/// Runs the program at `path` and returns a hash of all values it received.
fn run<'a>(ctx: &'a Ctx, state: &'a RunState, program: &'a [Step], path: String) -> Running<'a> {
    Box::pin(async move {
        let mut hash = 7_u64;
        for (index, step) in program.iter().enumerate() {
            let path = format!("{path}.{index}");
            let more = match step {
                Step::Ask { keyed } => {
                    let question = ctx.elicit::<u64>(format!("?{path}"));
                    let question = if *keyed { question.key(format!("k{path}")) } else { question };
                    question.await?
                }
                Step::Once { waits } => {
                    let (effects, waits, now, name) = (state.effects.clone(), *waits, hash, path.clone());
                    let effect = || async move {
                        for _ in 0..waits {
                            tokio::task::yield_now().await;
                        }
                        effects.record(format!("{path} {now}"));
                        now.rotate_left(3)
                    };
                    ctx.once(&name, effect).await?.wrapping_add(ctx.once(&name, async || now).await?)
                }
                Step::Fail => {
                    let effect = || async {
                        state.effects.record(format!("{path} failed"));
                        Err::<u64, _>(ToolError::new(path.clone()))
                    };
                    let failed = ctx.try_once(&path, effect).await.unwrap_err();
                    assert_eq!(failed.to_string(), path);
                    1
                }
                Step::Id => {
                    let id = ctx.new_id();
                    let stored = state.ids.lock().unwrap().entry(path).or_insert_with(|| id.clone()).clone();
                    assert_eq!(stored, id, "an id must be equal in each run");
                    2
                }
                Step::Wait => {
                    tokio::task::yield_now().await;
                    3
                }
                Step::Branch(left, right) => {
                    let branch = if hash % 2 == 0 { left } else { right };
                    run(ctx, state, branch, path).await?
                }
                Step::Join(branches) => join(ctx, state, branches, &path).await?,
            };
            hash = hash.wrapping_mul(31).wrapping_add(more);
        }
        Ok(hash)
    })
}

/// Runs branches concurrently.
async fn join(ctx: &Ctx, state: &RunState, branches: &[Vec<Step>], path: &str) -> Result<u64, ToolError> {
    let empty: &[Step] = &[];
    let branch = |index: usize| {
        let program = branches.get(index).map_or(empty, Vec::as_slice);
        run(ctx, state, program, format!("{path}/{index}"))
    };
    let (first, second, third) = tokio::join!(branch(0), branch(1), branch(2));
    Ok(first?.wrapping_mul(5).wrapping_add(second?).wrapping_mul(5).wrapping_add(third?))
}

fn server(program: &[Step]) -> (Server, Effects) {
    let state = RunState { effects: Effects::new(), ids: Arc::default() };
    let (program, effects): (Arc<[Step]>, _) = (program.into(), state.effects.clone());
    let tool = Tool::new("run", move |ctx: Ctx| {
        let (state, program) = (state.clone(), Arc::clone(&program));
        async move { run(&ctx, &state, &program, String::new()).await.map(|hash| hash.to_string()) }
    });
    (Server::new("programs", "1").with_tool(tool), effects)
}

/// Returns the answer to a question, derived from its text.
fn answer_to(question: &InputRequest) -> serde_json::Value {
    let text = serde_json::to_string(question).unwrap();
    let value = text.bytes().fold(1_u64, |sum, byte| sum.wrapping_mul(7).wrapping_add(u64::from(byte)) % 1_000);
    json!({ "action": "accept", "content": { "value": value } })
}

/// Calls in rounds. `choose` selects the questions to answer; at least one question is answered per round.
async fn in_rounds(server: &Server, mut choose: impl FnMut() -> bool) -> CallToolResult {
    let peer = Peer::new(Revision::LATEST).with_capabilities(all_capabilities());
    let mut params = CallToolParams::new("run");
    for _ in 0..500 {
        match server.call(Call::new(ClientRequest::CallTool(params.clone()), peer.clone())).await {
            Reply::Done(ServerResult::CallTool(result)) => return result,
            Reply::NeedsInput(required) => {
                let questions = required.input_requests.unwrap_or_default();
                let mut answers = RawMap::new();
                for (index, (key, question)) in questions.iter().enumerate() {
                    if choose() || (index + 1 == questions.len() && answers.is_empty()) {
                        answers.insert(key.clone(), RawJson::new(&answer_to(question)).unwrap());
                    }
                }
                (params.input_responses, params.request_state) = (Some(answers), required.request_state);
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("the call did not complete within 500 rounds");
}

/// Calls with live requests on the latest session revision.
async fn live(server: &Server) -> CallToolResult {
    let client = TestClient::with(server.clone(), ClientMode::Live(Revision::LATEST_LEGACY));
    client.answer_with(|question| RawJson::new(&answer_to(question)).unwrap());
    client.call("run", &()).await.unwrap()
}

fn sorted(effects: &Effects) -> Vec<String> {
    let mut all = effects.all();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    // M26-233, M26-251, M26-263
    #[test]
    fn result_and_effects_are_equal_when_program_is_replayed(program in programs(), choices in prop::collection::vec(any::<bool>(), 64)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (as_live, effects) = server(&program);
            let expected = live(&as_live).await;
            prop_assert!(!expected.is_error(), "{expected:?}");
            let happened = sorted(&effects);
            let mut choices = choices.iter().copied().cycle();
            for mode in 0..3 {
                let (replayed, effects) = server(&program);
                let result = in_rounds(&replayed, || mode == 0 || (mode == 1 && choices.next() == Some(true))).await;
                prop_assert_eq!(&result.content, &expected.content, "mode {}", mode);
                prop_assert_eq!(&sorted(&effects), &happened, "mode {}", mode);
            }
            Ok(())
        })?;
    }
}
