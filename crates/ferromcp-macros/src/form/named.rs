//! What fields and variants share: one `#[form(…)]`, and a name on the wire that no other has.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, Error, Ident, Meta, Result, ext::IdentExt, spanned::Spanned};

use crate::options::{Options, Rules, literal};

/// The options in `#[form(…)]`; `on` says what it stands on, with its article.
pub(super) fn options(attributes: &[Attribute], rules: &'static Rules, on: &str) -> Result<Options> {
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
            let message = format!("duplicate `#[form(…)]` on {on}: put all options into the first");
            Err(Error::new_spanned(second, message))
        }
        None => tokens.and_then(|(tokens, span)| Options::parse(tokens, rules, span)),
    }
}

/// `name = "…"`, or the identifier.
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

/// Complains of each name that stood before.
pub(super) fn check_different<'a>(names: impl Iterator<Item = (&'a str, Span)>) -> Result<()> {
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
