//! MCP servers: typed functions as tools, resources and prompts, on every revision at once.
//!
//! Start at [`Server`]. Users come by the facade crate `ferromcp`, which adds the macros.
//!
//! | module | what |
//! |---|---|
//! | [`server`] | the builder, and the `tower` service of calls |
//! | [`component`] | tools, resources, prompts, completions |
//! | [`function`] | parameters: arguments and extractors |
//! | [`output`] | what functions may return |
//! | [`ctx`] | progress, logs, resources, cancellation inside a handler |
//! | [`client_requests`] | elicitation, sampling and roots inside a handler |
//! | [`request_state`] | the sealed state of multi-round-trip requests, its keys and store |
//! | [`form`] | what a client's user fills in |
//! | [`call`] | one request in, one reply out |
//! | [`middleware`] | functions around every call |
//! | [`registry`] | what is offered, changeable at run time |
//! | [`uri_template`], [`mime`] | URI templates, MIME types |
//! | [`limits`] | every bound in one place |
//! | [`testing`] | tests of a server, on every era |
//! | `http` | Streamable HTTP of both eras (feature `http`) |

#![cfg_attr(not(feature = "http"), allow(dead_code, reason = "some of what the eras and serving know only HTTP asks"))]

mod answer;
pub mod call;
pub mod client_requests;
pub mod component;
pub mod ctx;
mod deadline;
mod dispatch;
mod call_context;
mod era;
pub mod form;
pub mod function;
#[cfg(feature = "http")]
pub mod http;
mod inner;
mod latch;
mod lifespan;
pub mod limits;
mod lists;
pub mod middleware;
pub mod mime;
pub mod request_sink;
pub mod output;
mod paging;
mod peer;
mod pending_requests;
mod random;
pub mod registry;
pub mod request_state;
mod schema;
mod serve;
pub mod server;
mod maybe_ready;
mod state;
mod subscription;
pub mod testing;
mod tool_error;
mod trace;

pub use call::{Call, Extensions, Peer, Reply};
#[doc(inline)]
pub use ferromcp_uri_template as uri_template;
pub use client_requests::{
    Ask, Elicited, NextRound, PendingQuestion, Question, QuestionError, Roots, Round, Sample, UrlConsent,
};
pub use component::{
    Completion, CompletionDef, Component, Parts, Prompt, PromptDef, Resource, ResourceDef, Tool, ToolDef,
};
pub use ctx::Ctx;
pub use form::Form;
pub use function::{Arg, Args, Extension, FromCtx, Invocation, Param, Rejection, Requirements, State};
pub use limits::Limits;
pub use middleware::{Middleware, Next};
pub use request_sink::{ResponseFuture, QueueFull, RequestSink, NotificationSink};
pub use output::{
    Audio, CompletionOutput, File, Image, IntoContent, Json, MediaError, PromptOutput, ResourceOutput, ToolOutput,
};
pub use paging::List;
pub use pending_requests::RequestError;
pub use registry::{RegisterError, Registry};
pub use request_state::{Key, KeyRing, MemoryStateStore, StateOptions, StateStore};
pub use serve::{OnHttp, OnPipe, ServeError, ServeOn, Served};
pub use server::Server;
pub use subscription::ChangeNotifier;
pub use tool_error::ToolError;
