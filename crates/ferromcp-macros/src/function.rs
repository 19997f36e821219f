//! Parses and validates the annotated function.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{
    Attribute, Error, FnArg, GenericParam, Ident, Meta, Path, Receiver, Result, ReturnType, Signature, Type,
    TypeParamBound, ext::IdentExt, spanned::Spanned,
};

use crate::{
    docs,
    errors::Errors,
    kind::Kind,
    param::{self, Param},
    types,
};

/// The maximum number of parameters for which the server crate implements its traits.
const MAX_PARAMETERS: usize = 12;

/// The context of the function: a free function or a method of a component.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Free,
    Component,
}

pub(crate) struct Function {
    pub(crate) ident: Ident,
    /// The identifier without `r#`.
    pub(crate) name: String,
    pub(crate) is_async: bool,
    pub(crate) has_self: bool,
    /// The span of the return type, or of the name.
    pub(crate) output_span: Span,
    pub(crate) params: Vec<Param>,
    pub(crate) kind: Kind,
    /// The types `Json<T>` in the return type.
    pub(crate) json_outputs: Vec<Type>,
    pub(crate) description: Option<TokenStream>,
}

impl Function {
    pub(crate) fn read(signature: &Signature, attributes: &[Attribute], kind: Kind, scope: Scope) -> Result<Self> {
        let mut errors = Errors::default();
        check_qualifiers(signature, &mut errors);
        check_generics(signature, kind, &mut errors);
        if let Some(receiver) = signature.receiver() {
            errors.record(check_receiver(receiver, kind, scope));
        }
        let typed: Vec<_> = signature.inputs.iter().filter_map(typed).collect();
        if let Some(extra) = typed.get(MAX_PARAMETERS) {
            let message = format!(
                "too many parameters (at most {MAX_PARAMETERS}): gather the arguments in a struct `T` and take `Args<T>`"
            );
            errors.push(Error::new_spanned(extra, message));
        }
        let params: Vec<Param> = typed.into_iter().filter_map(|param| errors.record(Param::read(param))).collect();
        check_names(&params, &mut errors);
        check_args_structs(&params, &mut errors);
        check_ask_params(&params, kind, &mut errors);
        errors.finish()?;
        Ok(Self {
            ident: signature.ident.clone(),
            name: signature.ident.unraw().to_string(),
            is_async: is_async(signature),
            has_self: signature.receiver().is_some(),
            output_span: match &signature.output {
                ReturnType::Type(_, output) => output.span(),
                ReturnType::Default => signature.ident.span(),
            },
            params,
            kind,
            json_outputs: match &signature.output {
                ReturnType::Type(_, output) => types::json_types(output),
                ReturnType::Default => Vec::new(),
            },
            description: docs::description(attributes),
        })
    }

