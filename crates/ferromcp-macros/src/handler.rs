//! The function as a builder takes it, and the checks of its types.
//!
//! A parameter of a wrong type should give one error, at the parameter; a future that cannot change threads should give
//! the one that says what it holds. The checks give those, but the builder would complain too, of the function as a
//! whole. So the closure's output is written as the items of an array as long as a constant says, and the checks stand in
//! that constant: if they fail, the compiler knows the type to be in error already, and says no more.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Ident, Path, Type};

use crate::{ask::argument_ident, ask_closure, function::Function};

pub(crate) struct Handler {
    /// Items and statements that stand before the builder.
    pub(crate) checks: TokenStream,
    /// The closure that is called.
    pub(crate) call: TokenStream,
}

/// The `impl` block around a method.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    pub(crate) ty: &'a Type,
    /// Whether it has parameters of its own.
    pub(crate) generic: bool,
}

impl Handler {
    /// A free function.
    pub(crate) fn free(krate: &Path, function: &Function) -> Self {
        let ident = function.ident.to_token_stream();
        let checks = constant(&checks(krate, function, &ident));
        let call = closure(krate, function, !checks.is_empty(), &call(function, &ident, None));
        Self { checks, call }
    }

    /// A method, or a function beside it.
    pub(crate) fn method(krate: &Path, function: &Function, block: Block<'_>) -> Self {
        let Block { ty, generic } = block;
        let ident = &function.ident;
        // Constants see neither the type parameters around them nor `Self`.
        let plain = generic || function.params.iter().any(|param| mentions_self(param.ty.to_token_stream()));
        let checks = if plain {
            checks(krate, function, &quote!(Self::#ident))
        } else {
            constant(&checks(krate, function, &quote!(<#ty>::#ident)))
        };
        let checked = !plain && !checks.is_empty();
        let call = if function.has_self {
            with_self(krate, function, checked)
        } else {
            closure(krate, function, checked, &call(function, &quote!(Self::#ident), None))
        };
        Self { checks, call }
    }
}

/// The method as a function of its parameters, holding on to the component.
fn with_self(krate: &Path, function: &Function, checked: bool) -> TokenStream {
    let ident = &function.ident;
    let span = span(function);
    let this = Ident::new("this", Span::mixed_site());
    let call = call(function, &quote!(Self::#ident), Some(&this));
    let body = if function.asks() {
        let body = ask_closure::body(krate, function, &ctx_ident(), &call);
        quote_spanned! {span=>
            let #this = ::std::sync::Arc::clone(&#this);
            #body
        }
    } else if function.is_async {
        quote_spanned! {span=>
            let #this = ::std::sync::Arc::clone(&#this);
            async move { #call.await }
        }
    } else {
        call
    };
    let closure = wrapped(krate, function, checked, &body);
    // Unlike `this`, the name of `parts`' own parameter.
    let own = Ident::new("self", Span::call_site().located_at(function.output_span));
    quote_spanned! {span=> {
        let #this = ::std::sync::Arc::clone(&#own);
        move #closure
    }}
}

/// `function(&this, a0, a1)`
fn call(function: &Function, path: &TokenStream, this: Option<&Ident>) -> TokenStream {
    let names: Vec<Ident> = if function.asks() {
        function.params.iter().enumerate().map(|(place, param)| ask_closure::name(place, param)).collect()
    } else {
        (0..function.params.len()).map(argument_ident).collect()
    };
    let this = this.into_iter();
    quote_spanned!(span(function)=> #path(#(&#this,)* #(#names),*))
}

/// The function as a closure, which asks first for what is to be asked.
fn closure(krate: &Path, function: &Function, checked: bool, call: &TokenStream) -> TokenStream {
    if function.asks() {
        return wrapped(krate, function, checked, &ask_closure::body(krate, function, &ctx_ident(), call));
    }
    wrapped(krate, function, checked, call)
}

/// `|a0: A, a1: B| -> … { body }`
fn wrapped(krate: &Path, function: &Function, checked: bool, body: &TokenStream) -> TokenStream {
    let span = span(function);
    let names = function.arguments().map(|(place, _)| argument_ident(place));
    let types = function.arguments().map(|(_, param)| &param.ty);
    if function.asks() {
        let ctx = ctx_ident();
        // Its output is no function's return type, so there is none to hold it to.
        return quote_spanned!(span=> |#(#names: #types,)* #ctx: #krate::server::Ctx| { #body });
    }
    let output = checked.then(|| quote_spanned!(span=> -> <[_; TYPES_CHECKED] as ::std::iter::IntoIterator>::Item));
    quote_spanned!(span=> |#(#names: #types),*| #output { #body })
}

/// The context by which is asked.
fn ctx_ident() -> Ident {
    format_ident!("asking", span = Span::mixed_site())
}

fn constant(checks: &TokenStream) -> TokenStream {
    if checks.is_empty() {
        return TokenStream::new();
    }
    quote!(const TYPES_CHECKED: usize = { #checks 0 };)
}

/// Statements that compile only if the types fit. They do nothing.
fn checks(krate: &Path, function: &Function, path: &TokenStream) -> TokenStream {
    let mut checks = TokenStream::new();
    if function.arguments().next().is_some() {
        let lines = function.arguments().map(|(_, param)| param.check());
        checks.extend(quote!({
            const fn parameter<T: #krate::server::Param<M>, M>() {}
            #(#lines)*
        }));
    }
    if function.is_async {
        let count = function.params.len() + usize::from(function.has_self);
        let types: Vec<Ident> = (0..count).map(|at| format_ident!("T{at}")).collect();
        let path = located(path.clone(), function.output_span);
        checks.extend(quote!({
            const fn future_is_send<#(#types,)* F: ::std::marker::Send>(_: fn(#(#types),*) -> F) {}
            future_is_send(#path);
        }));
    }
    checks
}

/// What is wrong with the closure is wrong with what the function returns.
fn span(function: &Function) -> Span {
    Span::mixed_site().located_at(function.output_span)
}

/// The same tokens, shown elsewhere in messages.
fn located(tokens: TokenStream, place: Span) -> TokenStream {
    let moved = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), located(group.stream(), place)).into();
        }
        token.set_span(token.span().located_at(place));
        token
    };
    tokens.into_iter().map(moved).collect()
}

fn mentions_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions_self(group.stream()),
        TokenTree::Ident(ident) => ident == "Self",
        _ => false,
    })
}
