//! Requests from the server to the client: elicitation (forms and URLs), sampling and roots.
//!
//! A handler awaits `ctx.elicit(..)`, `ctx.sample(..)` or `ctx.roots()` with the same code on every revision. With a
//! handshake revision, the server sends a JSON-RPC request, and the `await` resolves with its response. With
//! 2026-07-28, servers cannot send requests, so multi-round-trip requests (`mrtr`) are used: the call returns its
//! questions, the client calls again with the responses, and the handler runs again.
//!
//! | module | contents |
//! |---|---|
//! | `question` | a question and the parser of its answer |
//! | `ctx`, `pending_question` | `ctx.elicit(..).await` and its future |
//! | `capabilities` | the client capabilities that a question requires |
//! | `elicited`, `roots`, `sample` | answers, and the parameters of sampling |
//! | `url_elicitation` | URLs that the user must visit before a call can continue |
//! | `ask` | `#[ask(..)]`: questions that are answered before the function is called |
//! | `forwarded` | requests of another server, which a proxy forwards |
//! | `mrtr` | multi-round-trip requests: driving, `once`, resuming, manual rounds |
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>.

mod ask;
mod capabilities;
mod ctx;
mod elicited;
mod forwarded;
pub(crate) mod mrtr;
mod pending_question;
mod question;
mod roots;
mod sample;
mod url_elicitation;

pub use ask::Ask;
pub use elicited::{Elicited, UrlConsent};
pub use mrtr::round::{NextRound, Round, RoundOutcome};
pub use pending_question::PendingQuestion;
pub use question::Question;
pub use roots::Roots;
pub use sample::Sample;
