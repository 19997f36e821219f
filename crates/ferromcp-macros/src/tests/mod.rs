//! The macros as functions from tokens to tokens.

mod errors;
mod expansion;
mod forms;

use proc_macro2::TokenStream;
use quote::quote;

use crate::{component, definition, kind::Kind};

/// What a macro on a free function writes, as a person would lay it out.
fn defined(kind: Kind, attribute: TokenStream, item: TokenStream) -> String {
    pretty(&definition::expand(kind, attribute, item).expect("the macro accepts this"))
}

/// What `#[component]` writes.
fn composed(item: TokenStream) -> String {
    pretty(&component::expand(TokenStream::new(), item).expect("the macro accepts this"))
}

/// The builder's lines alone, for tests of single options.
fn built(kind: Kind, attribute: TokenStream, item: TokenStream) -> String {
    let all = defined(kind, attribute, item);
    let method = format!("fn {}()", kind.word());
    let (_, body) = all.split_once(&method).expect("the definition's method");
    body.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every message of the errors.
fn rejected(kind: Kind, attribute: TokenStream, item: TokenStream) -> Vec<String> {
    messages(definition::expand(kind, attribute, item))
}

fn messages(result: syn::Result<TokenStream>) -> Vec<String> {
    let error = result.expect_err("the macro refuses this");
    error.into_iter().map(|error| error.to_string()).collect()
}

fn pretty(tokens: &TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(quote!(#tokens)).expect("the macro writes Rust"))
}
