//! Built-in extractors: state, context, client, principal, all arguments, extensions, rounds.

use std::any::type_name;
use std::ops::{Deref, DerefMut};

use ferromcp_core::Error;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::bind_each;
use super::invocation::Invocation;
use super::param::{FromCtx, Requirements};
use super::rejection::Rejection;
use crate::call::Peer;
use crate::client_requests::Round;
use crate::ctx::Ctx;
use crate::principal::Principal;

/// Extracts a clone of the state of type `T`, set with `.state(..)` or returned from a lifespan. Wrap large state in an
/// `Arc`.
///
/// A server fails to start if a function requires missing state. The error names the function and the type.
#[derive(Debug, Clone, Copy)]
pub struct State<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromCtx for State<T> {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Rejection> {
        match invocation.state::<T>() {
            Some(value) => Ok(Self(value.clone())),
            None => Err(Error::internal(format!(
                "no state of type `{}`; add it with `.state(…)`, or return it from the lifespan (available while the server runs)",
                type_name::<T>()
            ))
            .into()),
        }
    }

    fn requirements(requirements: &mut Requirements<'_>) {
        requirements.state::<T>();
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

/// Extracts all arguments as one struct, whose fields are the arguments.
///
/// The other parameters of the function are extractors: an argument in addition to `Args`, or a second `Args`, is an error when
/// the function compiles or the server starts.
#[derive(Debug, Clone, Copy)]
pub struct Args<T>(pub T);

impl<T: DeserializeOwned + JsonSchema + Send + 'static> FromCtx for Args<T> {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Rejection> {
        bind_each::all(invocation.signature(), invocation.input(), invocation.is_lenient()).map(Self)
    }

    fn requirements(requirements: &mut Requirements<'_>) {
        requirements.arguments::<T>();
    }
}

/// Extracts a clone of an extension that middleware inserted into the call.
///
/// A call without the extension fails. `Option<Extension<T>>` accepts both:
///
/// ```
/// use ferromcp_server::{Extension, Tool};
///
/// #[derive(Clone)]
/// struct Tenant(String);
///
/// let tool = Tool::sync("tenant", |tenant: Option<Extension<Tenant>>| match tenant {
///     Some(Extension(Tenant(name))) => name,
///     None => "no tenant".to_owned(),
/// });
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Extension<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromCtx for Extension<T> {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Rejection> {
        match invocation.extensions().get::<T>() {
            Some(value) => Ok(Self(value.clone())),
            None => {
                Err(Error::internal(format!("no middleware inserted an extension of type `{}`", type_name::<T>()))
                    .into())
            }
        }
    }
}

/// Extracts the extension, or `None` if no middleware inserted one.
impl<T: Clone + Send + Sync + 'static> FromCtx for Option<Extension<T>> {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Rejection> {
        Ok(invocation.extensions().get::<T>().cloned().map(Extension))
    }
}

impl FromCtx for Ctx {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Rejection> {
        Ok(invocation.ctx())
    }
}

impl FromCtx for Peer {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Rejection> {
        Ok(invocation.peer().clone())
    }
}

/// Extracts the authenticated principal. A call without one fails.
impl FromCtx for Principal {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Rejection> {
        invocation.peer().principal().cloned().ok_or_else(|| {
            Error::internal(
                "the call has no principal; add an authorization to the HTTP endpoint, or extract `Option<Principal>`",
            )
            .into()
        })
    }
}

/// Extracts the authenticated principal, or `None` on stdio and at an endpoint without authorization.
impl FromCtx for Option<Principal> {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Rejection> {
        Ok(invocation.peer().principal().cloned())
    }
}

impl FromCtx for Round {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Rejection> {
        Ok(Self::new(invocation.ctx()))
    }

    fn requirements(requirements: &mut Requirements<'_>) {
        requirements.rounds();
    }
}
