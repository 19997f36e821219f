//! `#[derive(Form)]`: structs are forms, enums are choice fields.
//!
//! <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#requested-schema>

mod choices;
mod field;
mod fields;
mod limits;
mod named;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Path, Result, parse_quote, parse2};

use crate::{errors::Errors, options::Rules};

/// The options of `#[form(…)]` on the type.
const RULES: Rules = Rules { name: "#[form]", keys: &["crate"], repeatable: &[], positional: false };

pub(crate) fn expand(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = parse2(item)?;
    let mut errors = Errors::default();
    errors.record(check_generics(&input));
    let krate = errors.record(krate(&input));
    let body = match &input.data {
        Data::Struct(data) => errors.record(fields::parse(&input.ident, data)).map(Body::Fields),
        Data::Enum(data) => errors.record(choices::parse(&input.ident, data)).map(Body::Choices),
        Data::Union(data) => {
            let message = "`Form` cannot be derived for a union: write a struct with named fields, or an enum";
            errors.push(Error::new(data.union_token.span, message));
            None
        }
    };
    errors.finish()?;
    let (krate, body) = krate.zip(body).ok_or_else(|| Error::new_spanned(&input.ident, "cannot parse this form"))?;
    Ok(match body {
        Body::Fields(fields) => fields::expand(&krate, &input.ident, &fields),
        Body::Choices(choices) => choices::expand(&krate, &input.ident, &choices),
    })
}

enum Body {
    Fields(Vec<field::Field>),
    Choices(Vec<choices::Variant>),
}

/// Returns the items that prevent follow-up errors: stub implementations of the traits.
pub(crate) fn recover(item: TokenStream) -> TokenStream {
    let Ok(input) = parse2::<DeriveInput>(item) else {
        return TokenStream::new();
    };
    let krate = krate(&input).unwrap_or_else(|_| parse_quote!(::ferromcp));
    let ident = &input.ident;
    if !input.generics.params.is_empty() {
        return TokenStream::new(); // the bounds would be missing
    }
    let never = quote!(::std::unreachable!());
    if matches!(input.data, Data::Enum(_)) {
        return choices::stub(&krate, ident);
    }
    quote! {
        impl #krate::server::form::Form for #ident {
            fn schema() -> #krate::model::FormSchema {
                #never
            }
            fn read(_: &#krate::server::form::Answers<'_>)
                -> ::std::result::Result<Self, ::std::vec::Vec<::std::string::String>>
            {
                #never
            }
        }
    }
}

fn krate(input: &DeriveInput) -> Result<Path> {
    named::options(&input.attrs, &RULES, "a type")?.krate()
}

fn check_generics(input: &DeriveInput) -> Result<()> {
    let Some(first) = input.generics.params.first() else {
        return Ok(());
    };
    let message = match first {
        syn::GenericParam::Lifetime(_) => {
            "a form cannot have lifetime parameters: drop the lifetime, and write owned types"
        }
        _ => "a form cannot be generic: write the concrete type",
    };
    Err(Error::new_spanned(first, message))
}
