//! `#[tool]`: a function that a model can call.
//!
//! <https://modelcontextprotocol.io/specification/2026-07-28/server/tools>

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Error, Path, Result};

use crate::{
    common::Common,
    function::Function,
    options::{Options, Rules, literal},
};

pub(crate) const RULES: Rules = Rules {
    name: "#[tool]",
    keys: &["name", "title", "description", "annotations", "icon", "scopes", "blocking", "crate"],
    repeatable: &["icon"],
    positional: false,
};

const ANNOTATIONS: Rules = Rules {
    name: "annotations",
    keys: &["read_only", "destructive", "idempotent", "open_world"],
    repeatable: &[],
    positional: false,
};

/// The maximum length of a name in characters, as recommended by the specification.
const MAX_NAME: usize = 128;

pub(crate) fn build(
    krate: &Path,
    mut options: Options,
    function: &Function,
    handler: &TokenStream,
) -> Result<TokenStream> {
    let name = name(&mut options, function)?;
    let annotations = annotations(&mut options)?;
    let Common { constructor, calls } = Common::take(krate, &mut options, function)?;
    Ok(quote! {
        #krate::server::Tool::#constructor(#name, #handler) #calls #annotations
    })
}

fn name(options: &mut Options, function: &Function) -> Result<TokenStream> {
    let given = options.text("name")?;
    match given.as_ref().map(|given| (given, literal(given))) {
        None => check_name(&function.name, function.ident.span(), "set another name with `name = \"…\"`")?,
        Some((_, Some(text))) => check_name(&text.value(), text.span(), "use only these characters")?,
        Some((_, None)) => {} // a constant: the server validates it at startup
    }
    let default_name = &function.name;
    Ok(given.map_or_else(|| quote!(#default_name), |given| quote!(#given)))
}

fn check_name(name: &str, span: Span, remedy: &str) -> Result<()> {
    let is_allowed = |symbol: char| symbol.is_ascii_alphanumeric() || "_.-".contains(symbol);
    if (1..=MAX_NAME).contains(&name.chars().count()) && name.chars().all(is_allowed) {
        return Ok(());
    }
    let message = format!("a tool name must be 1 to {MAX_NAME} characters of `A-Z a-z 0-9 _ . -`: {remedy}");
    Err(Error::new(span, message))
}

fn annotations(options: &mut Options) -> Result<TokenStream> {
    let span = options.span_of("annotations").unwrap_or_else(Span::call_site);
    let Some(list) = options.list("annotations", "read_only, open_world = false")? else {
        return Ok(TokenStream::new());
    };
    let mut list = Options::parse(list, &ANNOTATIONS, span)?;
    let destructive = list.span_of("destructive");
    let mut calls = TokenStream::new();
    let mut flags = Vec::new();
    for key in ANNOTATIONS.keys {
        if let Some(value) = list.flag(key)? {
            let method = format_ident!("{key}");
            calls.extend(quote!(.#method(#value)));
            flags.push((*key, value));
        }
    }
    if flags.contains(&("read_only", true)) && flags.contains(&("destructive", true)) {
        return Err(Error::new(
            destructive.unwrap_or(span),
            "`read_only` and `destructive` are mutually exclusive: drop one of them",
        ));
    }
    Ok(calls)
}
