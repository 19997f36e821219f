//! Functions of any parameters, as something that can be called by name with text.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::task::{JoinError, JoinHandle};

use super::arg::Arg;
use super::bind::{bind, signature};
use super::extracted::Extracted;
use super::invocation::Invocation;
use super::param::ParamList;
use super::rejection::Rejection;
use super::signature::Signature;
use crate::call::Reply;
use crate::client_requests::RoundOutcome;
use crate::client_requests::mrtr::drive::{drive, reply_of, reply_without_context};
use crate::ctx::Ctx;
use crate::maybe_ready::MaybeReady;
use crate::tool_error::ToolError;

/// A handler function with up to 12 parameters. The marker `M` is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be called with arguments",
    note = "`new` takes an `async fn`, `sync` and `blocking` a non-async `fn`; closures need explicit parameter types",
    note = "each of at most 12 parameters is an argument (`Deserialize + JsonSchema`, owned) or an extractor (`FromCtx`)"
)]
pub trait Function<M>: Send + Sync + 'static {
    /// The return type of the function, or the output of its future.
    type Output;

    #[doc(hidden)]
    fn signature(args: &[Arg]) -> Result<Signature, String>;

    /// Binds the parameters and starts the call; `finish` converts the output, or the error of an async extractor, into the reply
    /// or the next round.
    #[doc(hidden)]
    fn start<O>(&self, signature: &Signature, invocation: &Invocation<'_>, finish: O) -> Result<StartedCall, Rejection>
    where
        O: FnOnce(Result<Self::Output, ToolError>) -> RoundOutcome<Reply> + Send + 'static;
}

/// A started call; opaque outside the crate.
#[doc(hidden)]
#[allow(missing_debug_implementations, reason = "holds a future")]
pub struct StartedCall(pub(crate) MaybeReady);

/// An `async fn`.
#[derive(Debug)]
pub struct Async<F>(pub Arc<F>);

/// A non-async `fn` that returns within microseconds; runs inline, on the task that reads requests.
#[derive(Debug)]
pub struct Inline<F>(pub Arc<F>);

/// A non-async `fn` that runs on the blocking thread pool of the runtime.
#[derive(Debug)]
pub struct Blocking<F>(pub Arc<F>);

/// A call on the blocking thread pool. Cancelled on drop if no thread has started it yet.
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

/// Runs a non-async function on the blocking thread pool. Its panics are propagated.
async fn run_on_pool<R: Send + 'static>(function: impl FnOnce() -> R + Send + 'static) -> Result<R, ToolError> {
    match OnPool(tokio::task::spawn_blocking(function)).await {
        Ok(output) => Ok(output),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Err(ferromcp_core::Error::internal("the runtime is shutting down").into()),
        },
    }
}

/// Returns the future of a call. With a context, it is driven so that the handler can send requests to the client.
pub(crate) fn spawn_driver<R: 'static>(
    ctx: Option<Ctx>,
    future: impl Future<Output = R> + Send + 'static,
    finish: impl FnOnce(R) -> RoundOutcome<Reply> + Send + 'static,
) -> MaybeReady {
    MaybeReady::Pending(match ctx {
        None => Box::pin(async move { reply_without_context(finish(future.await)) }),
        Some(ctx) => Box::pin(drive(ctx, future, finish)),
    })
}

/// Returns the reply of a non-async function.
fn finish_sync(ctx: Option<&Ctx>, outcome: RoundOutcome<Reply>) -> MaybeReady {
    match (ctx, outcome) {
        (Some(ctx), outcome @ RoundOutcome::InputRequired(_)) => {
            let ctx = ctx.clone();
            MaybeReady::Pending(Box::pin(async move { reply_of(&ctx, outcome).await }))
        }
        (_, outcome) => MaybeReady::Ready(reply_without_context(outcome)),
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

            fn start<O>(&self, signature: &Signature, invocation: &Invocation<'_>, finish: O) -> Result<StartedCall, Rejection>
            where
                O: FnOnce(Result<R, ToolError>) -> RoundOutcome<Reply> + Send + 'static,
            {
                let extracted = bind::<($($P,)*), ($($M,)*)>(signature, invocation)?;
                let ctx = invocation.made();
                Ok(StartedCall(match extracted {
                    Extracted::Ready(($($p,)*)) => spawn_driver(ctx, (self.0)($($p),*), move |output| finish(Ok(output))),
                    Extracted::Pending(parameters) => {
                        let function = Arc::clone(&self.0);
                        let future = async move {
                            let ($($p,)*) = parameters.await?;
                            Ok(function($($p),*).await)
                        };
                        spawn_driver(ctx, future, finish)
                    }
                }))
            }
        }

        #[allow(non_snake_case, reason = "one macro for every number of parameters")]
        impl<F, R, $($P, $M,)*> Function<(($($P,)*), ($($M,)*))> for Inline<F>
        where
            F: Fn($($P),*) -> R + Send + Sync + 'static,
            R: 'static,
            ($($P,)*): ParamList<($($M,)*)>,
        {
            type Output = R;

            fn signature(args: &[Arg]) -> Result<Signature, String> {
                signature::<($($P,)*), ($($M,)*)>(args)
            }

            fn start<O>(&self, signature: &Signature, invocation: &Invocation<'_>, finish: O) -> Result<StartedCall, Rejection>
            where
                O: FnOnce(Result<R, ToolError>) -> RoundOutcome<Reply> + Send + 'static,
            {
                let extracted = bind::<($($P,)*), ($($M,)*)>(signature, invocation)?;
                Ok(StartedCall(match extracted {
                    Extracted::Ready(($($p,)*)) => {
                        let ctx = invocation.made_plain();
                        let _guard = ctx.as_ref().map(Ctx::guard);
                        finish_sync(ctx.as_ref(), finish(Ok((self.0)($($p),*))))
                    }
                    Extracted::Pending(parameters) => {
                        let function = Arc::clone(&self.0);
                        let ctx = invocation.made();
                        let plain = ctx.clone();
                        let future = async move {
                            let ($($p,)*) = parameters.await?;
                            plain.as_ref().inspect(|ctx| ctx.is_plain());
                            Ok(function($($p),*))
                        };
                        spawn_driver(ctx, future, finish)
                    }
                }))
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

            fn start<O>(&self, signature: &Signature, invocation: &Invocation<'_>, finish: O) -> Result<StartedCall, Rejection>
            where
                O: FnOnce(Result<R, ToolError>) -> RoundOutcome<Reply> + Send + 'static,
            {
                let extracted = bind::<($($P,)*), ($($M,)*)>(signature, invocation)?;
                let function = Arc::clone(&self.0);
                Ok(StartedCall(match extracted {
                    Extracted::Ready(($($p,)*)) => {
                        let ctx = invocation.made_plain();
                        MaybeReady::Pending(Box::pin(async move {
                            let _guard = ctx.as_ref().map(Ctx::guard);
                            let output = run_on_pool(move || function($($p),*)).await;
                            finish_sync(ctx.as_ref(), finish(output)).finish().await
                        }))
                    }
                    Extracted::Pending(parameters) => {
                        let ctx = invocation.made();
                        let plain = ctx.clone();
                        let future = async move {
                            let ($($p,)*) = parameters.await?;
                            plain.as_ref().inspect(|ctx| ctx.is_plain());
                            run_on_pool(move || function($($p),*)).await
                        };
                        spawn_driver(ctx, future, finish)
                    }
                }))
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
