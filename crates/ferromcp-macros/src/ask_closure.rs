//! The body of the closure around a function whose parameters are asked for.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, Path, spanned::Spanned};

use crate::{ask::argument_ident, function::Function, param::Param};

/// The body of a closure that asks for what is to be asked, then makes `call`.
pub(crate) fn body(krate: &Path, function: &Function, ctx: &Ident, call: &TokenStream) -> TokenStream {
    let lets = function.params.iter().enumerate().map(|(place, param)| let_one(krate, place, param, ctx));
    let wait = function.is_async.then(|| quote!(.await));
    quote! {
        async move {
            #(#lets)*
            ::std::result::Result::<_, #krate::server::ToolError>::Ok(#call #wait)
        }
    }
}

/// Binds one parameter by its own name, so that later questions see it.
fn let_one(krate: &Path, place: usize, param: &Param, ctx: &Ident) -> TokenStream {
    let name = name(place, param);
    let Some(ask) = &param.ask else {
        let given = argument_ident(place);
        return quote!(let #name = #given;);
    };
    let ty = &param.ty;
    quote_spanned! {ask.span()=>
        let #name: #ty = #krate::server::Ask::<#ty>::from(#ask).resolve(&#ctx).await?;
    }
}

/// What the call passes for a parameter.
pub(crate) fn name(place: usize, param: &Param) -> Ident {
    param.ident.clone().unwrap_or_else(|| argument_ident(place))
}
