//! An attribute on a free function: the function stays, and a type of the same name says what it is.
//!
//! The type is braced, `struct add {}`, so that its name is a type only: `add(1, 2)` still calls, `let add = …` still binds.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Error, Item, ItemFn, Path, Result, TraitItemFn, parse_quote, parse2, spanned::Spanned};

use crate::{
    builder,
    errors::Errors,
    function::{Function, Place, conditions, strip_parameters},
    handler::Handler,
    kind::Kind,
    options::Options,
};

pub(crate) fn expand(kind: Kind, attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut item = item_fn(kind, item)?;
    let mut errors = Errors::default();
    errors.keep(check_alone(kind, &item.attrs));
    let function = errors.keep(Function::read(&item.sig, &item.attrs, kind, Place::Free));
    let options = errors.keep(Options::parse(attribute, builder::rules(kind), proc_macro2::Span::call_site()));
    let body = function.zip(options).and_then(|(function, options)| errors.keep(body(kind, options, &function)));
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

/// What stays beside the error, so that it is the only one: the function, and the type for those who name it.
pub(crate) fn recover(kind: Kind, item: TokenStream) -> TokenStream {
    let Ok(mut function) = parse2::<ItemFn>(item.clone()) else {
        return item;
    };
    strip_parameters(&mut function.sig);
    function.attrs.retain(|attribute| Kind::of(attribute).is_none());
    if function.sig.receiver().is_some() {
        return quote!(#function); // within an `impl`, where no type can stand
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
    let words = format!("The {} `{ident}`, where a type is wanted.", kind.word());
    quote! {
        #(#conditions)*
        #(#hidden)*
        #deprecated
        #[doc = #words]
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
    let word = kind.word();
    let error = match parse2::<ItemFn>(item.clone()) {
        Ok(function) => return Ok(function),
        Err(error) => error,
    };
    let message = match parse2::<Item>(item.clone()) {
        Ok(Item::Impl(_)) => {
            format!("`#[{word}]` goes on a function: put `#[component]` here, and `#[{word}]` on its methods")
        }
        Ok(Item::Verbatim(_)) | Err(_) if parse2::<TraitItemFn>(item.clone()).is_ok() => {
            format!("`#[{word}]` goes on a function with a body: write one, or move the attribute to where it is")
        }
        Ok(_) => format!("`#[{word}]` goes on a function: write `#[{word}] async fn name(…) -> … {{ … }}`"),
        Err(_) => return Err(error),
    };
    Err(Error::new_spanned(item, message))
}

fn check_alone(kind: Kind, attributes: &[Attribute]) -> Result<()> {
    match attributes.iter().find_map(|attribute| Some((attribute, Kind::of(attribute)?))) {
        Some((attribute, other)) if other == kind => {
            Err(Error::new_spanned(attribute, format!("duplicate `#[{}]`: drop one", kind.word())))
        }
        Some((attribute, other)) => Err(Error::new_spanned(
            attribute,
            format!("a function is {} or {}: write a second function for the other", kind.a(), other.a()),
        )),
        None => Ok(()),
    }
}
