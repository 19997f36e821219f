//! Tests of the expansions and errors of the macros.

mod errors;
mod expansion;
mod forms;

use proc_macro2::TokenStream;
use quote::quote;

use crate::{component, definition, kind::Kind};

/// Returns the formatted expansion of an attribute on a free function.
fn expand_function(kind: Kind, attribute: TokenStream, item: TokenStream) -> String {
    pretty(&definition::expand(kind, attribute, item).expect("expansion must succeed"))
}

/// Returns the formatted expansion of `#[component]`.
fn expand_component(item: TokenStream) -> String {
    pretty(&component::expand(TokenStream::new(), item).expect("expansion must succeed"))
}

/// Returns only the builder expression, on one line.
fn expand_builder(kind: Kind, attribute: TokenStream, item: TokenStream) -> String {
    let all = expand_function(kind, attribute, item);
    let method = format!("fn {}()", kind.name());
    let (_, body) = all.split_once(&method).expect("the definition's method");
    body.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the messages of all errors.
fn error_messages(kind: Kind, attribute: TokenStream, item: TokenStream) -> Vec<String> {
    messages(definition::expand(kind, attribute, item))
}

fn messages(result: syn::Result<TokenStream>) -> Vec<String> {
    let error = result.expect_err("expansion must fail");
    error.into_iter().map(|error| error.to_string()).collect()
}

fn pretty(tokens: &TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(quote!(#tokens)).expect("expansion must be valid Rust"))
}
