//! The rounds of a multi-round-trip call: the journal of the earlier rounds, and the replay of the handler against it.
//!
//! This is the state that a call and its [`Ctx`](crate::Ctx) carry. `client_requests::mrtr` runs handlers with it.
//!
//! | module | contents |
//! |---|---|
//! | `journal` | responses and effect results of the earlier rounds |
//! | `replay` | one run of a handler against the journal |
//! | `question_kind` | questions as the journal records them |

pub(crate) mod journal;
pub(crate) mod question_kind;
pub(crate) mod replay;
