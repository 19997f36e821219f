//! The handler closure passed to a builder, and the type checks of its function.
//!
//! An invalid parameter type should produce one error, at the parameter; a future that is not `Send` should produce the
//! error that names the captured value. The checks produce these errors, but the builder would report the whole
//! function as well. The return type of the closure is therefore the item type of an array whose length is a constant
//! that contains the checks: if they fail, the type is already erroneous, and the compiler suppresses further errors.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Ident, Path, Type, spanned::Spanned};

use crate::{ask::argument_ident, ask_closure, function::Function, kind::Kind};

pub(crate) struct Handler {
    /// Items and statements before the builder expression.
    pub(crate) checks: TokenStream,
    /// The closure.
    pub(crate) call: TokenStream,
}

/// The `impl` block around a method.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    pub(crate) ty: &'a Type,
    /// True if the block has generic parameters.
    pub(crate) generic: bool,
}

impl Handler {
    /// Returns the handler of a free function.
    pub(crate) fn free(krate: &Path, function: &Function) -> Self {
        let ident = function.ident.to_token_stream();
        let checks = constant(&checks(krate, function, &ident));
        let call = closure(krate, function, !checks.is_empty(), &call(function, &ident, None));
        Self { checks, call }
    }

    /// Returns the handler of a method or associated function.
    pub(crate) fn method(krate: &Path, function: &Function, block: Block<'_>) -> Self {
        let Block { ty, generic } = block;
        let ident = &function.ident;
        // Constants cannot use outer type parameters or `Self`.
        let mut types = function.params.iter().map(|param| &param.ty).chain(&function.json_outputs);
        let as_statements = generic || types.any(|ty| mentions_self(ty.to_token_stream()));
        let checks = if as_statements {
            checks(krate, function, &quote!(Self::#ident))
        } else {
            constant(&checks(krate, function, &quote!(<#ty>::#ident)))
        };
        let checked = !as_statements && !checks.is_empty();
        let call = if function.has_self {
            with_self(krate, function, checked)
        } else {
            closure(krate, function, checked, &call(function, &quote!(Self::#ident), None))
        };
        Self { checks, call }
    }
}

/// Returns a closure that calls the method, and holds an `Arc` of the component.
fn with_self(krate: &Path, function: &Function, checked: bool) -> TokenStream {
    let ident = &function.ident;
    let span = span(function);
    let this = Ident::new("this", Span::mixed_site());
    let call = call(function, &quote!(Self::#ident), Some(&this));
    let body = if function.has_ask_params() {
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
    let closure = closure_with_body(krate, function, checked, &body);
    // The receiver of `parts`, with call-site hygiene, unlike `this`.
    let receiver = Ident::new("self", Span::call_site().located_at(function.output_span));
    quote_spanned! {span=> {
        let #this = ::std::sync::Arc::clone(&#receiver);
        move #closure
    }}
}

/// Returns the call expression `function(&this, a0, a1)`.
fn call(function: &Function, path: &TokenStream, this: Option<&Ident>) -> TokenStream {
    let names: Vec<Ident> = if function.has_ask_params() {
        function.params.iter().enumerate().map(|(index, param)| ask_closure::binding(index, param)).collect()
    } else {
        (0..function.params.len()).map(argument_ident).collect()
    };
    let this = this.into_iter();
    quote_spanned!(span(function)=> #path(#(&#this,)* #(#names),*))
}

/// Returns a closure that resolves the `#[ask]` parameters, then calls the function.
fn closure(krate: &Path, function: &Function, checked: bool, call: &TokenStream) -> TokenStream {
    if function.has_ask_params() {
        return closure_with_body(krate, function, checked, &ask_closure::body(krate, function, &ctx_ident(), call));
    }
    closure_with_body(krate, function, checked, call)
}

/// Returns the closure `|a0: A, a1: B| -> … { body }`.
fn closure_with_body(krate: &Path, function: &Function, checked: bool, body: &TokenStream) -> TokenStream {
    let span = span(function);
    let names = function.arguments().map(|(index, _)| argument_ident(index));
    let types = function.arguments().map(|(_, param)| &param.ty);
    if function.has_ask_params() {
        let ctx = ctx_ident();
        // The output is not the return type of a function, so it is not checked.
        return quote_spanned!(span=> |#(#names: #types,)* #ctx: #krate::server::Ctx| { #body });
    }
    let output = checked.then(|| quote_spanned!(span=> -> <[_; TYPES_CHECKED] as ::std::iter::IntoIterator>::Item));
    quote_spanned!(span=> |#(#names: #types),*| #output { #body })
}

/// Returns the identifier of the context that sends the questions.
fn ctx_ident() -> Ident {
    format_ident!("ctx", span = Span::mixed_site())
}

fn constant(checks: &TokenStream) -> TokenStream {
    if checks.is_empty() {
        return TokenStream::new();
    }
    quote!(const TYPES_CHECKED: usize = { #checks 0 };)
}

/// Returns statements that compile only if the types are supported. They have no effect at run time.
fn checks(krate: &Path, function: &Function, path: &TokenStream) -> TokenStream {
    let mut checks = TokenStream::new();
    let outputs = output_checks(function);
    if function.arguments().next().is_some() || !outputs.is_empty() {
        let has_args_struct = function.arguments().any(|(_, param)| param.is_args_struct());
        let lines = function.arguments().map(|(_, param)| param.check(has_args_struct));
        checks.extend(quote!({
            #[allow(unused_imports)]
            use #krate::server::{FallbackTypeCheck as _, TypeCheck as __TypeCheck};
            #(#lines)*
            #(#outputs)*
        }));
    }
    if function.is_async {
        let count = function.params.len() + usize::from(function.has_self);
        let types: Vec<Ident> = (0..count).map(|index| format_ident!("T{index}")).collect();
        let path = relocate(path.clone(), function.output_span);
        checks.extend(quote!({
            const fn future_is_send<#(#types,)* F: ::std::marker::Send>(_: fn(#(#types),*) -> F) {}
            future_is_send(#path);
        }));
    }
    checks
}

/// Returns statements that compile only if the `T` in each `Json<T>` of the return type has the required derives. The
/// errors point at the type, and name the missing trait.
fn output_checks(function: &Function) -> Vec<TokenStream> {
    let check = match function.kind {
        Kind::Tool => "tool_output",
        Kind::Resource => "resource_output",
        Kind::Prompt | Kind::Completion => return Vec::new(),
    };
    let line = |ty: &Type| {
        let span = Span::mixed_site().located_at(ty.span());
        let check = Ident::new(check, span);
        quote_spanned!(span=> let _ = __TypeCheck::<#ty>::#check;)
    };
    function.json_outputs.iter().map(line).collect()
}

/// Returns the span of the return type, at which errors of the closure are reported.
fn span(function: &Function) -> Span {
    Span::mixed_site().located_at(function.output_span)
}

/// Returns the tokens with another source location.
fn relocate(tokens: TokenStream, target: Span) -> TokenStream {
    let moved = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), relocate(group.stream(), target)).into();
        }
        token.set_span(token.span().located_at(target));
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
