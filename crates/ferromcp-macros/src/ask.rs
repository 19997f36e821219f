//! `#[ask(…)]` on a parameter: its value is asked for before the function is called.
//!
//! The function's body then never runs twice: what is run again when the answers come is only what makes the questions.

use proc_macro2::Span;
use quote::format_ident;
use syn::{Attribute, Error, Expr, Ident, Meta, Result, parse2};

pub(crate) const ATTRIBUTE: &str = "ask";

/// What `#[ask(…)]` says, if it is there: a call, which sees the parameters before it, or the name of a function without
/// parameters.
pub(crate) fn find(attributes: &[Attribute]) -> Result<Option<Expr>> {
    let mut found = attributes.iter().filter(|attribute| attribute.path().is_ident(ATTRIBUTE));
    let Some(attribute) = found.next() else { return Ok(None) };
    if let Some(second) = found.next() {
        return Err(Error::new_spanned(second, "duplicate `#[ask(…)]` on a parameter: keep one of them"));
    }
    let wanted = "`#[ask]` requires a call that returns the value or a question: write `#[ask(confirm(&path))]`";
    let Meta::List(list) = &attribute.meta else { return Err(Error::new_spanned(attribute, wanted)) };
    match parse2::<Expr>(list.tokens.clone()) {
        Ok(Expr::Path(path)) => Ok(Some(syn::parse_quote!(#path()))),
        Ok(expr) => Ok(Some(expr)),
        Err(_) => Err(Error::new_spanned(attribute, wanted)),
    }
}

/// What the closure around the function calls the parameter at a place.
pub(crate) fn argument_ident(place: usize) -> Ident {
    format_ident!("a{place}", span = Span::mixed_site())
}
