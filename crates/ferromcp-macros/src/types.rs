//! Syntactic checks of parameter types.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Error, GenericArgument, Lifetime, PathArguments, PathSegment, Result, Type, TypeImplTrait, TypeReference,
    visit::{Visit, visit_lifetime, visit_type},
};

use crate::errors::Errors;

/// Rejects borrowed types, because arguments are deserialized from a temporary buffer.
pub(crate) fn check(ty: &Type) -> Result<()> {
    struct BorrowVisitor(Errors);
    impl<'ast> Visit<'ast> for BorrowVisitor {
        fn visit_type(&mut self, ty: &'ast Type) {
            match ty {
                Type::Reference(reference) => self.0.push(reference_error(reference)),
                Type::ImplTrait(opaque) => self.0.push(impl_error(opaque)),
                Type::BareFn(_) | Type::TraitObject(_) => {} // references inside are allowed
                _ => visit_type(self, ty),
            }
        }

        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            if lifetime.ident != "static" {
                let message = "arguments cannot borrow: write an owned type, or `'static`";
                self.0.push(Error::new(lifetime.span(), message));
            }
            visit_lifetime(self, lifetime);
        }
    }
    let mut visitor = BorrowVisitor(Errors::default());
    visitor.visit_type(ty);
    visitor.0.finish()
}

fn reference_error(reference: &TypeReference) -> Error {
    let inner = &*reference.elem;
    let owned = match inner {
        Type::Slice(slice) => {
            let item = &slice.elem;
            readable(&quote!(Vec<#item>))
        }
        _ if is_named(inner, "str") => "String".to_owned(),
        _ if is_named(inner, "Path") => "PathBuf".to_owned(),
        other => readable(&quote!(#other)),
    };
    let shared =
        if reference.mutability.is_some() { "; for a value that calls share, take `State<…>` of a lock" } else { "" };
    Error::new_spanned(reference, format!("take `{owned}`: arguments cannot be references{shared}"))
}

fn impl_error(opaque: &TypeImplTrait) -> Error {
    Error::new_spanned(
        opaque,
        "`impl Trait` is not supported here: write a concrete type, such as `String` or a struct",
    )
}

/// Returns the types named `Json` inside of a type. Types that contain `impl Trait` cannot be checked, and are omitted.
pub(crate) fn json_types(ty: &Type) -> Vec<Type> {
    struct JsonVisitor(Vec<Type>);
    impl<'ast> Visit<'ast> for JsonVisitor {
        fn visit_type(&mut self, ty: &'ast Type) {
            match ty {
                Type::ImplTrait(_) | Type::BareFn(_) | Type::TraitObject(_) => {}
                _ if is_named(ty, "Json") => {
                    if !contains_impl_trait(ty) {
                        self.0.push(ty.clone());
                    }
                }
                _ => visit_type(self, ty),
            }
        }
    }
    let mut visitor = JsonVisitor(Vec::new());
    visitor.visit_type(ty);
    visitor.0
}

fn contains_impl_trait(ty: &Type) -> bool {
    struct ImplVisitor(bool);
    impl<'ast> Visit<'ast> for ImplVisitor {
        fn visit_type_impl_trait(&mut self, _: &'ast TypeImplTrait) {
            self.0 = true;
        }
    }
    let mut visitor = ImplVisitor(false);
    visitor.visit_type(ty);
    visitor.0
}

/// Formats a type without the spaces of token streams.
fn readable(tokens: &TokenStream) -> String {
    tokens.to_string().replace(" :: ", "::").replace(" < ", "<").replace(" >", ">").replace(" ,", ",")
}

pub(crate) fn is_named(ty: &Type, name: &str) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == name)
}

pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        Type::Paren(inner) => last_segment(&inner.elem),
        Type::Group(inner) => last_segment(&inner.elem),
        _ => None,
    }
}

pub(crate) fn inside_option(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == "Option")?;
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
            Some(GenericArgument::Type(inner)) => Some(inner),
            _ => None,
        },
        _ => None,
    }
}
