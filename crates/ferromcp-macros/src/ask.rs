//! `#[ask(…)]` on a parameter: its value is requested from the client before the function is called.
//!
//! The function body runs once. Only the expressions that create the questions are evaluated again after a response.

use proc_macro2::Span;
use quote::format_ident;
use syn::{Attribute, Error, Expr, Ident, Meta, Result, parse2};

pub(crate) const ATTRIBUTE: &str = "ask";

/// Returns the expression of `#[ask(…)]`: a call that can use the preceding parameters, or the name of a function
/// without parameters.
pub(crate) fn parse(attributes: &[Attribute]) -> Result<Option<Expr>> {
    let mut found = attributes.iter().filter(|attribute| attribute.path().is_ident(ATTRIBUTE));
    let Some(attribute) = found.next() else { return Ok(None) };
    if let Some(second) = found.next() {
        return Err(Error::new_spanned(second, "duplicate `#[ask(…)]` on a parameter: keep one of them"));
    }
    let usage = "`#[ask]` requires a call that returns the value or a question: write `#[ask(confirm(&path))]`";
    let Meta::List(list) = &attribute.meta else { return Err(Error::new_spanned(attribute, usage)) };
    match parse2::<Expr>(list.tokens.clone()) {
        Ok(Expr::Path(path)) => Ok(Some(syn::parse_quote!(#path()))),
        Ok(expr) => Ok(Some(expr)),
        Err(_) => Err(Error::new_spanned(attribute, usage)),
    }
}

/// Returns the identifier of a closure parameter, by index.
pub(crate) fn argument_ident(index: usize) -> Ident {
    format_ident!("a{index}", span = Span::mixed_site())
}
