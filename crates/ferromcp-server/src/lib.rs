//! MCP servers: typed functions as tools, resources and prompts, on every protocol revision.
//!
//! Start at [`Server`]. Applications normally use the facade crate `ferromcp`, which adds the macros.
//!
//! | items | purpose |
//! |---|---|
//! | [`Server`], [`ServerLimits`], [`Registry`], [`HostWarning`] | the builder, its limits, changes at run time, tools that hosts reject |
//! | [`Tool`], [`Resource`], [`Prompt`], [`Completion`], [`Component`] | the parts of a server |
//! | [`Arg`], [`Args`], [`State`], [`Extension`], [`FromCtx`] | arguments and extractors of functions |
//! | [`Json`], [`Image`], [`File`], [`ToolOutput`], [`ToolError`], [`CallError`] | return types and errors of functions |
//! | [`Ctx`], [`Question`], [`Sample`], [`Round`] | progress, logs, elicitation, sampling and roots inside a handler |
//! | [`form`] | elicitation forms |
//! | [`StateOptions`], [`KeyRing`], [`StateStore`] | the sealed state of multi-round-trip requests |
//! | [`Call`], [`Reply`], [`Peer`], [`middleware`] | one request in, one reply out, and wrappers around every call |
//! | [`uri_template`], [`mime`] | URI templates, MIME types |
//! | [`testing`] | in-process tests, in every protocol era |
//! | `http` | Streamable HTTP of all revisions and HTTP+SSE (feature `http`) |

#![cfg_attr(
    not(feature = "http"),
    allow(dead_code, reason = "some functions of `era` and `serve` are used by HTTP only")
)]

mod access;
mod batch;
mod box_future;
mod call;
mod call_error;
mod client_requests;
mod component;
mod ctx;
mod deadline;
mod decode;
mod dispatch;
mod era;
mod forks;
pub mod form;
mod function;
mod hosts;
#[cfg(feature = "http")]
pub mod http;
mod ignored_arguments;
mod inner;
mod latch;
mod lifespan;
mod limits;
mod lists;
mod maybe_ready;
pub mod middleware;
pub mod mime;
mod mount;
mod mounted_server;
mod namespace;
mod output;
mod own_calls;
mod paging;
mod panics;
mod peer;
mod pending_requests;
mod principal;
mod question_error;
mod random;
mod registry;
mod request_sink;
mod request_state;
mod resource_list;
mod rounds;
mod schema;
mod scopes;
mod serve;
mod server;
mod shutdown_cut;
mod state;
mod subscription;
pub mod testing;
mod tool_error;
mod trace;
mod uri_key;

pub use call::{Call, Extensions, Peer, Reply};
pub use call_error::CallError;
pub use client_requests::{
    Ask, Elicited, NextRound, PendingQuestion, Question, Roots, Round, RoundOutcome, Sample, UrlConsent,
};
pub use component::{
    Completion, CompletionDef, Component, ListFunction, Parts, Prompt, PromptDef, Resource, ResourceDef,
    ResourceListOutput, Tool, ToolDef,
};
pub use ctx::Ctx;
#[doc(inline)]
pub use ferromcp_uri_template as uri_template;
#[doc(hidden)]
pub use function::type_check::{FallbackTypeCheck, TypeCheck};
pub use function::{Arg, Args, AsyncFromCtx, Extension, FromCtx, Invocation, Param, Rejection, Requirements, State};
pub use hosts::HostWarning;
pub use limits::ServerLimits;
pub use output::{
    Audio, CompletionOutput, File, Image, IntoContent, Json, MediaError, OutputShape, PromptOutput, ResourceOutput,
    ToolOutput,
};
pub use paging::List;
pub use pending_requests::RequestError;
pub use principal::Principal;
pub use question_error::QuestionError;
pub use registry::{RegisterError, Registry};
pub use request_sink::{NotificationSink, QueueFull, RequestSink, ResponseFuture};
#[doc(hidden)]
pub use request_state::fuzz as request_state_fuzz;
pub use request_state::{Key, KeyError, KeyRing, MemoryStateStore, StateOptions, StateStore, StoreFuture};
pub use serve::{ServeError, ServeTarget, SharedServer};
pub use server::{MountPart, Server};
pub use subscription::ChangeNotifier;
pub use tool_error::ToolError;

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
