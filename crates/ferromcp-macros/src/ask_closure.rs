//! The closure around a function with `#[ask]` parameters.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, Path, spanned::Spanned};

use crate::{ask::argument_ident, function::Function, param::Param};

/// Returns the body of a closure that resolves the `#[ask]` parameters, then evaluates `call`.
pub(crate) fn body(krate: &Path, function: &Function, ctx: &Ident, call: &TokenStream) -> TokenStream {
    let bindings = function.params.iter().enumerate().map(|(index, param)| bind_param(krate, index, param, ctx));
    let dot_await = function.is_async.then(|| quote!(.await));
    quote! {
        async move {
            #(#bindings)*
            ::std::result::Result::<_, #krate::server::ToolError>::Ok(#call #dot_await)
        }
    }
}

/// Binds one parameter by name, so that later questions can use it.
fn bind_param(krate: &Path, index: usize, param: &Param, ctx: &Ident) -> TokenStream {
    let name = binding(index, param);
    let Some(ask) = &param.ask else {
        let argument = argument_ident(index);
        return quote!(let #name = #argument;);
    };
    let ty = &param.ty;
    quote_spanned! {ask.span()=>
        let #name: #ty = #krate::server::Ask::<#ty>::from(#ask).resolve(&#ctx).await?;
    }
}

/// Returns the identifier that the call passes for a parameter.
pub(crate) fn binding(index: usize, param: &Param) -> Ident {
    param.ident.clone().unwrap_or_else(|| argument_ident(index))
}
