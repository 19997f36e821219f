//! Shared code of the fuzz targets: a runtime, a byte stream in small reads, a server with one item of each kind, and
//! checks of output. [`auth`] is for the authorization targets, and [`exchange`] for the targets of servers.

pub mod auth;
pub mod exchange;

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll, Waker};

use ferromcp_core::model::{Choice, ChoiceItems, FieldType, FormSchema, PrimitiveSchema};
use ferromcp_server::{Arg, Completion, Ctx, Prompt, Question, Resource, Sample, Server, Tool, ToolError};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Runs a future. The clock is paused: a timer expires as soon as nothing else can proceed, so no target waits.
pub fn run<F: Future>(future: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().expect("a runtime").block_on(future)
}

/// Returns the output of a future that is ready on the first poll.
pub fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future is not ready"),
    }
}

/// Input in reads of a fixed size. Every other read is pending first, so that tasks run between reads.
pub struct Input {
    bytes: Vec<u8>,
    position: usize,
    read_size: usize,
    is_paused: bool,
}

impl Input {
    /// Creates an input with a read size in bytes.
    pub fn new(bytes: Vec<u8>, read_size: usize) -> Self {
        Self { bytes, position: 0, read_size, is_paused: false }
    }
}

impl AsyncRead for Input {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.is_paused = !self.is_paused;
        if self.is_paused {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let rest = &self.bytes[self.position..];
        let size = rest.len().min(self.read_size).min(buffer.remaining());
        buffer.put_slice(&rest[..size]);
        self.position += size;
        Poll::Ready(Ok(()))
    }
}

/// Collects everything that is written.
#[derive(Clone, Default)]
pub struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    /// Removes and returns the written bytes.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().expect("no panic while locked"))
    }
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.lock().expect("no panic while locked").extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Asserts that a text is one JSON-RPC message, or one batch, on one line. Returns the message.
#[track_caller]
pub fn assert_message(text: &[u8]) -> Value {
    assert!(!text.contains(&b'\n') && !text.contains(&b'\r'), "a message has one line");
    let message: Value = serde_json::from_slice(text).expect("a message is JSON");
    match &message {
        Value::Array(messages) => assert!(!messages.is_empty() && messages.iter().all(is_message), "{message}"),
        message => assert!(is_message(message), "{message}"),
    }
    message
}

fn is_message(message: &Value) -> bool {
    message["jsonrpc"] == "2.0"
}

/// Asserts that a text for users and logs has no control characters other than line feeds and tabs.
#[track_caller]
pub fn assert_printable(text: &str) {
    let is_unsafe = |c: &char| (c.is_control() && !matches!(c, '\n' | '\t')) || "\u{202e}\u{2066}\u{200f}".contains(*c);
    assert_eq!(text.chars().find(is_unsafe), None, "{text:?}");
}

/// A server with one item of each kind.
pub static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let server = server();
    server.check().expect("a valid server");
    server
});

fn server() -> Server {
    Server::new("fuzz", "0")
        .with_tool(Tool::sync("add", |a: i64, b: Option<f64>| format!("{a} {b:?}")).args(["a", "b"]))
        .with_tool(
            Tool::sync("route", |region: String, zone: Option<u8>, on: Option<bool>| {
                format!("{region} {zone:?} {on:?}")
            })
            .args([
                Arg::new("region").header("Region"),
                Arg::new("zone").header("Zone"),
                Arg::new("on").header("On"),
            ]),
        )
        .with_tool(
            Tool::new("say", |ctx: Ctx, text: String| async move {
                ctx.progress(1.0, None).await;
                tokio::task::yield_now().await;
                ctx.error(&*text).await;
                text
            })
            .args(["ctx", "text"]),
        )
        .with_tool(Tool::new("form", |ctx: Ctx| async move {
            let answer = ctx.ask(Question::dynamic("Which?", form())).await?;
            Ok::<_, ToolError>(format!("{answer:?}"))
        }))
        .with_tool(Tool::new("number", |ctx: Ctx| async move {
            let first = ctx.elicit::<u8>("How many?").await?;
            let second = ctx.elicit::<Option<String>>("Why?").await?;
            Ok::<_, ToolError>(format!("{first} {second:?}"))
        }))
        .with_tool(Tool::new("url", |ctx: Ctx| async move {
            ctx.require_urls([Question::url("Sign in", "https://example.com/")]).await?;
            Ok::<_, ToolError>("done")
        }))
        .with_tool(Tool::new("model", |ctx: Ctx| async move {
            let reply = ctx.sample(Sample::new("Hello")).await?;
            let roots = ctx.roots().await?;
            Ok::<_, ToolError>(format!("{reply:?} {roots:?}"))
        }))
        .with_resource(
            Resource::sync("notes://{id}{?page,size}", |id: String, page: Option<u32>, size: Option<u32>| {
                format!("{id} {page:?} {size:?}")
            })
            .args(["id", "page", "size"]),
        )
        .with_resource(Resource::sync("files:///{+path}", |path: String| path).args(["path"]))
        .with_resource(Resource::sync("text://a", || "a"))
        .with_prompt(
            Prompt::sync("ask", |what: String, count: Option<u8>| format!("{what} {count:?}")).args(["what", "count"]),
        )
        .with_completion(Completion::prompt_sync("ask", "what", |typed: String| vec![typed]).args(["typed"]))
        .with_completion(
            Completion::resource_sync("notes://{id}{?page,size}", "id", |typed: String| vec![typed]).args(["typed"]),
        )
}

/// Returns a form with one field of each type.
pub fn form() -> FormSchema {
    let text = || PrimitiveSchema::new(FieldType::String);
    let number = PrimitiveSchema::new(FieldType::Number);
    let choices = [Choice::new("1", "First"), Choice::new("2", "Second")];
    let fields = [
        ("name", text().max_length(8)),
        ("ratio", number),
        ("seats", PrimitiveSchema::new(FieldType::Integer)),
        ("sure", PrimitiveSchema::new(FieldType::Boolean)),
        ("class", text().one_of(choices.clone())),
        ("place", text().choices(["aisle", "window"])),
        ("meals", PrimitiveSchema::new(FieldType::Array).items(ChoiceItems::titled(choices))),
    ];
    FormSchema::new(fields.map(|(name, field)| (name.to_owned(), field)).to_vec()).required(["name"])
}
