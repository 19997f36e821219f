//! Enums: the choices of a form field.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{DataEnum, Error, Expr, Fields, Ident, Path, Result};

use super::named;
use crate::{errors::Errors, options::Rules};

const RULES: Rules = Rules { name: "#[form]", keys: &["name", "title"], repeatable: &[], positional: false };

/// One variant of the enum.
pub(super) struct Variant {
    ident: Ident,
    value: String,
    span: Span,
    title: Option<Expr>,
}

pub(super) fn parse(ident: &Ident, data: &DataEnum) -> Result<Vec<Variant>> {
    if data.variants.is_empty() {
        return Err(Error::new(ident.span(), "a choice requires at least one variant: add a variant"));
    }
    let mut errors = Errors::default();
    let variants: Vec<Variant> =
        data.variants.iter().filter_map(|variant| errors.record(parse_variant(variant))).collect();
    errors.record(named::check_unique(variants.iter().map(|variant| (variant.value.as_str(), variant.span))));
    errors.finish().map(|()| variants)
}

fn parse_variant(variant: &syn::Variant) -> Result<Variant> {
    if !matches!(variant.fields, Fields::Unit) {
        let message = format!("a variant of a choice cannot have fields: write `{}` alone", variant.ident);
        return Err(Error::new_spanned(&variant.fields, message));
    }
    let mut options = named::options(&variant.attrs, &RULES, "a variant")?;
    let (value, span) = named::name(&variant.ident, &mut options)?;
    Ok(Variant { ident: variant.ident.clone(), value, span, title: options.text("title")? })
}

pub(super) fn expand(krate: &Path, ident: &Ident, variants: &[Variant]) -> TokenStream {
    let idents = || variants.iter().map(|variant| &variant.ident);
    let values = || variants.iter().map(|variant| &variant.value);
    let none = quote!(::std::option::Option::None);
    let some = |title: &Expr| quote!(::std::option::Option::Some(#title));
    let titles = variants.iter().map(|variant| variant.title.as_ref().map_or_else(|| none.clone(), some));
    let (choices, idents, values, variants, variant_values) = (values(), idents(), values(), idents(), values());
    let body = Body {
        choices: quote!(&[#((#choices, #titles)),*]),
        of: quote! {
            match value {
                #(#values => ::std::option::Option::Some(Self::#idents),)*
                _ => ::std::option::Option::None,
            }
        },
        value: quote!(match self { #(Self::#variants => #variant_values,)* }),
    };
    implement(krate, ident, &body)
}

/// Returns stub implementations of the traits.
pub(super) fn stub(krate: &Path, ident: &Ident) -> TokenStream {
    let never = quote!(::std::unreachable!());
    implement(krate, ident, &Body { choices: quote!(&[]), of: never.clone(), value: never })
}

/// The parts of the implementations that depend on the enum.
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
                #form::choice_field::<Self>()
            }

            fn from_answer(answer: &#krate::core::RawJson) -> ::std::result::Result<Self, ::std::string::String> {
                #form::choice_from_answer(answer)
            }

            fn to_answer(&self) -> #krate::core::RawJson {
                #form::choice_to_answer(self)
            }
        }
    }
}
