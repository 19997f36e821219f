//! The context in which a function is about to be called, borrowed from the call.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;

use super::text_value::TextValue;
use crate::call::{Extensions, Peer};
use crate::ctx::Ctx;
use crate::engine::{Engine, Scene};
use crate::state::States;

/// The context of one call, as extractors see it.
pub struct Invocation<'a> {
    engine: &'a Arc<dyn Engine>,
    scene: Scene<'a>,
    input: Input<'a>,
    ctx: OnceCell<Ctx>,
    states: OnceCell<Arc<States>>,
}

/// Where the arguments are.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// An object of JSON, as text.
    Json(&'a str),
    /// Named texts.
    Texts(&'a [(Cow<'a, str>, TextValue<'a>)]),
}

impl<'a> Invocation<'a> {
    pub(crate) fn new(engine: &'a Arc<dyn Engine>, scene: Scene<'a>, input: Input<'a>) -> Self {
        Self { engine, scene, input, ctx: OnceCell::new(), states: OnceCell::new() }
    }

    /// Who asks.
    pub fn peer(&self) -> &Peer {
        self.scene.peer
    }

    /// What middleware left.
    pub fn extensions(&self) -> &Extensions {
        self.scene.extensions
    }

    /// The state of type `T`.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.states.get_or_init(|| self.engine.states()).get()
    }

    /// The handler's view of this call, made on first use.
    pub fn ctx(&self) -> Ctx {
        self.ctx.get_or_init(|| Ctx::new(self.engine, self.scene)).clone()
    }

    /// The arguments as one JSON object; named texts become an object of strings.
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

    /// Whether a value inside a string may stand for itself.
    pub(crate) fn is_lenient(&self) -> bool {
        self.engine.is_lenient()
    }

    /// The [`Ctx`], if one was made.
    pub(crate) fn made(&self) -> Option<Ctx> {
        self.ctx.get().cloned()
    }

    /// The [`Ctx`] of a plain function, if one was made: it cannot wait for answers.
    pub(crate) fn made_plain(&self) -> Option<Ctx> {
        self.made().inspect(Ctx::is_plain)
    }
}

impl fmt::Debug for Invocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation").field("peer", self.scene.peer).finish_non_exhaustive()
    }
}
