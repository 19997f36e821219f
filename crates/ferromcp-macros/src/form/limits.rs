//! The limits of a field: `range(…)` of a number, `length(…)` of a string, `items(…)` of a list.
//!
//! The checks are syntactic; the trait bounds of the generated calls check the rest.

use std::fmt;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::{Error, Expr, ExprRange, RangeLimits, Result, Type};

use crate::{options::Options, types::is_named, value};

/// The syntactic class of a type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TypeKind {
    Text,
    Number,
    Bool,
    List,
    Other,
}

impl TypeKind {
    pub(super) fn of(ty: &Type) -> Self {
        if is_named(ty, "String") {
            Self::Text
        } else if is_named(ty, "bool") {
            Self::Bool
        } else if is_named(ty, "Vec") {
            Self::List
        } else if value::is_number(ty) {
            Self::Number
        } else {
            Self::Other
        }
    }

    /// Returns the fix for an unsupported limit.
    fn remedy(self) -> &'static str {
        match self {
            Self::Text => "write `length(…)` for a string",
            Self::Number => "write `range(…)` for a number",
            Self::List => "write `items(…)` for a list of choices",
            Self::Bool | Self::Other => "drop it",
        }
    }
}

impl fmt::Display for TypeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "a string",
            Self::Number => "a number",
            Self::Bool => "a `bool`",
            Self::List => "a list",
            Self::Other => "this type",
        })
    }
}

/// A limit of a field. `key` is both the option and the builder method.
pub(super) struct Limits {
    key: &'static str,
    option_span: Span,
    range: Expr,
}

/// The limit options: name, supported types, their description, an example.
const LIMIT_OPTIONS: [(&str, TypeKind, &str, &str); 3] = [
    ("range", TypeKind::Number, "numbers", "1..=10"),
    ("length", TypeKind::Text, "strings", "1..=80"),
    ("items", TypeKind::List, "lists of choices", "1..=3"),
];

/// Returns all limits of a field; `span` is the fallback location of errors.
pub(super) fn parse(options: &mut Options, ty: &Type, kind: TypeKind, span: Span) -> Result<Vec<Limits>> {
    let mut found = Vec::new();
    for (key, expected, types, example) in LIMIT_OPTIONS {
        let option_span = options.span_of(key).unwrap_or(span);
        let Some(tokens) = options.list(key, example)? else {
            continue;
        };
        if kind != expected && kind != TypeKind::Other {
            return Err(Error::new(option_span, format!("`{key}` applies to {types}: {}", kind.remedy())));
        }
        found.push(Limits { key, option_span, range: range(tokens, ty, example, option_span)? });
    }
    Ok(found)
}

fn range(tokens: TokenStream, ty: &Type, example: &str, option_span: Span) -> Result<Expr> {
    if tokens.is_empty() {
        return Err(Error::new(option_span, format!("expected a range, as in `{example}`")));
    }
    let range = value::typed(value::limits(tokens)?, ty);
    if let Expr::Range(ExprRange { start, end, limits, .. }) = &range {
        let (min, max) = (value::number(start.as_deref()), value::number(end.as_deref()));
        if min.zip(max).is_some_and(|(min, max)| min > max) {
            return Err(Error::new_spanned(&range, "the range is empty: put the smaller number first"));
        }
        let float = is_named(ty, "f64") || is_named(ty, "f32");
        if float && end.is_some() && matches!(limits, RangeLimits::HalfOpen(_)) {
            return Err(Error::new_spanned(
                &range,
                "exclusive ends are not supported for floats in forms: write `..=`",
            ));
        }
    }
    Ok(range)
}

impl Limits {
    /// Returns the method call, such as `.range(1..=10)`.
    pub(super) fn call(&self) -> TokenStream {
        let Self { key, option_span, range } = self;
        let span = Span::mixed_site().located_at(*option_span);
        let method = format_ident!("{key}", span = span);
        quote_spanned!(span=> .#method(#range))
    }

    /// Rejects a literal default outside of literal limits.
    pub(super) fn check_default(&self, default: &Expr) -> Result<()> {
        if self.key == "items" {
            return Ok(());
        }
        value::check_default(self.key, &self.range, default, "field")
    }
}
