//! `#[component]`: an `impl` block whose annotated methods are tools, resources, prompts and completions of one value.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{
    Attribute, Error, Expr, ImplItem, ImplItemFn, Item, ItemImpl, LitStr, Meta, Path, Result, ext::IdentExt,
    parse_quote, parse2, spanned::Spanned,
};

use crate::{
    builder, completion,
    errors::Errors,
    function::{Function, Scope, conditions, strip_parameters},
    handler::{Block, Handler},
    kind::Kind,
    options::{Options, Rules, literal},
};

const RULES: Rules = Rules { name: "#[component]", keys: &["crate"], repeatable: &[], positional: false };

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut block = item_impl(item)?;
    let krate = Options::parse(attribute, &RULES, Span::call_site())?.krate()?;
    let mut errors = Errors::default();
    let mut parts = Vec::new();
    let ty = block.self_ty.clone();
    let methods: Vec<ImplItemFn> = block.items.iter().filter_map(method).cloned().collect();
    check_completions(&methods, &mut errors);
    let impl_block = Block { ty: &ty, generic: !block.generics.params.is_empty() };
    for item in &mut block.items {
        if let ImplItem::Fn(method) = item {
            if let Some(part) = errors.record(part(&krate, method, impl_block, &methods)) {
                parts.extend(part);
            }
            strip_attributes(method);
        }
    }
    errors.finish()?;
    if parts.is_empty() {
        return Err(Error::new_spanned(
            &block.self_ty,
            "this component has no parts: put `#[tool]`, `#[resource]`, `#[prompt]` or `#[completion]` on its methods",
        ));
    }
    let component = component(&krate, &block, &parts);
    Ok(quote!(#block #component))
}

/// Returns the items that prevent follow-up errors: the block, and a component without parts.
pub(crate) fn recover(item: TokenStream) -> TokenStream {
    let Ok(mut block) = parse2::<ItemImpl>(item.clone()) else {
        return item;
    };
    for item in &mut block.items {
        if let ImplItem::Fn(method) = item {
            strip_attributes(method);
        }
    }
    if block.trait_.is_some() {
        return quote!(#block);
    }
    let component = component(&parse_quote!(::ferromcp), &block, &[]);
    quote!(#block #component)
}

fn component(krate: &Path, block: &ItemImpl, parts: &[TokenStream]) -> TokenStream {
    let conditions = conditions(&block.attrs);
    let (generics, _, bounds) = block.generics.split_for_impl();
    let ty = &block.self_ty;
    quote! {
        #(#conditions)*
        impl #generics #krate::server::Component for #ty #bounds {
            #[allow(deprecated, unused_mut)]
            fn parts(self: ::std::sync::Arc<Self>) -> #krate::server::Parts {
                let mut parts = #krate::server::Parts::new();
                #(#parts)*
                parts
            }
        }
    }
}

fn item_impl(item: TokenStream) -> Result<ItemImpl> {
    let block = match parse2::<ItemImpl>(item.clone()) {
        Ok(block) => block,
        Err(error) => {
            return Err(match parse2::<Item>(item) {
                Ok(other) => Error::new_spanned(
                    other,
                    "`#[component]` requires an `impl` block: write `#[component] impl Name { … }` with the methods inside",
                ),
                Err(_) => error,
            });
        }
    };
    match &block.trait_ {
        Some((_, path, _)) => Err(Error::new_spanned(
            path,
            "`#[component]` does not support trait implementations: put it on an `impl Name { … }` block",
        )),
        None => Ok(block),
    }
}

/// Returns the statement that adds a method to the parts; `None` for methods without an attribute.
fn part(krate: &Path, method: &ImplItemFn, block: Block<'_>, methods: &[ImplItemFn]) -> Result<Option<TokenStream>> {
    let mut attributes = method.attrs.iter().filter_map(|attribute| Some((attribute, Kind::of(attribute)?)));
    let Some((attribute, kind)) = attributes.next() else {
        return Ok(None);
    };
    let mut errors = Errors::default();
    if let Some((second, _)) = attributes.next() {
        errors.push(Error::new_spanned(
            second,
            "a method can have only one of these attributes: drop this one, or write a second method for it",
        ));
    }
    let function = errors.record(Function::read(&method.sig, &method.attrs, kind, Scope::Component));
    let options = errors.record(options(kind, attribute).and_then(|mut options| {
        options.replace_expr("list", |list| list_closure(krate, list, block, methods)).map(|()| options)
    }));
    let built = function.zip(options).and_then(|(function, options)| {
        let Handler { checks, call } = Handler::method(krate, &function, block);
        let built = builder::build(kind, krate, options, &function, &call);
        errors.record(built).map(|built| (checks, built))
    });
    errors.finish()?;
    let conditions = conditions(&method.attrs);
    let add = kind.method();
    Ok(built.map(|(checks, built)| {
        quote! {
            #(#conditions)*
            {
                #checks
                parts = parts.#add(#built);
            }
        }
    }))
}

fn method(item: &ImplItem) -> Option<&ImplItemFn> {
    match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    }
}

