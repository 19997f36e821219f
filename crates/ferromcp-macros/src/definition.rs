//! An attribute on a free function: adds a type of the same name that defines the tool, resource, prompt or completion.
//!
//! The type is braced, `struct add {}`, so that its name is only in the type namespace: `add(1, 2)` and `let add = …`
//! still compile.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Error, Item, ItemFn, Path, Result, TraitItemFn, parse_quote, parse2, spanned::Spanned};

use crate::{
    builder,
    errors::Errors,
    function::{Function, Scope, conditions, strip_parameters},
    handler::Handler,
    kind::Kind,
    options::Options,
};

pub(crate) fn expand(kind: Kind, attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut item = item_fn(kind, item)?;
    let mut errors = Errors::default();
    errors.record(check_single_kind(kind, &item.attrs));
    let function = errors.record(Function::read(&item.sig, &item.attrs, kind, Scope::Free));
    let options = errors.record(Options::parse(attribute, builder::rules(kind), proc_macro2::Span::call_site()));
    let body = function.zip(options).and_then(|(function, options)| errors.record(body(kind, options, &function)));
    errors.finish()?;
    strip_parameters(&mut item.sig);
    let (krate, body) = body.ok_or_else(|| Error::new(item.sig.span(), "cannot parse this function"))?;
    let definition = define(kind, &krate, &item, &body);
    Ok(quote! {
        #[allow(clippy::needless_pass_by_value, clippy::unused_async)]
        #item
        #definition
    })
}

/// Returns the items that prevent follow-up errors: the function, and the type.
pub(crate) fn recover(kind: Kind, item: TokenStream) -> TokenStream {
    let Ok(mut function) = parse2::<ItemFn>(item.clone()) else {
        return item;
    };
    strip_parameters(&mut function.sig);
    function.attrs.retain(|attribute| Kind::of(attribute).is_none());
    if function.sig.receiver().is_some() {
        return quote!(#function); // within an `impl`, which cannot contain types
    }
    let definition = define(kind, &parse_quote!(::ferromcp), &function, &quote!(::std::unreachable!()));
    quote!(#function #definition)
}

fn body(kind: Kind, mut options: Options, function: &Function) -> Result<(Path, TokenStream)> {
    let krate = options.krate()?;
    let Handler { checks, call } = Handler::free(&krate, function);
    let builder = builder::build(kind, &krate, options, function, &call)?;
    Ok((krate, quote!(#checks #builder)))
}

fn define(kind: Kind, krate: &Path, item: &ItemFn, body: &TokenStream) -> TokenStream {
    let ItemFn { vis, sig, .. } = item;
    let ident = &sig.ident;
    let (trait_name, method, type_name) = (kind.trait_name(), kind.method(), kind.type_name());
    let conditions = conditions(&item.attrs);
    let hidden = item.attrs.iter().filter(|attribute| is_hidden(attribute));
    let deprecated = item.attrs.iter().find(|attribute| attribute.path().is_ident("deprecated"));
    let allow = deprecated.map(|_| quote!(#[allow(deprecated)]));
    let doc = format!("Type that registers the {} `{ident}` with a server.", kind.name());
    quote! {
        #(#conditions)*
        #(#hidden)*
        #deprecated
        #[doc = #doc]
        #[allow(non_camel_case_types, unreachable_pub)]
        #[derive(::std::clone::Clone, ::std::marker::Copy, ::std::fmt::Debug)]
        #vis struct #ident {}

        #(#conditions)*
        #allow
        impl #krate::server::#trait_name for #ident {
            fn #method() -> #krate::server::#type_name {
                #body
            }
        }
    }
}

fn is_hidden(attribute: &Attribute) -> bool {
    attribute.path().is_ident("doc")
        && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string().contains("hidden"))
}

fn item_fn(kind: Kind, item: TokenStream) -> Result<ItemFn> {
    let name = kind.name();
    let error = match parse2::<ItemFn>(item.clone()) {
        Ok(function) => return Ok(function),
        Err(error) => error,
    };
    let message = match parse2::<Item>(item.clone()) {
        Ok(Item::Impl(_)) => {
            format!("`#[{name}]` requires a function: put `#[component]` here, and `#[{name}]` on its methods")
        }
        Ok(Item::Verbatim(_)) | Err(_) if parse2::<TraitItemFn>(item.clone()).is_ok() => {
            format!(
                "`#[{name}]` requires a function with a body: add a body, or move the attribute to the implementation"
            )
        }
        Ok(_) => format!("`#[{name}]` requires a function: write `#[{name}] async fn name(…) -> … {{ … }}`"),
        Err(_) => return Err(error),
    };
    Err(Error::new_spanned(item, message))
}

fn check_single_kind(kind: Kind, attributes: &[Attribute]) -> Result<()> {
    match attributes.iter().find_map(|attribute| Some((attribute, Kind::of(attribute)?))) {
        Some((attribute, other)) if other == kind => {
            Err(Error::new_spanned(attribute, format!("duplicate `#[{}]`: remove one of them", kind.name())))
        }
        Some((attribute, other)) => Err(Error::new_spanned(
            attribute,
            format!(
                "a function cannot be both {} and {}: write a second function",
                kind.with_article(),
                other.with_article()
            ),
        )),
        None => Ok(()),
    }
}
