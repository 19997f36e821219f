//! One field: its name on the wire, what `#[form(…)]` and its doc comment say, and its checks.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Error, Expr, Ident, Path, Result, Type, spanned::Spanned};

use super::{
    limits::{self, Limits, Sort},
    named,
};
use crate::{
    docs,
    options::{Given, Options, Rules, literal},
    suggestion::closest_match,
    types, value,
};

const RULES: Rules = Rules {
    of: "#[form]",
    keys: &["name", "title", "description", "default", "range", "length", "items", "format"],
    repeatable: &[],
    positional: false,
};

/// The formats of texts, with their names in the server crate.
const FORMATS: [(&str, &str); 4] = [("email", "Email"), ("uri", "Uri"), ("date", "Date"), ("date-time", "DateTime")];

pub(super) struct Field {
    pub(super) ident: Ident,
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) ty: Type,
    title: Option<Expr>,
    description: Option<TokenStream>,
    limits: Vec<Limits>,
    /// The format, as a variant of `Format`, and where it stands.
    format: Option<(Ident, Span)>,
    default: Option<TokenStream>,
}

impl Field {
    pub(super) fn read(field: &syn::Field) -> Result<Self> {
        let mut options = named::options(&field.attrs, &RULES, "a field")?;
        let ident = field.ident.clone().ok_or_else(|| Error::new_spanned(field, "a form requires named fields"))?;
        if let Type::Reference(reference) = &field.ty {
            let message = "a form field cannot be a reference: write an owned type, such as `String`";
            return Err(Error::new_spanned(reference, message));
        }
        let (name, span) = named::name(&ident, &mut options)?;
        let inner = types::inside_option(&field.ty);
        let ty = inner.unwrap_or(&field.ty);
        let sort = Sort::of(ty);
        let title = options.text("title")?;
        let description = options.text("description")?.map(|text| quote!(#text));
        let format = format(&mut options, sort)?;
        let limits = limits::read(&mut options, ty, sort, span)?;
        let place = options.span_of("default").unwrap_or(span);
        let default = options.flag_or_expr("default")?;
        let default = default.map(|given| default_of(given, ty, inner.is_some(), &limits, place)).transpose()?;
        let description = description.or_else(|| docs::description(&field.attrs));
        Ok(Self { ident, name, span, ty: field.ty.clone(), title, description, limits, format, default })
    }

    /// `form_field::<Type>("name").title("…")…`
    pub(super) fn describe(&self, krate: &Path) -> TokenStream {
        let Self { name, ty, title, description, limits, format, default, .. } = self;
        let form = quote!(#krate::server::form);
        let title = title.iter();
        let description = description.iter();
        let limits = limits.iter().map(Limits::call);
        let format = format.iter().map(|(variant, place)| {
            let span = Span::mixed_site().located_at(*place);
            quote_spanned!(span=> .format(#form::Format::#variant))
        });
        let default = default.iter();
        // A type that does not fit is told where it stands, since it is the argument of a function.
        let span = Span::mixed_site().located_at(ty.span());
        let new = quote_spanned!(span=> form_field::<#ty>);
        quote! {
            #new(#name)
                #(.title(#title))*
                #(.describe(#description))*
                #(#limits)*
                #(#format)*
                #(.default(#default))*
        }
    }
}

fn format(options: &mut Options, sort: Sort) -> Result<Option<(Ident, Span)>> {
    let place = options.span_of("format");
    let Some((given, place)) = options.text("format")?.zip(place) else {
        return Ok(None);
    };
    if !matches!(sort, Sort::Text | Sort::Other) {
        return Err(Error::new(
            place,
            format!("`format` applies to strings: drop it, or make this a `String` ({sort} has none)"),
        ));
    }
    let known = FORMATS.map(|(name, _)| name);
    let list = known.join("`, `");
    let text = literal(&given).ok_or_else(|| {
        Error::new_spanned(&given, format!("the format must be a string literal: write one of `{list}`"))
    })?;
    let named = text.value();
    let Some((_, variant)) = FORMATS.iter().find(|(name, _)| *name == named) else {
        let meant = closest_match(&named, &known).map_or_else(String::new, |meant| format!(" did you mean `{meant}`?"));
        let message = format!("unknown format `{named}`:{meant} Known options: `{list}`");
        return Err(Error::new(text.span(), message));
    };
    Ok(Some((format_ident!("{variant}"), place)))
}

fn default_of(given: Given, ty: &Type, optional: bool, limits: &[Limits], place: Span) -> Result<TokenStream> {
    if let Given::Expr(expr) = &given {
        if let (Some(text), Sort::Number | Sort::Bool) = (literal(expr), Sort::of(ty)) {
            let message = format!(
                "the default is a string, but the field has type `{}`: write the value without quotes",
                quote!(#ty)
            );
            return Err(Error::new(text.span(), message));
        }
        limits.iter().try_for_each(|limits| limits.check_default(expr))?;
    }
    let value = value::default(given, ty, optional, place)?;
    Ok(if optional { quote!(::std::option::Option::Some(#value)) } else { value })
}
