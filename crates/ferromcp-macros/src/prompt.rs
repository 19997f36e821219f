//! `#[prompt]`: message templates that the user selects.
//!
//! <https://modelcontextprotocol.io/specification/2026-07-28/server/prompts>

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Path, Result};

use crate::{
    common::Common,
    function::Function,
    options::{Options, Rules, literal},
};

pub(crate) const RULES: Rules = Rules {
    name: "#[prompt]",
    keys: &["name", "title", "description", "icon", "scopes", "blocking", "crate"],
    repeatable: &["icon"],
    positional: false,
};

pub(crate) fn build(
    krate: &Path,
    mut options: Options,
    function: &Function,
    handler: &TokenStream,
) -> Result<TokenStream> {
    let given = options.text("name")?;
    if let Some(empty) = given.as_ref().and_then(literal).filter(|text| text.value().is_empty()) {
        return Err(Error::new(
            empty.span(),
            "the name of a prompt must not be empty: write a name, or drop the option",
        ));
    }
    let default_name = &function.name;
    let name = given.map_or_else(|| quote!(#default_name), |name| quote!(#name));
    let Common { constructor, calls } = Common::take(krate, &mut options, function)?;
    Ok(quote!(#krate::server::Prompt::#constructor(#name, #handler) #calls))
}
