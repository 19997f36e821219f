//! The context of a call before its function runs, for extractors.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;

use super::text_value::TextValue;
use crate::call::{Extensions, Peer};
use crate::ctx::{CallContext, Ctx};
use crate::state::States;

/// The context of one call, from which extractors take their values.
pub struct Invocation<'a> {
    context: CallContext<'a>,
    input: Input<'a>,
    ctx: OnceCell<Ctx>,
    states: OnceCell<Arc<States>>,
}

/// The arguments of the call.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// A JSON object, as text.
    Json(&'a str),
    /// Named texts.
    Texts(&'a [(Cow<'a, str>, TextValue<'a>)]),
}

impl<'a> Invocation<'a> {
    pub(crate) fn new(context: CallContext<'a>, input: Input<'a>) -> Self {
        Self { context, input, ctx: OnceCell::new(), states: OnceCell::new() }
    }

    /// Returns the client that sent the request.
    pub fn peer(&self) -> &Peer {
        self.context.peer
    }

    /// Returns the extensions that middleware inserted.
    pub fn extensions(&self) -> &Extensions {
        self.context.extensions
    }

    /// Returns the state of type `T`, or `None` if there is no such state.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.states.get_or_init(|| self.context.server.states()).get()
    }

    /// Returns the [`Ctx`] of this call; created on first use.
    pub fn ctx(&self) -> Ctx {
        self.ctx.get_or_init(|| Ctx::new(self.context)).clone()
    }

    /// Returns the arguments as a JSON object. Named texts become an object of strings.
    pub(crate) fn arguments(&self) -> Cow<'_, str> {
        match self.input {
            Input::Json(json) => json.into(),
            Input::Texts(texts) => {
                let object: serde_json::Map<String, serde_json::Value> = texts
                    .iter()
                    .map(|(name, value)| {
                        let value = match value {
                            TextValue::One(text) => text.to_string().into(),
                            TextValue::Many(list) => list.iter().map(ToString::to_string).collect::<Vec<_>>().into(),
                        };
                        (name.to_string(), value)
                    })
                    .collect();
                serde_json::Value::from(object).to_string().into()
            }
        }
    }

    pub(crate) fn input(&self) -> Input<'a> {
        self.input
    }

    /// Returns true if JSON values inside strings are accepted.
    pub(crate) fn is_lenient(&self) -> bool {
        self.context.server.lenient
    }

    /// Returns the [`Ctx`] if it was created.
    pub(crate) fn made(&self) -> Option<Ctx> {
        self.ctx.get().cloned()
    }

    /// Returns the [`Ctx`] of a non-async function if it was created. Such a function cannot await responses.
    pub(crate) fn made_plain(&self) -> Option<Ctx> {
        self.made().inspect(Ctx::is_plain)
    }
}

impl fmt::Debug for Invocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation").field("peer", self.context.peer).finish_non_exhaustive()
    }
}
