//! Any handler gives the same result, and does the same once, however its client is asked: random programs of
//! questions, effects, ids, branches and joins, run live and in rounds that answer any part of what is asked.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use ferromcp_core::model::{CallToolParams, CallToolResult, InputRequest};
use ferromcp_core::{ClientRequest, RawJson, RawMap, Revision, ServerResult};
use ferromcp_server::testing::{Client, Effects, Way, everything};
use ferromcp_server::{Call, Ctx, Peer, Reply, Server, Tool, ToolError};
use proptest::prelude::*;
use serde_json::json;

/// One thing a handler does.
#[derive(Debug, Clone)]
enum Do {
    /// Asks, with or without a key.
    Ask { keyed: bool },
    /// Has an effect once, which waits so many times.
    Once { waits: u8 },
    /// Tries an effect that fails.
    Fail,
    /// Takes an id.
    Id,
    /// Waits for something that is no business of its client.
    Wait,
    /// Goes on by what it heard last.
    Branch(Vec<Do>, Vec<Do>),
    /// Does several things side by side.
    Join(Vec<Vec<Do>>),
}

fn programs() -> impl Strategy<Value = Vec<Do>> {
    let leaf = prop_oneof![
        4 => any::<bool>().prop_map(|keyed| Do::Ask { keyed }),
        3 => (0_u8..3).prop_map(|waits| Do::Once { waits }),
        1 => Just(Do::Fail),
        1 => Just(Do::Id),
        1 => Just(Do::Wait),
    ];
    let step = leaf.prop_recursive(3, 24, 3, |inner| {
        let several = prop::collection::vec(inner, 0..4);
        prop_oneof![
            (several.clone(), several.clone()).prop_map(|(left, right)| Do::Branch(left, right)),
            prop::collection::vec(several, 1..4).prop_map(Do::Join),
        ]
    });
    prop::collection::vec(step, 1..5)
}

/// What a run shares with the test.
#[derive(Clone)]
struct Stage {
    effects: Effects,
    /// The ids that were taken, by where.
    ids: Arc<Mutex<HashMap<String, String>>>,
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<u64, ToolError>> + Send + 'a>>;

/// Runs a program, whose place is `path`, and gives all that it heard as one number.
fn run<'a>(ctx: &'a Ctx, stage: &'a Stage, program: &'a [Do], path: String) -> Running<'a> {
    Box::pin(async move {
        let mut heard = 7_u64;
        for (place, step) in program.iter().enumerate() {
            let path = format!("{path}.{place}");
            let more = match step {
                Do::Ask { keyed } => {
                    let asking = ctx.elicit::<u64>(format!("?{path}"));
                    let asking = if *keyed { asking.key(format!("k{path}")) } else { asking };
                    asking.await?
                }
                Do::Once { waits } => {
                    let (effects, waits, now, name) = (stage.effects.clone(), *waits, heard, path.clone());
                    let effect = || async move {
                        for _ in 0..waits {
                            tokio::task::yield_now().await;
                        }
                        effects.note(format!("{path} {now}"));
                        now.rotate_left(3)
                    };
                    ctx.once(&name, effect).await?.wrapping_add(ctx.once(&name, async || now).await?)
                }
                Do::Fail => {
                    let effect = || async {
                        stage.effects.note(format!("{path} failed"));
                        Err::<u64, _>(ToolError::new(path.clone()))
                    };
                    let failed = ctx.try_once(&path, effect).await.unwrap_err();
                    assert_eq!(failed.to_string(), path);
                    1
                }
                Do::Id => {
                    let id = ctx.new_id();
                    let known = stage.ids.lock().unwrap().entry(path).or_insert_with(|| id.clone()).clone();
                    assert_eq!(known, id, "an id is the same in each run");
                    2
                }
                Do::Wait => {
                    tokio::task::yield_now().await;
                    3
                }
                Do::Branch(left, right) => {
                    let way = if heard % 2 == 0 { left } else { right };
                    run(ctx, stage, way, path).await?
                }
                Do::Join(branches) => join(ctx, stage, branches, &path).await?,
            };
            heard = heard.wrapping_mul(31).wrapping_add(more);
        }
        Ok(heard)
    })
}

/// Runs branches side by side.
async fn join(ctx: &Ctx, stage: &Stage, branches: &[Vec<Do>], path: &str) -> Result<u64, ToolError> {
    let empty: &[Do] = &[];
    let branch = |place: usize| {
        let program = branches.get(place).map_or(empty, Vec::as_slice);
        run(ctx, stage, program, format!("{path}/{place}"))
    };
    let (first, second, third) = tokio::join!(branch(0), branch(1), branch(2));
    Ok(first?.wrapping_mul(5).wrapping_add(second?).wrapping_mul(5).wrapping_add(third?))
}

fn server(program: &[Do]) -> (Server, Effects) {
    let stage = Stage { effects: Effects::new(), ids: Arc::default() };
    let (program, effects): (Arc<[Do]>, _) = (program.into(), stage.effects.clone());
    let tool = Tool::new("run", move |ctx: Ctx| {
        let (stage, program) = (stage.clone(), Arc::clone(&program));
        async move { run(&ctx, &stage, &program, String::new()).await.map(|heard| heard.to_string()) }
    });
    (Server::new("programs", "1").with_tool(tool), effects)
}

/// What is answered to a question.
fn said(question: &InputRequest) -> serde_json::Value {
    let words = serde_json::to_string(question).unwrap();
    let value = words.bytes().fold(1_u64, |sum, byte| sum.wrapping_mul(7).wrapping_add(u64::from(byte)) % 1_000);
    json!({ "action": "accept", "content": { "value": value } })
}

/// Calls in rounds; `choose` says whether a question is answered this time, the first one if no other is.
async fn in_rounds(server: &Server, mut choose: impl FnMut() -> bool) -> CallToolResult {
    let peer = Peer::new(Revision::LATEST).with_capabilities(everything());
    let mut params = CallToolParams::new("run");
    for _ in 0..500 {
        match server.call(Call::new(ClientRequest::CallTool(params.clone()), peer.clone())).await {
            Reply::Done(ServerResult::CallTool(result)) => return result,
            Reply::NeedsInput(required) => {
                let questions = required.input_requests.unwrap_or_default();
                let mut answers = RawMap::new();
                for (place, (key, question)) in questions.iter().enumerate() {
                    if choose() || (place + 1 == questions.len() && answers.is_empty()) {
                        answers.insert(key.clone(), RawJson::new(&said(question)).unwrap());
                    }
                }
                (params.input_responses, params.request_state) = (Some(answers), required.request_state);
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("no end of questions");
}

async fn live(server: &Server) -> CallToolResult {
    let client = Client::with(server.clone(), Way::Live(Revision::LATEST_LEGACY));
    client.answer_by(|question| RawJson::new(&said(question)).unwrap());
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
    fn programs_are_the_same_live_and_replayed(program in programs(), choices in prop::collection::vec(any::<bool>(), 64)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (as_live, effects) = server(&program);
            let expected = live(&as_live).await;
            prop_assert!(!expected.is_error(), "{expected:?}");
            let happened = sorted(&effects);
            let mut choices = choices.iter().copied().cycle();
            for way in 0..3 {
                let (in_turn, effects) = server(&program);
                let result = in_rounds(&in_turn, || way == 0 || (way == 1 && choices.next() == Some(true))).await;
                prop_assert_eq!(&result.content, &expected.content, "way {}", way);
                prop_assert_eq!(&sorted(&effects), &happened, "way {}", way);
            }
            Ok(())
        })?;
    }
}
