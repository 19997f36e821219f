//! An enum: its variants are what a person chooses from.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{DataEnum, Error, Expr, Fields, Ident, Path, Result};

use super::named;
use crate::{errors::Errors, options::Rules};

const RULES: Rules = Rules { of: "#[form]", keys: &["name", "title"], repeatable: &[], positional: false };

/// One choice.
pub(super) struct Variant {
    ident: Ident,
    value: String,
    span: Span,
    title: Option<Expr>,
}

pub(super) fn read(ident: &Ident, data: &DataEnum) -> Result<Vec<Variant>> {
    if data.variants.is_empty() {
        return Err(Error::new(ident.span(), "a choice requires at least one variant: add a variant"));
    }
    let mut errors = Errors::default();
    let variants: Vec<Variant> = data.variants.iter().filter_map(|variant| errors.keep(read_one(variant))).collect();
    errors.keep(named::check_different(variants.iter().map(|variant| (variant.value.as_str(), variant.span))));
    errors.finish().map(|()| variants)
}

fn read_one(variant: &syn::Variant) -> Result<Variant> {
    if !matches!(variant.fields, Fields::Unit) {
        let message = format!("a variant of a choice cannot have fields: write `{}` alone", variant.ident);
        return Err(Error::new_spanned(&variant.fields, message));
    }
    let mut options = named::options(&variant.attrs, &RULES, "a variant")?;
    let (value, span) = named::name(&variant.ident, &mut options)?;
    Ok(Variant { ident: variant.ident.clone(), value, span, title: options.text("title")? })
}

pub(super) fn write(krate: &Path, ident: &Ident, variants: &[Variant]) -> TokenStream {
    let idents = || variants.iter().map(|variant| &variant.ident);
    let values = || variants.iter().map(|variant| &variant.value);
    let none = quote!(::std::option::Option::None);
    let some = |title: &Expr| quote!(::std::option::Option::Some(#title));
    let titles = variants.iter().map(|variant| variant.title.as_ref().map_or_else(|| none.clone(), some));
    let (choices, idents, values, others, again) = (values(), idents(), values(), idents(), values());
    let body = Body {
        choices: quote!(&[#((#choices, #titles)),*]),
        of: quote! {
            match value {
                #(#values => ::std::option::Option::Some(Self::#idents),)*
                _ => ::std::option::Option::None,
            }
        },
        value: quote!(match self { #(Self::#others => #again,)* }),
    };
    implement(krate, ident, &body)
}

/// The traits, without anything in them.
pub(super) fn stub(krate: &Path, ident: &Ident) -> TokenStream {
    let never = quote!(::std::unreachable!());
    implement(krate, ident, &Body { choices: quote!(&[]), of: never.clone(), value: never })
}

/// What differs from enum to enum.
struct Body {
    choices: TokenStream,
    of: TokenStream,
    value: TokenStream,
}

fn implement(krate: &Path, ident: &Ident, body: &Body) -> TokenStream {
    let Body { choices, of, value } = body;
    let form = quote!(#krate::server::form);
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #form::Choices for #ident {
            const CHOICES: &'static [(&'static str, ::std::option::Option<&'static str>)] = #choices;

            fn of(value: &str) -> ::std::option::Option<Self> {
                #of
            }

            fn value(&self) -> &'static str {
                #value
            }
        }

        #[automatically_derived]
        impl #form::FormField for #ident {
            fn field() -> #krate::model::PrimitiveSchema {
                #form::choice::field::<Self>()
            }

            fn from_answer(answer: &#krate::core::RawJson) -> ::std::result::Result<Self, ::std::string::String> {
                #form::choice::from_answer(answer)
            }

            fn to_answer(&self) -> #krate::core::RawJson {
                #form::choice::to_answer(self)
            }
        }
    }
}
