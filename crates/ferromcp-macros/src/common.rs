//! Options shared by tools, resources and prompts: title, description, icons, constructor.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Error, Ident, Path, Result};

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
        let args = function.args(krate);
        let calls = quote! {
            #(.title(#title))*
            #(.describe(#description))*
            #(.icon(#krate::model::Icon::new(#icons)))*
            #args
        };
        Ok(Self { constructor, calls })
    }
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
