//! The limits of a field: `range(…)` of a number, `length(…)` of a text, `items(…)` of a list.
//!
//! What the spelling of a type tells is judged here; the rest is left to the traits the calls ask for.

use std::fmt;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::{Error, Expr, ExprLit, ExprRange, ExprUnary, Lit, RangeLimits, Result, Type, UnOp};

use crate::{
    options::{Options, literal},
    types::is_named,
    value,
};

/// What a type is by its spelling.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Text,
    Number,
    Bool,
    List,
    Other,
}

impl Sort {
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

    /// The limits it has instead of others.
    fn remedy(self) -> &'static str {
        match self {
            Self::Text => "write `length(…)` for a string",
            Self::Number => "write `range(…)` for a number",
            Self::List => "write `items(…)` for a list of choices",
            Self::Bool | Self::Other => "drop it",
        }
    }
}

impl fmt::Display for Sort {
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

/// Limits of one kind, with the name of the builder's method.
pub(super) struct Limits {
    key: &'static str,
    place: Span,
    range: Expr,
}

/// An option, the sort of types it is for, that in words, and an example.
const KINDS: [(&str, Sort, &str, &str); 3] = [
    ("range", Sort::Number, "numbers", "1..=10"),
    ("length", Sort::Text, "strings", "1..=80"),
    ("items", Sort::List, "lists of choices", "1..=3"),
];

/// All limits of a field; `span` is where to complain about what has no place of its own.
pub(super) fn read(options: &mut Options, ty: &Type, sort: Sort, span: Span) -> Result<Vec<Limits>> {
    let mut found = Vec::new();
    for (key, wanted, words, example) in KINDS {
        let place = options.span_of(key).unwrap_or(span);
        let Some(tokens) = options.list(key, example)? else {
            continue;
        };
        if sort != wanted && sort != Sort::Other {
            return Err(Error::new(place, format!("`{key}` applies to {words}: {}", sort.remedy())));
        }
        found.push(Limits { key, place, range: range(tokens, ty, example, place)? });
    }
    Ok(found)
}

fn range(tokens: TokenStream, ty: &Type, example: &str, place: Span) -> Result<Expr> {
    if tokens.is_empty() {
        return Err(Error::new(place, format!("expected a range, as in `{example}`")));
    }
    let range = value::typed(value::limits(tokens)?, ty);
    if let Expr::Range(ExprRange { start, end, limits, .. }) = &range {
        let (least, most) = (number(start.as_deref()), number(end.as_deref()));
        if least.zip(most).is_some_and(|(least, most)| least > most) {
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
    /// `.range(1..=10)`
    pub(super) fn call(&self) -> TokenStream {
        let Self { key, place, range } = self;
        let span = Span::mixed_site().located_at(*place);
        let method = format_ident!("{key}", span = span);
        quote_spanned!(span=> .#method(#range))
    }

    /// Complains if a default does not keep to the limits, where the spelling of both shows it.
    pub(super) fn check_default(&self, default: &Expr) -> Result<()> {
        let Expr::Range(ExprRange { start, end, limits, .. }) = &self.range else {
            return Ok(());
        };
        let value = match self.key {
            "range" => number(Some(default)),
            "length" => {
                literal(default).and_then(|text| u32::try_from(text.value().chars().count()).ok()).map(f64::from)
            }
            _ => None,
        };
        let Some(value) = value else {
            return Ok(());
        };
        let closed = matches!(limits, RangeLimits::Closed(_));
        let low = number(start.as_deref()).is_some_and(|least| value < least);
        let high = number(end.as_deref()).is_some_and(|most| value > most || (value >= most && !closed));
        if low || high {
            let message = format!("the default is outside the field's `{}`: change one of the two", self.key);
            return Err(Error::new_spanned(default, message));
        }
        Ok(())
    }
}

/// A number that is written out, near enough to be compared.
fn number(expr: Option<&Expr>) -> Option<f64> {
    match expr? {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_digits().parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => number.base10_digits().parse().ok(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => number(Some(expr)).map(|number| -number),
        _ => None,
    }
}
