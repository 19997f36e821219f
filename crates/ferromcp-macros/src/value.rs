//! Defaults and limits of arguments, converted to and checked against the type of the parameter.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Error, Expr, ExprLit, ExprRange, ExprUnary, Lit, LitFloat, Result, Type, UnOp, parse2};

use crate::{
    options::{FlagOrExpr, literal},
    types::is_named,
};

const NUMBERS: [&str; 14] =
    ["i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize", "f32", "f64"];

/// Returns the value of `default = …` as an expression of type `ty`. `optional` is set if the parameter is an `Option`.
pub(crate) fn default(default: FlagOrExpr, ty: &Type, optional: bool, span: Span) -> Result<TokenStream> {
    let FlagOrExpr::Expr(expr) = default else {
        if optional {
            return Err(Error::new(span, REDUNDANT_DEFAULT));
        }
        return Ok(quote!(<#ty as ::std::default::Default>::default()));
    };
    if optional && is_path(&expr, "None") {
        return Err(Error::new_spanned(expr, REDUNDANT_DEFAULT));
    }
    if let Expr::Call(call) = &expr {
        if optional && is_path(&call.func, "Some") {
            let inner = &call.args;
            let message = format!("write the plain value: `default = {}`", quote!(#inner));
            return Err(Error::new_spanned(&expr, message));
        }
    }
    if let Some(text) = literal(&expr) {
        if is_number(ty) || is_named(ty, "bool") {
            let name = ty.to_token_stream();
            let message =
                format!("the default is a string, but the parameter has type `{name}`: write the value without quotes");
            return Err(Error::new(text.span(), message));
        }
        let span = Span::mixed_site().located_at(text.span());
        return Ok(quote_spanned!(span=> <#ty as ::std::convert::From<&str>>::from(#text)));
    }
    let expr = as_number(expr, ty);
    Ok(quote!(#expr))
}

const REDUNDANT_DEFAULT: &str = "an omitted `Option` is already `None`: drop the default";

/// Rejects a literal default outside of literal limits. `key` is the option of the limits, and `owner` is what has
/// them.
pub(crate) fn check_default(key: &str, limits: &Expr, default: &Expr, owner: &str) -> Result<()> {
    let value = match key {
        "range" => number(Some(default)),
        _ => literal(default).and_then(|text| u32::try_from(text.value().chars().count()).ok()).map(f64::from),
    };
    match value.filter(|value| is_outside(*value, limits)) {
        Some(_) => {
            let message = format!("the default is outside the {owner}'s `{key}`: change one of the two");
            Err(Error::new_spanned(default, message))
        }
        None => Ok(()),
    }
}

/// Rejects `Default::default()` of a type outside of literal limits.
pub(crate) fn check_default_of_type(key: &str, limits: &Expr, ty: &Type, span: Span) -> Result<()> {
    let is_zero = if key == "range" { is_number(ty) } else { is_named(ty, "String") || is_named(ty, "Vec") };
    if !is_zero || !is_outside(0.0, limits) {
        return Ok(());
    }
    let message =
        format!("the default of this type is outside the argument's `{key}`: write the value, as in `default = …`");
    Err(Error::new(span, message))
}

/// Returns whether a value is outside of a range of literals.
fn is_outside(value: f64, limits: &Expr) -> bool {
    let Expr::Range(ExprRange { start, end, limits, .. }) = limits else { return false };
    let closed = matches!(limits, syn::RangeLimits::Closed(_));
    let low = number(start.as_deref()).is_some_and(|min| value < min);
    low || number(end.as_deref()).is_some_and(|max| value > max || (value >= max && !closed))
}

/// Returns the approximate value of a number literal.
pub(crate) fn number(expr: Option<&Expr>) -> Option<f64> {
    match expr? {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_digits().parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => number.base10_digits().parse().ok(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => number(Some(expr)).map(|number| -number),
        Expr::Paren(inner) => number(Some(&inner.expr)),
        Expr::Group(inner) => number(Some(&inner.expr)),
        _ => None,
    }
}

/// Parses the tokens in `range(…)`, the limits of a number.
pub(crate) fn range(tokens: TokenStream, ty: &Type, span: Span) -> Result<Expr> {
    if is_named(ty, "String") || is_named(ty, "Vec") {
        return Err(Error::new(span, "`range` applies to numbers: write `length(…)` for a string or list"));
    }
    Ok(typed(limits(tokens)?, ty))
}

/// Converts the bounds of the range to literals of type `ty`.
pub(crate) fn typed(limits: Expr, ty: &Type) -> Expr {
    match limits {
        Expr::Range(range) => Expr::Range(ExprRange {
            start: range.start.map(|start| Box::new(as_number(*start, ty))),
            end: range.end.map(|end| Box::new(as_number(*end, ty))),
            ..range
        }),
        other => other,
    }
}

/// Parses the tokens in `length(…)`, the limits of the length of a string or list.
pub(crate) fn length(tokens: TokenStream, ty: &Type, span: Span) -> Result<Expr> {
    if is_number(ty) {
        return Err(Error::new(
            span,
            "`length` applies to strings, lists, sets and maps: write `range(…)` for a number",
        ));
    }
    limits(tokens)
}

pub(crate) fn is_number(ty: &Type) -> bool {
    NUMBERS.iter().any(|name| is_named(ty, name))
}

fn is_path(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::Path(path) if path.path.is_ident(name))
}

/// Parses a range, and rejects ranges that are visibly empty.
pub(crate) fn limits(tokens: TokenStream) -> Result<Expr> {
    let expr: Expr = parse2(tokens)?;
    match &expr {
        Expr::Range(range) if is_empty(range) => {
            Err(Error::new_spanned(range, "the range is empty: put the smaller number first"))
        }
        Expr::Lit(value) => Err(Error::new_spanned(value, "expected a range, as in `1..=10`, `1..` or `..=10`")),
        _ => Ok(expr),
    }
}

fn is_empty(range: &ExprRange) -> bool {
    let integer = |end: &Option<Box<Expr>>| end.as_deref().and_then(integer);
    let closed = matches!(range.limits, syn::RangeLimits::Closed(_));
    match (integer(&range.start), integer(&range.end)) {
        (Some(start), Some(end)) => start > end || (start == end && !closed),
        _ => false,
    }
}

fn integer(expr: &Expr) -> Option<i128> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => integer(expr)?.checked_neg(),
        _ => None,
    }
}

/// Converts an integer literal to a float literal if the type is a float.
fn as_number(expr: Expr, ty: &Type) -> Expr {
    if !is_named(ty, "f64") && !is_named(ty, "f32") {
        return expr;
    }
    match expr {
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            Expr::Unary(ExprUnary { expr: Box::new(as_number(*unary.expr, ty)), ..unary })
        }
        Expr::Lit(ExprLit { attrs, lit: Lit::Int(number) }) if number.suffix().is_empty() => {
            let float = LitFloat::new(&format!("{}.0", number.base10_digits()), number.span());
            Expr::Lit(ExprLit { attrs, lit: Lit::Float(float) })
        }
        other => other,
    }
}
