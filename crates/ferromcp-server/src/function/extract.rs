//! The extractors that every function may take: state, context, all arguments, extensions.

use std::any::type_name;
use std::ops::{Deref, DerefMut};

use ferromcp_core::Error;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::invocation::Invocation;
use super::param::{FromCtx, Needs};
use super::refusal::Refusal;
use super::whole;
use crate::call::Peer;
use crate::ctx::Ctx;

/// State of type `T`, given by `.state(..)` or a lifespan. A clone of it, so wrap what is large in an `Arc`.
///
/// A server whose functions need state that nobody gave refuses to start, naming both.
#[derive(Debug, Clone, Copy)]
pub struct State<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromCtx for State<T> {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Refusal> {
        match invocation.state::<T>() {
            Some(value) => Ok(Self(value.clone())),
            None => Err(Error::internal(format!(
                "no state of type `{}` was given; that of a lifespan is there while the server serves or is open",
                type_name::<T>()
            ))
            .into()),
        }
    }

    fn needs(needs: &mut Needs<'_>) {
        needs.state::<T>();
    }
}

impl<T> Deref for State<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for State<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// All arguments together, as one struct whose fields are the arguments.
#[derive(Debug, Clone, Copy)]
pub struct Args<T>(pub T);

impl<T: DeserializeOwned + JsonSchema + Send + 'static> FromCtx for Args<T> {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Refusal> {
        let arguments = invocation.arguments();
        whole::read(&arguments)
            .map(Self)
            .map_err(|(path, words)| Refusal::argument(if path == "." { words } else { format!("`{path}`: {words}") }))
    }

    fn needs(needs: &mut Needs<'_>) {
        needs.arguments::<T>();
    }
}

/// What middleware left in the call's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Extension<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromCtx for Extension<T> {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Refusal> {
        match invocation.extensions().get::<T>() {
            Some(value) => Ok(Self(value.clone())),
            None => Err(Error::internal(format!("no middleware left a `{}`", type_name::<T>())).into()),
        }
    }
}

impl FromCtx for Ctx {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Refusal> {
        Ok(invocation.ctx())
    }
}

impl FromCtx for Peer {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Refusal> {
        Ok(invocation.peer().clone())
    }
}
