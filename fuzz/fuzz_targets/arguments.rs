//! Calls functions with arbitrary arguments: errors are printable and short, lenient parsing accepts what strict parsing
//! accepts, and every result is one line of JSON.
//!
//! Covers arguments of tools, prompts, resources and completions, and answers to forms. `cargo +nightly fuzz run arguments`.
//! The first byte selects the function; the rest is an object of arguments, or a URI. Spec:
//! <https://modelcontextprotocol.io/specification/2026-07-28/server/tools#calling-tools>.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bytes::BytesMut;
use ferromcp_core::model::{
    CallToolParams, CompleteParams, CompletionArgument, GetPromptParams, ReadResourceParams, Reference,
};
use ferromcp_core::wire::encode::{EncodeContext, server_result};
use ferromcp_core::wire::{MAX_DEPTH, depth_within};
use ferromcp_core::{ClientRequest, RawJson, RawMap, RequestId, Revision, ServerResult};
use ferromcp_fuzz::{SERVER, assert_message, assert_printable, form as dynamic_form, ready};
use ferromcp_server::form::{self, Field, Form, Format};
use ferromcp_server::{Arg, Args, Call, Peer, Reply, Server, Tool};
use libfuzzer_sys::fuzz_target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The maximum length of an error text: a number of errors, each with excerpts of limited length.
const MAX_ERROR: usize = 20_000;

const REVISIONS: [Revision; 4] =
    [Revision::V2025_03_26, Revision::V2025_06_18, Revision::V2025_11_25, Revision::V2026_07_28];

/// A recursive type with an enum, a map and optional members.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Node {
    name: String,
    #[serde(default)]
    kind: Option<Kind>,
    #[serde(default)]
    children: Vec<Node>,
    #[serde(default)]
    sizes: BTreeMap<String, u16>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    File,
    Folder { depth: u8 },
    Link(String),
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
enum Shape {
    Circle { radius: f32 },
    Square { side: u32, color: Option<String> },
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Key {
    Number(i32),
    Text(String),
    Pair { a: bool, b: (u8, u8) },
}

const TOOLS: [&str; 8] = ["scalars", "optional", "limited", "tree", "shape", "key", "lists", "any"];

fn server(lenient: bool) -> Server {
    let server = Server::new("fuzz", "0")
        .lenient_arguments(lenient)
        .with_tool(
            Tool::sync("scalars", |a: i64, b: u8, c: f64, d: bool, e: String| text(&(a, b, c, d, e)))
                .args(["a", "b", "c", "d", "e"]),
        )
        .with_tool(
            Tool::sync("optional", |a: Option<i64>, b: Option<bool>, c: Option<Vec<String>>, d: Option<Node>| {
                text(&(a, b, c, d))
            })
            .args(["a", "b", "c", "d"]),
        )
        .with_tool(Tool::sync("limited", |a: u32, b: f64, c: String, d: Vec<i8>| text(&(a, b, c, d))).args([
            Arg::new("a").range::<u32>(1..=1000).default::<u32>(50),
            Arg::new("b").range::<f64>(0.0..1.0),
            Arg::new("c").length(2..=4),
            Arg::new("d").length(1..3),
        ]))
        .with_tool(Tool::sync("tree", |node: Node| text(&node)).args(["node"]))
        .with_tool(Tool::sync("shape", |Args(shape): Args<Shape>| text(&shape)))
        .with_tool(
            Tool::sync("key", |key: Key, others: BTreeMap<String, Key>| text(&(key, others))).args(["key", "others"]),
        )
        .with_tool(
            Tool::sync("lists", |a: Vec<Vec<u16>>, b: (String, i32), c: [bool; 2]| text(&(a, b, c)))
                .args(["a", "b", "c"]),
        )
        .with_tool(Tool::sync("any", |a: Value, b: Option<Value>| text(&(a, b))).args(["a", "b"]));
    server.check().expect("a valid server");
    server
}

fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("serializable")
}

static LENIENT: LazyLock<Server> = LazyLock::new(|| server(true));
static STRICT: LazyLock<Server> = LazyLock::new(|| server(false));

