//! Shared by fields and variants: the `#[form(…)]` options, and unique names on the wire.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, Error, Ident, Meta, Result, ext::IdentExt, spanned::Spanned};

use crate::options::{Options, Rules, literal};

/// Parses the options in `#[form(…)]`. `target` is the annotated item in error messages, as in "a field".
pub(super) fn options(attributes: &[Attribute], rules: &'static Rules, target: &str) -> Result<Options> {
    let mut found = attributes.iter().filter(|attribute| attribute.path().is_ident("form"));
    let tokens = match found.next() {
        None => Ok((TokenStream::new(), Span::call_site())),
        Some(Attribute { meta: Meta::List(list), .. }) => Ok((list.tokens.clone(), list.span())),
        Some(bare) => {
            let message = format!("`#[form]` has no options: write `#[form({} = \"…\")]`, or drop it", rules.keys[0]);
            Err(Error::new_spanned(bare, message))
        }
    };
    match found.next() {
        Some(second) => {
            let message = format!("duplicate `#[form(…)]` on {target}: put all options into the first");
            Err(Error::new_spanned(second, message))
        }
        None => tokens.and_then(|(tokens, span)| Options::parse(tokens, rules, span)),
    }
}

/// Returns the name in `name = "…"`, or the identifier.
pub(super) fn name(ident: &Ident, options: &mut Options) -> Result<(String, Span)> {
    let Some(given) = options.text("name")? else {
        return Ok((ident.unraw().to_string(), ident.span()));
    };
    let text = literal(&given)
        .ok_or_else(|| Error::new_spanned(&given, "the name must be a string literal: write `name = \"…\"`"))?;
    if text.value().is_empty() {
        return Err(Error::new(
            text.span(),
            "the name must not be empty: write the name that clients use, or drop the option",
        ));
    }
    Ok((text.value(), text.span()))
}

/// Reports each duplicate name.
pub(super) fn check_unique<'a>(names: impl Iterator<Item = (&'a str, Span)>) -> Result<()> {
    let mut errors = crate::errors::Errors::default();
    let mut known = std::collections::HashSet::new();
    for (name, span) in names {
        if !known.insert(name) {
            let message = format!("duplicate name `{name}`: rename one of them with `name = \"…\"`");
            errors.push(Error::new(span, message));
        }
    }
    errors.finish()
}
