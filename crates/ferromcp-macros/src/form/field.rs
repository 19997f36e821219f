//! One field: its name on the wire, the options of `#[form(…)]`, the doc comment, and the type check.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Error, Expr, Ident, Path, Result, Type, spanned::Spanned};

use super::{
    limits::{self, Limits, TypeKind},
    named,
};
use crate::{
    docs,
    options::{FlagOrExpr, Options, Rules, literal},
    suggestion::closest_match,
    types, value,
};

const RULES: Rules = Rules {
    name: "#[form]",
    keys: &["name", "title", "description", "default", "range", "length", "items", "format"],
    repeatable: &[],
    positional: false,
};

/// The string formats, with the names of their variants in the server crate.
const FORMATS: [(&str, &str); 4] = [("email", "Email"), ("uri", "Uri"), ("date", "Date"), ("date-time", "DateTime")];

pub(super) struct Field {
    pub(super) ident: Ident,
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) ty: Type,
    title: Option<Expr>,
    description: Option<TokenStream>,
    limits: Vec<Limits>,
    /// The format, as a variant of `Format`, with its span.
    format: Option<(Ident, Span)>,
    default: Option<TokenStream>,
}

impl Field {
    pub(super) fn parse(field: &syn::Field) -> Result<Self> {
        let mut options = named::options(&field.attrs, &RULES, "a field")?;
        let ident = field.ident.clone().ok_or_else(|| Error::new_spanned(field, "a form requires named fields"))?;
        if let Type::Reference(reference) = &field.ty {
            let message = "a form field cannot be a reference: write an owned type, such as `String`";
            return Err(Error::new_spanned(reference, message));
        }
        let (name, span) = named::name(&ident, &mut options)?;
        let inner = types::inside_option(&field.ty);
        let ty = inner.unwrap_or(&field.ty);
        let kind = TypeKind::of(ty);
        let title = options.text("title")?;
        let description = options.text("description")?.map(|text| quote!(#text));
        let format = format(&mut options, kind)?;
        let limits = limits::parse(&mut options, ty, kind, span)?;
        let option_span = options.span_of("default").unwrap_or(span);
        let default = options.flag_or_expr("default")?;
        let default =
            default.map(|given| default_value(given, ty, inner.is_some(), &limits, option_span)).transpose()?;
        let description = description.or_else(|| docs::description(&field.attrs));
        Ok(Self { ident, name, span, ty: field.ty.clone(), title, description, limits, format, default })
    }

    /// Returns the expression `form_field::<Type>("name").title("…")…`.
    pub(super) fn describe(&self, krate: &Path) -> TokenStream {
        let Self { name, ty, title, description, limits, format, default, .. } = self;
        let form = quote!(#krate::server::form);
        let title = title.iter();
        let description = description.iter();
        let limits = limits.iter().map(Limits::call);
        let format = format.iter().map(|(variant, option_span)| {
            let span = Span::mixed_site().located_at(*option_span);
            quote_spanned!(span=> .format(#form::Format::#variant))
        });
        let default = default.iter();
        // The span of the type, at which the compiler reports an unsupported type.
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

fn format(options: &mut Options, kind: TypeKind) -> Result<Option<(Ident, Span)>> {
    let option_span = options.span_of("format");
    let Some((given, option_span)) = options.text("format")?.zip(option_span) else {
        return Ok(None);
    };
    if !matches!(kind, TypeKind::Text | TypeKind::Other) {
        return Err(Error::new(
            option_span,
            format!("`format` applies to strings: drop it, or make this a `String` ({kind} has no format)"),
        ));
    }
    let known = FORMATS.map(|(name, _)| name);
    let list = known.join("`, `");
    let text = literal(&given).ok_or_else(|| {
        Error::new_spanned(&given, format!("the format must be a string literal: write one of `{list}`"))
    })?;
    let name = text.value();
    let Some((_, variant)) = FORMATS.iter().find(|(known, _)| *known == name) else {
        let suggestion = closest_match(&name, &known)
            .map_or_else(String::new, |suggestion| format!(" did you mean `{suggestion}`?"));
        let message = format!("unknown format `{name}`:{suggestion} Known options: `{list}`");
        return Err(Error::new(text.span(), message));
    };
    Ok(Some((format_ident!("{variant}"), option_span)))
}

fn default_value(
    given: FlagOrExpr,
    ty: &Type,
    optional: bool,
    limits: &[Limits],
    option_span: Span,
) -> Result<TokenStream> {
    if let FlagOrExpr::Expr(expr) = &given {
        if let (Some(text), TypeKind::Number | TypeKind::Bool) = (literal(expr), TypeKind::of(ty)) {
            let message = format!(
                "the default is a string, but the field has type `{}`: write the value without quotes",
                quote!(#ty)
            );
            return Err(Error::new(text.span(), message));
        }
        limits.iter().try_for_each(|limits| limits.check_default(expr))?;
    }
    let value = value::default(given, ty, optional, option_span)?;
    Ok(if optional { quote!(::std::option::Option::Some(#value)) } else { value })
}
