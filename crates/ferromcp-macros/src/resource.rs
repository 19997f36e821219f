//! `#[resource]`: data at a URI, or at all URIs that match a template.
//!
//! <https://modelcontextprotocol.io/specification/2026-07-28/server/resources>

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Expr, ExprLit, Lit, LitFloat, LitStr, Path, Result};

use crate::{
    common::Common,
    function::Function,
    options::{Options, Rules, literal},
    template,
};

pub(crate) const RULES: Rules = Rules {
    name: "#[resource]",
    keys: &[
        "name",
        "title",
        "description",
        "mime_type",
        "ttl_ms",
        "priority",
        "list",
        "icon",
        "scopes",
        "blocking",
        "crate",
    ],
    repeatable: &["icon"],
    positional: true,
};

pub(crate) fn build(
    krate: &Path,
    mut options: Options,
    function: &Function,
    handler: &TokenStream,
) -> Result<TokenStream> {
    let Some(uri) = options.positional()? else {
        let message = "missing URI or template: write `#[resource(\"notes://{id}\")]`";
        return Err(Error::new(options.span(), message));
    };
    let list_span = options.span_of("list");
    if let Some(text) = literal(&uri) {
        let variables = check_variables(text, function)?;
        if let (Some(span), true) = (list_span, variables.is_empty()) {
            return Err(Error::new(
                span,
                "a fixed URI is listed without `list`: drop it, or add a variable to the URI",
            ));
        }
    }
    let default_name = &function.name;
    let name = options.text("name")?.map_or_else(|| quote!(#default_name), |name| quote!(#name));
    let mime_type = options.text("mime_type")?.into_iter();
    let ttl = options.expr("ttl_ms")?.map(check_ttl).transpose()?.into_iter();
    let list = options.expr("list")?.into_iter();
    let priority = options.expr("priority")?.map(priority).transpose()?.into_iter();
    let Common { constructor, calls } = Common::take(krate, &mut options, function)?;
    Ok(quote! {
        #krate::server::Resource::#constructor(#uri, #handler)
            .name(#name)
            #calls
            #(.mime_type(#mime_type))*
            #(.ttl_ms(#ttl))*
            #(.priority(#priority))*
            #(.list(#list))*
    })
}

/// Checks that every variable has a parameter, and returns the variables. The converse requires types, because a
/// parameter can be an extractor.
fn check_variables(uri: &LitStr, function: &Function) -> Result<Vec<String>> {
    let variables = template::variables(uri)?;
    if function.params.iter().any(crate::param::Param::is_args_struct) {
        return Ok(variables);
    }
    match variables.iter().find(|variable| function.params.iter().all(|param| param.name != **variable)) {
        Some(variable) => {
            let remedy = if syn::parse_str::<syn::Ident>(variable).is_ok() {
                format!("add `{variable}: String`, or `Args<T>` for all")
            } else {
                format!("add one with `#[arg(name = \"{variable}\")]`, or `Args<T>` for all")
            };
            let message = format!("the template's variable `{variable}` has no parameter: {remedy}");
            Err(Error::new(uri.span(), message))
        }
        None => Ok(variables),
    }
}

fn check_ttl(expr: Expr) -> Result<Expr> {
    match &expr {
        Expr::Lit(ExprLit { lit: Lit::Int(_), .. }) => Ok(expr),
        Expr::Lit(other) => Err(Error::new_spanned(
            other,
            "`ttl_ms` must be an integer number of milliseconds: write `ttl_ms = 60_000`",
        )),
        _ => Ok(expr),
    }
}

fn priority(expr: Expr) -> Result<Expr> {
    let number = match &expr {
        Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => number.base10_parse::<f64>()?,
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => f64::from(number.base10_parse::<u32>()?),
        Expr::Lit(_) | Expr::Unary(_) => -1.0,
        _ => return Ok(expr),
    };
    if !(0.0..=1.0).contains(&number) {
        return Err(Error::new_spanned(expr, "`priority` must be a number from 0 to 1: write `priority = 0.5`"));
    }
    let span = syn::spanned::Spanned::span(&expr);
    let float = LitFloat::new(&format!("{number:?}"), span);
    Ok(Expr::Lit(ExprLit { attrs: Vec::new(), lit: Lit::Float(float) }))
}