    /// Returns `.args([…])`, or no tokens without parameters.
    pub(crate) fn args(&self, krate: &Path) -> TokenStream {
        let mut args = self.arguments().map(|(_, param)| param.arg(krate)).peekable();
        if args.peek().is_none() {
            return TokenStream::new();
        }
        quote!(.args([#(#args),*]))
    }

    /// Returns the parameters without `#[ask]`, with their indices.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = (usize, &Param)> {
        self.params.iter().enumerate().filter(|(_, param)| param.ask.is_none())
    }

    /// Returns true if a parameter has `#[ask]`.
    pub(crate) fn has_ask_params(&self) -> bool {
        self.params.iter().any(|param| param.ask.is_some())
    }
}

/// Removes the helper attributes of parameters, which `rustc` would reject.
pub(crate) fn strip_parameters(signature: &mut Signature) {
    for input in &mut signature.inputs {
        let attributes = match input {
            FnArg::Receiver(receiver) => &mut receiver.attrs,
            FnArg::Typed(param) => &mut param.attrs,
        };
        attributes.retain(|attribute| !param::is_helper_attribute(attribute));
    }
}

/// Returns the `cfg` attributes of the function.
pub(crate) fn conditions(attributes: &[Attribute]) -> Vec<&Attribute> {
    let is_cfg = |attribute: &&Attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg_attr") => list.tokens.to_string().contains("cfg"),
        meta => meta.path().is_ident("cfg"),
    };
    attributes.iter().filter(is_cfg).collect()
}

fn typed(input: &FnArg) -> Option<&syn::PatType> {
    match input {
        FnArg::Typed(param) => Some(param),
        FnArg::Receiver(_) => None,
    }
}

fn check_qualifiers(signature: &Signature, errors: &mut Errors) {
    if let Some(keyword) = &signature.unsafety {
        errors.push(Error::new_spanned(keyword, "an `unsafe fn` cannot be called by a peer: drop `unsafe`"));
    }
    if let Some(keyword) = &signature.constness {
        errors.push(Error::new_spanned(keyword, "a `const fn` is not supported: drop `const`"));
    }
    if let Some(abi) = &signature.abi {
        errors.push(Error::new_spanned(abi, "an `extern` function is not supported: drop `extern`"));
    }
    if let Some(variadic) = &signature.variadic {
        errors.push(Error::new_spanned(variadic, "variadic parameters are not supported: use a `Vec`"));
    }
}

fn check_generics(signature: &Signature, kind: Kind, errors: &mut Errors) {
    for generic in &signature.generics.params {
        let message = match generic {
            GenericParam::Lifetime(_) => {
                "lifetime parameters are not supported: drop the lifetime and take owned types".to_owned()
            }
            _ => format!("{} cannot be generic: write the concrete type", kind.with_article()),
        };
        errors.push(Error::new_spanned(generic, message));
    }
}

fn check_receiver(receiver: &Receiver, kind: Kind, scope: Scope) -> Result<()> {
    let borrowed = receiver.reference.is_some() && receiver.mutability.is_none() && receiver.colon_token.is_none();
    match scope {
        Scope::Free => Err(Error::new_spanned(
            receiver,
            format!(
                "a method can be {} only in a component: put `#[component]` on the `impl` block",
                kind.with_article()
            ),
        )),
        Scope::Component if borrowed => Ok(()),
        Scope::Component => Err(Error::new_spanned(
            receiver,
            "calls run concurrently on one value: take `&self`, and use a lock for mutable state",
        )),
    }
}

fn check_names(params: &[Param], errors: &mut Errors) {
    let mut seen = HashSet::new();
    for param in params.iter().filter(|param| param.has_name()) {
        if !seen.insert(&param.name) {
            let message = format!("duplicate parameter name `{}`: rename one", param.name);
            errors.push(Error::new(param.span, message));
        }
    }
}

/// Rejects a second `Args<T>`, which would take the same arguments again.
fn check_args_structs(params: &[Param], errors: &mut Errors) {
    for extra in params.iter().filter(|param| param.ask.is_none() && param.is_args_struct()).skip(1) {
        let message = "duplicate `Args`: each takes all arguments; put the fields of both into one struct, for example with \
                       `#[serde(flatten)]`";
        errors.push(Error::new_spanned(&extra.ty, message));
    }
}

fn check_ask_params(params: &[Param], kind: Kind, errors: &mut Errors) {
    let ask_params = params.iter().filter(|param| param.ask.is_some());
    if let (Kind::Completion, Some(param)) = (kind, ask_params.clone().next()) {
        errors.push(Error::new(param.span, "`#[ask]` is not supported on completions: drop it"));
    }
    // The context of the questions takes one parameter.
    if ask_params.count() == 0 || params.iter().filter(|param| param.ask.is_none()).count() < MAX_PARAMETERS {
        return;
    }
    if let Some(param) = params.last() {
        let message = format!(
            "too many parameters (at most {} with `#[ask]`): gather them in a struct `T` and take `Args<T>`",
            MAX_PARAMETERS - 1
        );
        errors.push(Error::new(param.span, message));
    }
}

/// Returns true for an `async fn`, or a function that returns `impl Future`.
fn is_async(signature: &Signature) -> bool {
    let future = |bound: &TypeParamBound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|last| last.ident == "Future"),
        _ => false,
    };
    signature.asyncness.is_some()
        || matches!(&signature.output, ReturnType::Type(_, output)
            if matches!(&**output, Type::ImplTrait(opaque) if opaque.bounds.iter().any(future)))
}
