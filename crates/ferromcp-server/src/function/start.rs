//! Functions of any parameters, as something that can be called by name with text.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::task::{JoinError, JoinHandle};

use super::arg::Arg;
use super::fill::{fill, signature};
use super::invocation::Invocation;
use super::param::ParamList;
use super::refusal::Refusal;
use super::signature::Signature;
use crate::client_requests::mrtr::drive::{drive, suspend_if_input_required};
use crate::call::Reply;
use crate::ctx::Ctx;
use crate::started::Started;

/// A function whose parameters are known by `M`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be called with arguments",
    note = "`new` takes an `async fn`, `sync` and `blocking` a plain one; closures state the types of their parameters",
    note = "each of at most 12 parameters is an argument (`Deserialize + JsonSchema`, owned) or an extractor (`FromCtx`)"
)]
pub trait Function<M>: Send + Sync + 'static {
    /// What it returns, or its future yields.
    type Output;

    #[doc(hidden)]
    fn signature(args: &[Arg]) -> Result<Signature, String>;

    /// Fills the parameters and begins the call; `finish` makes the reply of what is returned.
    #[doc(hidden)]
    fn start<O>(&self, signature: &Signature, invocation: &Invocation<'_>, finish: O) -> Result<Begun, Refusal>
    where
        O: FnOnce(Self::Output) -> Reply + Send + 'static;
}

/// A call that has begun, opaque outside.
#[doc(hidden)]
#[allow(missing_debug_implementations, reason = "holds a future")]
pub struct Begun(pub(crate) Started);

/// An `async fn`.
#[derive(Debug, Clone, Copy)]
pub struct Async<F>(pub F);

/// A plain `fn`, called where the request is read: for what takes microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Inline<F>(pub F);

/// A plain `fn`, called on the runtime's pool for blocking work.
#[derive(Debug)]
pub struct Blocking<F>(pub Arc<F>);

/// A call on the pool for blocking work. Dropped while it still waits for a thread, it is never made.
struct OnPool<R>(JoinHandle<R>);

impl<R> Future for OnPool<R> {
    type Output = Result<R, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<R> Drop for OnPool<R> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A call under way. Only a handler with a context can ask, so only that one is looked after.
pub(crate) fn begun<R: 'static>(
    ctx: Option<Ctx>,
    future: impl Future<Output = R> + Send + 'static,
    finish: impl FnOnce(R) -> Reply + Send + 'static,
) -> Started {
    Started::Pending(match ctx {
        None => Box::pin(async move { finish(future.await) }),
        Some(ctx) => Box::pin(drive(ctx, future, finish)),
    })
}

/// The reply of a plain function, which may have asked by hand.
fn answered(ctx: Option<&Ctx>, reply: Reply) -> Started {
    match (ctx, &reply) {
        (Some(ctx), Reply::NeedsInput(_)) => {
            let ctx = ctx.clone();
            Started::Pending(Box::pin(async move { suspend_if_input_required(&ctx, reply).await }))
        }
        _ => Started::Ready(reply),
    }
}