fuzz_target!(|input: &[u8]| {
    let Some((&function, input)) = input.split_first() else { return };
    let Ok(input) = std::str::from_utf8(input) else { return };
    let function = usize::from(function) % 16;
    if function == 8 {
        call(&SERVER, ClientRequest::ReadResource(ReadResourceParams::new(input)));
        return;
    }
    if !depth_within(input.as_bytes(), MAX_DEPTH) {
        return;
    }
    let Ok(json) = RawJson::parse(input) else { return };
    match function {
        tool @ 0..=7 => call_tool(TOOLS[tool], &json),
        9 => {
            let mut params = GetPromptParams::new("ask");
            params.arguments = Some(json);
            call(&SERVER, ClientRequest::GetPrompt(params));
        }
        10 => complete(Reference::prompt("ask"), "what", &json),
        11 => complete(Reference::resource("notes://{id}{?page,size}"), "id", &json),
        12 => read_form::<Guest>(&json),
        13 => read_form::<Option<f32>>(&json),
        14 => {
            let Ok(content) = json.decode::<RawMap>() else { return };
            check_errors(form::check(&dynamic_form(), &content));
        }
        _ => {
            call(&SERVER, ClientRequest::CallTool(CallToolParams::new("add").arguments(json)));
        }
    }
});

fn call_tool(name: &str, arguments: &RawJson) {
    let request = || ClientRequest::CallTool(CallToolParams::new(name).arguments(arguments.clone()));
    let strict = call(&STRICT, request());
    let lenient = call(&LENIENT, request());
    if strict.is_some() {
        assert_eq!(strict, lenient, "lenient parsing changes a valid call");
    }
}

/// Calls a function and checks the reply. Returns the text of a tool that succeeds.
fn call(server: &Server, request: ClientRequest) -> Option<String> {
    let result = match ready(server.call(Call::new(request, Peer::new(Revision::LATEST)))) {
        Reply::Done(result) => result,
        Reply::Failed(error) => {
            assert_printable(&error.message);
            assert!(error.message.len() <= MAX_ERROR, "an error of {} bytes", error.message.len());
            return None;
        }
        other => panic!("{other:?}"),
    };
    for revision in REVISIONS {
        let mut out = BytesMut::new();
        let context = EncodeContext::new(revision);
        server_result(&mut out, &RequestId::Number(1), result.clone(), context).expect("a result can be serialized");
        assert_message(&out);
    }
    let ServerResult::CallTool(result) = result else { return None };
    let text = result.content.first()?.as_text()?.to_owned();
    if result.is_error() {
        assert!(text.len() <= MAX_ERROR, "an error of {} bytes", text.len());
        return None;
    }
    Some(text)
}

fn complete(reference: Reference, argument: &str, json: &RawJson) {
    let Ok(value) = json.decode::<String>() else { return };
    call(&SERVER, ClientRequest::Complete(CompleteParams::new(reference, CompletionArgument::new(argument, value))));
}

fn read_form<T: Form>(json: &RawJson) {
    let Ok(content) = json.decode::<RawMap>() else { return };
    check_errors(form::read::<T>(&content).map(drop));
}

fn check_errors(outcome: Result<(), Vec<String>>) {
    let Err(errors) = outcome else { return };
    assert!(!errors.is_empty());
    assert!(errors.iter().map(String::len).sum::<usize>() <= MAX_ERROR, "{errors:?}");
}

/// A form with formats and limits.
struct Guest;

impl Form for Guest {
    fn schema() -> ferromcp_core::model::FormSchema {
        ferromcp_core::model::FormSchema::new(Vec::new())
    }

    fn read(answers: &form::Answers<'_>) -> Result<Self, Vec<String>> {
        let mut errors = Vec::new();
        Field::<String>::new("name").length(1..=8).read(answers, &mut errors);
        Field::<String>::new("email").format(Format::Email).read(answers, &mut errors);
        Field::<Option<String>>::new("uri").format(Format::Uri).read(answers, &mut errors);
        Field::<Option<String>>::new("date").format(Format::Date).read(answers, &mut errors);
        Field::<Option<String>>::new("time").format(Format::DateTime).read(answers, &mut errors);
        Field::<u8>::new("seats").range(1..=8).default(1).read(answers, &mut errors);
        Field::<f64>::new("ratio").range(0.0..1.0).read(answers, &mut errors);
        Field::<Option<bool>>::new("sure").read(answers, &mut errors);
        if errors.is_empty() { Ok(Self) } else { Err(errors) }
    }
}
