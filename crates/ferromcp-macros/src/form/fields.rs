//! Structs: each field is a field of the form.
//!
//! The fields are described in one function that both trait methods call, so that an unsupported type produces one error.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{DataStruct, Error, Fields, Ident, Path, Result};

use super::{field::Field, named};
use crate::errors::Errors;

pub(super) fn parse(ident: &Ident, data: &DataStruct) -> Result<Vec<Field>> {
    let named = match &data.fields {
        Fields::Named(fields) if !fields.named.is_empty() => &fields.named,
        Fields::Named(_) | Fields::Unit => {
            return Err(Error::new(
                ident.span(),
                "a form requires at least one field: write `struct Name { field: Type }`",
            ));
        }
        Fields::Unnamed(fields) => {
            let message = "a form requires named fields: write `struct Name { field: Type }`";
            return Err(Error::new_spanned(fields, message));
        }
    };
    let mut errors = Errors::default();
    let fields: Vec<Field> = named.iter().filter_map(|field| errors.record(Field::parse(field))).collect();
    errors.record(named::check_unique(fields.iter().map(|field| (field.name.as_str(), field.span))));
    errors.finish().map(|()| fields)
}

pub(super) fn expand(krate: &Path, ident: &Ident, fields: &[Field]) -> TokenStream {
    let form = quote!(#krate::server::form);
    let types = fields.iter().map(|field| &field.ty);
    let described = fields.iter().map(|field| field.describe(krate));
    let idents = fields.iter().map(|field| &field.ident);
    let names: Vec<Ident> =
        (0..fields.len()).map(|index| format_ident!("f{index}", span = Span::mixed_site())).collect();
    quote! {
        const _: () = {
            fn form_field<T: #form::FormField>(name: &'static str) -> #form::Field<T> {
                #form::Field::new(name)
            }

            #[allow(clippy::type_complexity)]
            fn form_fields() -> (#(#form::Field<#types>,)*) {
                (#(#described,)*)
            }

            #[automatically_derived]
            #[allow(deprecated)]
            impl #form::Form for #ident {
                fn schema() -> #krate::model::FormSchema {
                    let (#(#names,)*) = form_fields();
                    let mut schema = #krate::model::FormSchema::new(::std::vec::Vec::new());
                    #(#names.add_to(&mut schema);)*
                    schema
                }

                fn read(answers: &#form::Answers<'_>)
                    -> ::std::result::Result<Self, ::std::vec::Vec<::std::string::String>>
                {
                    let (#(#names,)*) = form_fields();
                    let mut errors = ::std::vec::Vec::new();
                    match (#(#names.read(answers, &mut errors),)*) {
                        (#(::std::option::Option::Some(#names),)*) => {
                            ::std::result::Result::Ok(Self { #(#idents: #names),* })
                        }
                        _ => ::std::result::Result::Err(errors),
                    }
                }
            }
        };
    }
}