macro_rules! function {
    ($($P:ident $M:ident $p:ident),*) => {
        #[allow(non_snake_case, unused_parens, reason = "one macro for every number of parameters")]
        impl<F, Fut, R, $($P, $M,)*> Function<(Fut, ($($P,)*), ($($M,)*))> for Async<F>
        where
            F: Fn($($P),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = R> + Send + 'static,
            R: 'static,
            ($($P,)*): ParamList<($($M,)*)>,
        {
            type Output = R;

            fn signature(args: &[Arg]) -> Result<Signature, String> {
                signature::<($($P,)*), ($($M,)*)>(args)
            }

            fn start<O>(&self, signature: &Signature, invocation: &Invocation<'_>, finish: O) -> Result<Begun, Refusal>
            where
                O: FnOnce(R) -> Reply + Send + 'static,
            {
                let ($($p,)*) = fill::<($($P,)*), ($($M,)*)>(signature, invocation)?;
                let ctx = invocation.made();
                let future = (self.0)($($p),*);
                Ok(Begun(begun(ctx, future, finish)))
            }
        }

        #[allow(non_snake_case, reason = "one macro for every number of parameters")]
        impl<F, R, $($P, $M,)*> Function<(($($P,)*), ($($M,)*))> for Inline<F>
        where
            F: Fn($($P),*) -> R + Send + Sync + 'static,
            ($($P,)*): ParamList<($($M,)*)>,
        {
            type Output = R;

            fn signature(args: &[Arg]) -> Result<Signature, String> {
                signature::<($($P,)*), ($($M,)*)>(args)
            }

            fn start<O>(&self, signature: &Signature, invocation: &Invocation<'_>, finish: O) -> Result<Begun, Refusal>
            where
                O: FnOnce(R) -> Reply + Send + 'static,
            {
                let ($($p,)*) = fill::<($($P,)*), ($($M,)*)>(signature, invocation)?;
                let ctx = invocation.made_plain();
                let _guard = ctx.as_ref().map(Ctx::guard);
                Ok(Begun(answered(ctx.as_ref(), finish((self.0)($($p),*)))))
            }
        }

        #[allow(non_snake_case, reason = "one macro for every number of parameters")]
        impl<F, R, $($P, $M,)*> Function<(($($P,)*), ($($M,)*))> for Blocking<F>
        where
            F: Fn($($P),*) -> R + Send + Sync + 'static,
            R: Send + 'static,
            $($P: Send + 'static,)*
            ($($P,)*): ParamList<($($M,)*)>,
        {
            type Output = R;

            fn signature(args: &[Arg]) -> Result<Signature, String> {
                signature::<($($P,)*), ($($M,)*)>(args)
            }

            fn start<O>(&self, signature: &Signature, invocation: &Invocation<'_>, finish: O) -> Result<Begun, Refusal>
            where
                O: FnOnce(R) -> Reply + Send + 'static,
            {
                let ($($p,)*) = fill::<($($P,)*), ($($M,)*)>(signature, invocation)?;
                let ctx = invocation.made_plain();
                let function = Arc::clone(&self.0);
                Ok(Begun(Started::Pending(Box::pin(async move {
                    let _guard = ctx.as_ref().map(Ctx::guard);
                    match OnPool(tokio::task::spawn_blocking(move || function($($p),*))).await {
                        Ok(output) => answered(ctx.as_ref(), finish(output)).finish().await,
                        Err(error) => match error.try_into_panic() {
                            Ok(panic) => resume_unwind(panic),
                            Err(_) => Reply::Failed(ferromcp_core::Error::internal("the runtime is shutting down")),
                        },
                    }
                }))))
            }
        }
    };
}

function!();
function!(A MA a);
function!(A MA a, B MB b);
function!(A MA a, B MB b, C MC c);
function!(A MA a, B MB b, C MC c, D MD d);
function!(A MA a, B MB b, C MC c, D MD d, E ME e);
function!(A MA a, B MB b, C MC c, D MD d, E ME e, G MG g);
function!(A MA a, B MB b, C MC c, D MD d, E ME e, G MG g, H MH h);
function!(A MA a, B MB b, C MC c, D MD d, E ME e, G MG g, H MH h, I MI i);
function!(A MA a, B MB b, C MC c, D MD d, E ME e, G MG g, H MH h, I MI i, J MJ j);
function!(A MA a, B MB b, C MC c, D MD d, E ME e, G MG g, H MH h, I MI i, J MJ j, K MK k);
function!(A MA a, B MB b, C MC c, D MD d, E ME e, G MG g, H MH h, I MI i, J MJ j, K MK k, L ML l);
function!(A MA a, B MB b, C MC c, D MD d, E ME e, G MG g, H MH h, I MI i, J MJ j, K MK k, L ML l, N MN n);
