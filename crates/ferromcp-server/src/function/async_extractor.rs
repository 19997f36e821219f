//! [`AsyncFromCtx`]: extractors that await something, such as a database or an HTTP request.

use std::future::Future;

use serde::de::{IgnoredAny, MapAccess};

use super::arg::Arg;
use super::extracted::Extracted;
use super::invocation::Invocation;
use super::mismatch::Mismatch;
use super::param::{Param, Requirements};
use super::rejection::Rejection;
use super::signature::Parameter;
use crate::ctx::Ctx;
use crate::tool_error::ToolError;

/// An async extractor: a parameter whose value is awaited before the function is called.
///
/// Functions of every kind can take one, also non-async functions. All arguments are validated first. Then the async extractors
/// run one after another, in the order of the parameters. Functions without async extractors are not affected.
///
/// An extractor can use everything that [`Ctx`] provides: state, extensions, the client's identity, requests to the client. On
/// 2026-07-28, it runs again in each round of a multi-round-trip request, as the function does.
///
/// ```
/// use ferromcp_server::{AsyncFromCtx, Ctx, Requirements, Tool, ToolError};
/// # #[derive(Clone)]
/// # struct Db;
/// # impl Db {
/// #     async fn user(&self, _name: &str) -> Result<Option<User>, std::io::Error> { Ok(Some(User { name: "Ada".into() })) }
/// # }
///
/// struct User {
///     name: String,
/// }
///
/// impl AsyncFromCtx for User {
///     async fn from_ctx(ctx: &Ctx) -> Result<Self, ToolError> {
///         let db = ctx.state::<Db>().ok_or_else(|| ToolError::new("there is no database"))?;
///         let name = ctx.identity().ok_or_else(|| ToolError::new("sign in first"))?;
///         db.user(name).await?.ok_or_else(|| ToolError::new("the user does not exist"))
///     }
///
///     fn requirements(requirements: &mut Requirements<'_>) {
///         requirements.state::<Db>();
///     }
/// }
///
/// let tool = Tool::new("greet", |user: User| async move { format!("Hello, {}!", user.name) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an async extractor",
    note = "an async extractor implements `ferromcp::server::AsyncFromCtx`"
)]
pub trait AsyncFromCtx: Sized + Send + 'static {
    /// Extracts the value.
    ///
    /// # Errors
    /// Returns an error if the value is unavailable. The function is then not called, and the error is reported as an error of
    /// the function: a tool's to the model, others to the client.
    fn from_ctx(ctx: &Ctx) -> impl Future<Output = Result<Self, ToolError>> + Send;

    /// Declares the requirements of the extractor. A server that does not meet them fails to build.
    fn requirements(requirements: &mut Requirements<'_>) {
        let _ = requirements;
    }
}

/// Marker of parameters that are async extractors.
#[derive(Debug, Clone, Copy)]
pub enum AsyncExtractor {}

impl<T: AsyncFromCtx> Param<AsyncExtractor> for T {
    type Slot = ();

    fn declare(parameter: &mut Parameter) {
        T::requirements(&mut Requirements(parameter));
    }

    fn deserialize_arg<'de, A: MapAccess<'de>>((): &mut (), map: &mut A) -> Result<(), A::Error> {
        map.next_value::<IgnoredAny>().map(drop)
    }

    fn deserialize_json((): &mut (), _: &str) -> Result<(), Mismatch> {
        Ok(())
    }

    fn check((): &(), _: &Arg, _: &Invocation<'_>) -> Option<String> {
        None
    }

    fn finish((): (), _: &Arg, invocation: &Invocation<'_>) -> Result<Extracted<Self>, Rejection> {
        let ctx = invocation.ctx();
        Ok(Extracted::Pending(Box::pin(async move { T::from_ctx(&ctx).await })))
    }
}

/// An extractor of either kind. The marker `M` is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an extractor, and its parameter has no name",
    label = "an argument requires a name",
    note = "write `name: {Self}` and destructure it in the function, or add `#[arg(name = \"…\")]`",
    note = "to take the fields of a struct as the arguments, write `Args(…): Args<{Self}>`",
    note = "an extractor implements `ferromcp::server::FromCtx`"
)]
pub trait AnyExtractor<M>: Param<M> {}

impl<T: super::FromCtx> AnyExtractor<super::param::Extractor> for T {}

impl<T: AsyncFromCtx> AnyExtractor<AsyncExtractor> for T {}

/// An extractor of a function that also takes `Args`. The marker `M` is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is an argument, but `Args` already takes all arguments",
    label = "make it a field of the struct in `Args`",
    note = "the other parameters of a function with `Args<T>` are extractors, like `Ctx` and `State<T>`"
)]
pub trait ExtractorWithArgs<M>: Param<M> {}

impl<T: super::FromCtx> ExtractorWithArgs<super::param::Extractor> for T {}

impl<T: AsyncFromCtx> ExtractorWithArgs<AsyncExtractor> for T {}