/// Returns the closure that calls the method `list` of the block; `None` if it is not a method of the block.
fn list_closure(krate: &Path, list: &Expr, block: Block<'_>, methods: &[ImplItemFn]) -> Result<Option<Expr>> {
    let Expr::Path(path) = list else { return Ok(None) };
    let name = match path.path.segments.iter().collect::<Vec<_>>().as_slice() {
        [name] => &name.ident,
        [this, name] if this.ident == "Self" => &name.ident,
        _ => return Ok(None),
    };
    let Some(method) = methods.iter().find(|method| method.sig.ident == *name) else { return Ok(None) };
    let function = Function::read(&method.sig, &[], Kind::Resource, Scope::Component)?;
    let Handler { checks, call } = Handler::method(krate, &function, block);
    Ok(Some(Expr::Verbatim(quote!({ #checks #call }))))
}

/// Rejects completions for an argument that the prompt of the same block does not have.
fn check_completions(methods: &[ImplItemFn], errors: &mut Errors) {
    let of_kind = |kind: Kind| {
        methods.iter().filter_map(move |method| {
            let attribute = method.attrs.iter().find(|attribute| Kind::of(attribute) == Some(kind))?;
            Some((method, options(kind, attribute).ok()?))
        })
    };
    for (_, mut completion) in of_kind(Kind::Completion) {
        let (Ok(Some(prompt)), Ok(Some(argument))) = (completion.text("prompt"), completion.text("argument")) else {
            continue;
        };
        let (Some(prompt), Some(argument)) = (literal(&prompt), literal(&argument)) else { continue };
        for (method, mut options) in of_kind(Kind::Prompt) {
            let name = match options.text("name") {
                Ok(Some(name)) => literal(&name).map(LitStr::value),
                Ok(None) => Some(method.sig.ident.unraw().to_string()),
                Err(_) => None,
            };
            let function = Function::read(&method.sig, &[], Kind::Prompt, Scope::Component);
            if let (true, Ok(function)) = (name == Some(prompt.value()), function) {
                errors.record(completion::check_prompt_argument(&function, argument));
            }
        }
    }
}

fn options(kind: Kind, attribute: &Attribute) -> Result<Options> {
    let tokens = match &attribute.meta {
        Meta::Path(_) => TokenStream::new(),
        Meta::List(list) => list.tokens.clone(),
        Meta::NameValue(pair) => {
            let message = format!("write `#[{}(…)]`, with the options in parentheses", kind.name());
            return Err(Error::new_spanned(pair, message));
        }
    };
    let options = Options::parse(tokens, builder::rules(kind), attribute.span())?;
    match options.span_of("crate") {
        Some(span) => Err(Error::new(span, "`crate` is an option of the block: write `#[component(crate = \"…\")]`")),
        None => Ok(options),
    }
}

fn strip_attributes(method: &mut ImplItemFn) {
    let annotated = method.attrs.iter().any(|attribute| Kind::of(attribute).is_some());
    if annotated {
        method.attrs.retain(|attribute| Kind::of(attribute).is_none());
        method.attrs.push(parse_quote!(#[allow(clippy::needless_pass_by_value, clippy::unused_async)]));
        strip_parameters(&mut method.sig);
    }
}
