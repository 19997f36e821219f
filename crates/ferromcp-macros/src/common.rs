//! Options shared by tools, resources and prompts: title, description, icons, constructor.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Error, Expr, ExprLit, Ident, Lit, Path, Result};

use crate::{function::Function, options::Options};

/// The options of all kinds except completions.
pub(crate) struct Common {
    /// The constructor: `new`, `sync` or `blocking`.
    pub(crate) constructor: Ident,
    /// The method calls `.title("…").describe("…").icon(…).args([…])`; absent options are omitted.
    pub(crate) calls: TokenStream,
}

impl Common {
    pub(crate) fn take(krate: &Path, options: &mut Options, function: &Function) -> Result<Self> {
        let constructor = constructor(options, function)?;
        let title = options.text("title")?.into_iter();
        let description = options.text("description")?.map(|text| quote!(#text));
        let description = description.or_else(|| function.description.clone()).into_iter();
        let icons = options.texts("icon")?;
        let scopes = options.expr("scopes")?.map(check_scopes).transpose()?.into_iter();
        let args = function.args(krate);
        let calls = quote! {
            #(.title(#title))*
            #(.describe(#description))*
            #(.icon(#krate::model::Icon::new(#icons)))*
            #(.scopes(#scopes))*
            #args
        };
        Ok(Self { constructor, calls })
    }
}

/// Checks the literals of `scopes = ["…"]`. The server validates other expressions at startup.
fn check_scopes(scopes: Expr) -> Result<Expr> {
    let list = match &scopes {
        Expr::Array(list) => &list.elems,
        Expr::Lit(literal) => {
            return Err(Error::new_spanned(literal, "`scopes` requires a list: write `scopes = [\"…\"]`"));
        }
        _ => return Ok(scopes),
    };
    if list.is_empty() {
        return Err(Error::new_spanned(&scopes, "`scopes` is empty: add a scope, or drop the option"));
    }
    let is_valid =
        |scope: &str| !scope.is_empty() && scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    for scope in list {
        match scope {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if is_valid(&text.value()) => {}
            Expr::Lit(other) => {
                let message =
                    "invalid scope: use a string of printable ASCII characters except spaces, quotes and backslashes";
                return Err(Error::new_spanned(other, message));
            }
            _ => {}
        }
    }
    Ok(scopes)
}

fn constructor(options: &mut Options, function: &Function) -> Result<Ident> {
    let span = options.span_of("blocking");
    let blocking = options.flag("blocking")?.unwrap_or(false);
    if function.has_ask_params() {
        return match (span, blocking) {
            (Some(span), true) => Err(Error::new(
                span,
                "a function with `#[ask]` parameters cannot be `blocking`: make it `async`, and use `spawn_blocking` inside",
            )),
            _ => Ok(format_ident!("new")),
        };
    }
    match (function.is_async, blocking) {
        (true, true) => Err(Error::new(
            span.unwrap_or_else(|| function.ident.span()),
            "`blocking` cannot be used on an `async fn`: drop one of the two",
        )),
        (true, false) => Ok(format_ident!("new")),
        (false, true) => Ok(format_ident!("blocking")),
        (false, false) => Ok(format_ident!("sync")),
    }
}
