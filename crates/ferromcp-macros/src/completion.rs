//! `#[completion]`: suggests values for a prompt argument or a template variable.
//!
//! <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion>

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Error, Expr, LitStr, Path, Result};

use crate::{
    function::Function,
    options::{Options, Rules, literal},
    param::Param,
    suggestion::closest_match,
    template,
};

pub(crate) const RULES: Rules = Rules {
    name: "#[completion]",
    keys: &["prompt", "resource", "argument", "crate"],
    repeatable: &[],
    positional: false,
};

pub(crate) fn build(
    krate: &Path,
    mut options: Options,
    function: &Function,
    handler: &TokenStream,
) -> Result<TokenStream> {
    if function.params.is_empty() {
        let message = "a completion requires a parameter for the typed text: add `typed: String`";
        return Err(Error::new(function.ident.span(), message));
    }
    let prompt = options.text("prompt")?;
    let resource = options.text("resource")?;
    let Some(argument) = options.text("argument")? else {
        let message = "missing option `argument`: add `argument = \"…\"`";
        return Err(Error::new(options.span(), message));
    };
    let (constructor, target) = match (prompt, resource) {
        (Some(prompt), None) => ("prompt", prompt),
        (None, Some(template)) => {
            check_argument(&template, &argument)?;
            ("resource", template)
        }
        (None, None) => {
            let message =
                "missing option `prompt` or `resource`: add `prompt = \"…\"` or `resource = \"scheme://{variable}\"`";
            return Err(Error::new(options.span(), message));
        }
        (Some(_), Some(template)) => {
            let message =
                "a completion cannot have both `prompt` and `resource`: drop one, and write a second function for it";
            return Err(Error::new_spanned(template, message));
        }
    };
    let constructor =
        if function.is_async { format_ident!("{constructor}") } else { format_ident!("{constructor}_sync") };
    let args = function.args(krate);
    Ok(quote!(#krate::server::Completion::#constructor(#target, #argument, #handler) #args))
}

fn check_argument(template: &Expr, argument: &Expr) -> Result<()> {
    let Some(template) = literal(template) else {
        return Ok(());
    };
    let variables = template::variables(template)?;
    let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
    let Some(argument) = literal(argument).filter(|argument| !variables.contains(&argument.value().as_str())) else {
        return Ok(());
    };
    let hint = hint(&argument.value(), &variables, "it has no variables");
    Err(Error::new(argument.span(), format!("the template has no variable `{}`: {hint}", argument.value())))
}

/// Checks that a prompt has the argument. Its parameters can be extractors, which the server checks at startup.
pub(crate) fn check_prompt_argument(prompt: &Function, argument: &LitStr) -> Result<()> {
    let names: Vec<&str> = prompt.params.iter().map(|param| param.name.as_str()).collect();
    if names.contains(&argument.value().as_str()) || prompt.params.iter().any(Param::is_args_struct) {
        return Ok(());
    }
    let hint = hint(&argument.value(), &names, "it has no arguments");
    Err(Error::new(argument.span(), format!("the prompt has no argument `{}`: {hint}", argument.value())))
}

fn hint(name: &str, known: &[&str], none: &str) -> String {
    match (closest_match(name, known), known) {
        (Some(suggestion), _) => format!("did you mean `{suggestion}`?"),
        (None, []) => none.to_owned(),
        (None, known) => format!("write one of `{}`", known.join("`, `")),
    }
}
