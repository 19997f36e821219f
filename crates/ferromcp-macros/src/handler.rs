//! The function as a builder takes it, and the check of its parameters' types.
//!
//! A parameter of a wrong type should give one error, at the parameter. The check alone gives that one, but the builder
//! would complain too, of the function as a whole. So the closure's first parameter is written as the items of an array
//! as long as a constant says, and the check stands in that constant: if it fails, the compiler knows the type to be in
//! error already, and says no more.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Ident, Path};

use crate::function::Function;

pub(crate) struct Handler {
    /// Items and statements that stand before the builder.
    pub(crate) checks: TokenStream,
    /// What is called: a path or closure.
    pub(crate) call: TokenStream,
}

impl Handler {
    /// A free function.
    pub(crate) fn free(krate: &Path, function: &Function) -> Self {
        let ident = &function.ident;
        Self { checks: check(krate, function), call: call(function, &quote!(#ident), true) }
    }

    /// A method, or a function beside it; `generic` says whether its `impl` has type parameters.
    pub(crate) fn method(krate: &Path, function: &Function, generic: bool) -> Self {
        let ident = &function.ident;
        // Constants see neither the type parameters around them nor `Self`.
        let plain = generic || function.params.iter().any(|param| mentions_self(param.ty.to_token_stream()));
        let checks = if plain { check_in_place(krate, function) } else { check(krate, function) };
        let call =
            if function.has_self { with_self(function, !plain) } else { call(function, &quote!(Self::#ident), !plain) };
        Self { checks, call }
    }
}

/// `|a0: A, a1: B| function(a0, a1)`
fn call(function: &Function, path: &TokenStream, checked: bool) -> TokenStream {
    if function.params.is_empty() {
        return path.clone();
    }
    let names = names(function);
    let types = types(function, checked);
    quote_spanned!(span(function)=> |#(#names: #types),*| #path(#(#names),*))
}

/// The method as a function of its parameters, holding on to the component.
fn with_self(function: &Function, checked: bool) -> TokenStream {
    let ident = &function.ident;
    let names = names(function);
    let types = types(function, checked);
    let span = span(function);
    let this = Ident::new("this", Span::mixed_site());
    let call = if function.is_async {
        quote_spanned!(span=> {
            let #this = ::std::sync::Arc::clone(&#this);
            async move { Self::#ident(&#this #(, #names)*).await }
        })
    } else {
        quote_spanned!(span=> Self::#ident(&#this #(, #names)*))
    };
    let closure = quote_spanned!(span=> move |#(#names: #types),*| #call);
    quote!({
        let #this = ::std::sync::Arc::clone(&self);
        #closure
    })
}

fn check(krate: &Path, function: &Function) -> TokenStream {
    if function.params.is_empty() {
        return TokenStream::new();
    }
    let checks = check_lines(krate, function);
    quote!(const PARAMETERS_CHECKED: usize = { #checks 0 };)
}

fn check_in_place(krate: &Path, function: &Function) -> TokenStream {
    if function.params.is_empty() {
        return TokenStream::new();
    }
    let checks = check_lines(krate, function);
    quote!({ #checks })
}

fn check_lines(krate: &Path, function: &Function) -> TokenStream {
    let checks = function.params.iter().map(crate::param::Param::check);
    quote! {
        const fn parameter<T: #krate::server::Param<M>, M>() {}
        #(#checks)*
    }
}

fn types(function: &Function, checked: bool) -> Vec<TokenStream> {
    let types = function.params.iter().map(|param| param.ty.to_token_stream());
    let first = |(at, ty)| match at {
        0 if checked => quote!(<[#ty; PARAMETERS_CHECKED] as ::std::iter::IntoIterator>::Item),
        _ => ty,
    };
    types.enumerate().map(first).collect()
}

fn names(function: &Function) -> Vec<Ident> {
    (0..function.params.len()).map(|at| format_ident!("a{at}", span = Span::mixed_site())).collect()
}

/// What is wrong with the closure is wrong with what the function returns.
fn span(function: &Function) -> Span {
    Span::mixed_site().located_at(function.output_span)
}

fn mentions_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions_self(group.stream()),
        TokenTree::Ident(ident) => ident == "Self",
        _ => false,
    })
}
