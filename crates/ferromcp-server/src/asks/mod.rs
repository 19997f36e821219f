//! Asking the client in the middle of a handler: forms and URLs for its user, its model, its roots.
//!
//! The handler's code is one straight line on every revision. A handshake revision is asked live: the same `await`
//! goes on when the answer comes. 2026-07-28 has no requests from server to client: there the call is answered with
//! its questions, comes again with their answers, and the handler runs again from the top, this time with answers.
//! What it learned and did before is in a *journal*, which travels sealed in the request's state.
//!
//! | file | what |
//! |---|---|
//! | `question` | what is asked, and how its answer is read |
//! | `ctx`, `asking` | a question on its way: `ctx.elicit(..).await` |
//! | `able` | what a question needs of the client |
//! | `elicited`, `visit`, `roots`, `sample` | what answers are, and what a model is asked |
//! | `known`, `visits` | URLs: what a visit is known by, and calls that cannot go on without |
//! | `error` | why there is no answer |
//! | `declared` | answers that are asked for before the function is called: `#[ask(..)]` |
//! | `live` | questions that are out, until their answers come (handshake revisions) |
//! | `journal`, `replay`, `step` | what is known from earlier rounds, one run against it, effects that run once |
//! | `drive` | runs a handler until it answers or has to ask |
//! | `retry` | a call that comes again with answers |
//! | `round`, `hand`, `by_hand` | the explicit form, for those who drive rounds themselves |
//! | `pause` | the time spent on waiting for people, which counts against no limit |
//! | `state` | the journal, sealed and kept |
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>.

mod able;
mod asking;
pub(crate) mod by_hand;
mod ctx;
mod declared;
pub(crate) mod drive;
mod elicited;
pub(crate) mod error;
mod hand;
mod journal;
mod known;
pub(crate) mod live;
pub(crate) mod origin;
pub(crate) mod pause;
mod question;
pub(crate) mod replay;
pub(crate) mod retry;
mod roots;
mod round;
mod sample;
pub mod state;
mod step;
mod visit;
mod visits;

pub use asking::Asking;
pub use declared::Ask;
pub use elicited::Elicited;
pub use error::AskError;
pub use live::Unanswered;
pub use question::Question;
pub use roots::Roots;
pub use round::{NextRound, Round};
pub use sample::Sample;
pub use visit::Visit;
