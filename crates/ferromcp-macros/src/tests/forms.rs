//! Tests of the expansions and errors of `#[derive(Form)]`.

use proc_macro2::TokenStream;
use quote::quote;

use super::{messages, pretty};
use crate::form;

fn expand(item: TokenStream) -> String {
    pretty(&form::expand(item).expect("expansion must succeed"))
}

/// Asserts that expansion fails with one error that contains the remedy.
fn assert_error(item: TokenStream, remedy: &str) {
    let found = messages(form::expand(item));
    assert!(found.len() == 1 && found[0].contains(remedy), "expected one error with {remedy:?}: {found:?}");
}

#[test]
fn struct_fields_are_described_once() {
    let expansion = expand(quote! {
        struct Guest {
            /// How to
            /// call you
            #[form(title = "Name", length(1..=80))]
            name: String,
            #[form(name = "type", range(1..=2), default = 1)]
            kind: Option<f64>,
            #[form(format = "date-time", description = "When", default)]
            r#at: String,
        }
    });
    assert_eq!(
        expansion,
        r#"const _: () = {
    fn form_field<T: ::ferromcp::server::form::FormField>(
        name: &'static str,
    ) -> ::ferromcp::server::form::Field<T> {
        ::ferromcp::server::form::Field::new(name)
    }
    #[allow(clippy::type_complexity)]
    fn form_fields() -> (
        ::ferromcp::server::form::Field<String>,
        ::ferromcp::server::form::Field<Option<f64>>,
        ::ferromcp::server::form::Field<String>,
    ) {
        (
            form_field::<String>("name")
                .title("Name")
                .describe("How to call you")
                .length(1..=80),
            form_field::<Option<f64>>("type")
                .range(1.0..=2.0)
                .default(::std::option::Option::Some(1.0)),
            form_field::<String>("at")
                .describe("When")
                .format(::ferromcp::server::form::Format::DateTime)
                .default(<String as ::std::default::Default>::default()),
        )
    }
    #[automatically_derived]
    #[allow(deprecated)]
    impl ::ferromcp::server::form::Form for Guest {
        fn schema() -> ::ferromcp::model::FormSchema {
            let (f0, f1, f2) = form_fields();
            let mut schema = ::ferromcp::model::FormSchema::new(::std::vec::Vec::new());
            f0.add_to(&mut schema);
            f1.add_to(&mut schema);
            f2.add_to(&mut schema);
            schema
        }
        fn read(
            answers: &::ferromcp::server::form::Answers<'_>,
        ) -> ::std::result::Result<Self, ::std::vec::Vec<::std::string::String>> {
            let (f0, f1, f2) = form_fields();
            let mut errors = ::std::vec::Vec::new();
            match (
                f0.read(answers, &mut errors),
                f1.read(answers, &mut errors),
                f2.read(answers, &mut errors),
            ) {
                (
                    ::std::option::Option::Some(f0),
                    ::std::option::Option::Some(f1),
                    ::std::option::Option::Some(f2),
                ) => {
                    ::std::result::Result::Ok(Self {
                        name: f0,
                        kind: f1,
                        r#at: f2,
                    })
                }
                _ => ::std::result::Result::Err(errors),
            }
        }
    }
};
"#
    );
}

#[test]
fn enum_variants_become_choices() {
    let expansion = expand(quote! {
        #[form(crate = "facade::mcp")]
        enum Color {
            Red,
            #[form(name = "blue", title = "Deep blue")]
            Blue,
        }
    });
    assert_eq!(
        expansion,
        r#"#[automatically_derived]
#[allow(deprecated)]
impl facade::mcp::server::form::Choices for Color {
    const CHOICES: &'static [(&'static str, ::std::option::Option<&'static str>)] = &[
        ("Red", ::std::option::Option::None),
        ("blue", ::std::option::Option::Some("Deep blue")),
    ];
    fn of(value: &str) -> ::std::option::Option<Self> {
        match value {
            "Red" => ::std::option::Option::Some(Self::Red),
            "blue" => ::std::option::Option::Some(Self::Blue),
            _ => ::std::option::Option::None,
        }
    }
    fn value(&self) -> &'static str {
        match self {
            Self::Red => "Red",
            Self::Blue => "blue",
        }
    }
}
#[automatically_derived]
impl facade::mcp::server::form::FormField for Color {
    fn field() -> facade::mcp::model::PrimitiveSchema {
        facade::mcp::server::form::choice_field::<Self>()
    }
    fn from_answer(
        answer: &facade::mcp::core::RawJson,
    ) -> ::std::result::Result<Self, ::std::string::String> {
        facade::mcp::server::form::choice_from_answer(answer)
    }
    fn to_answer(&self) -> facade::mcp::core::RawJson {
        facade::mcp::server::form::choice_to_answer(self)
    }
}
"#
    );
}

#[test]
fn form_is_rejected_when_type_is_unsupported() {
    assert_error(
        quote!(
            struct A;
        ),
        "at least one field",
    );
    assert_error(
        quote!(
            struct A {}
        ),
        "at least one field",
    );
    assert_error(
        quote!(
            struct A(u8);
        ),
        "named fields",
    );
    assert_error(quote!(union A { a: u8 }), "cannot be derived for a union");
    assert_error(
        quote!(
            struct A<T> {
                a: T,
            }
        ),
        "write the concrete type",
    );
    assert_error(
        quote!(
            struct A<const N: usize> {
                a: u8,
            }
        ),
        "write the concrete type",
    );
    assert_error(
        quote!(
            enum A<'a> {
                B,
            }
        ),
        "drop the lifetime",
    );
    assert_error(
        quote!(
            struct A {
                a: &'static str,
            }
        ),
        "write an owned type",
    );
    assert_error(
        quote!(
            enum A {}
        ),
        "add a variant",
    );
    assert_error(
        quote!(
            enum A {
                B,
                C(u8),
            }
        ),
        "write `C` alone",
    );
    assert_error(
        quote!(
            enum A {
                B {},
            }
        ),
        "write `B` alone",
    );
}

#[test]
fn form_is_rejected_when_names_are_duplicate() {
    assert_error(
        quote!(
            struct A {
                a: u8,
                #[form(name = "a")]
                b: u8,
            }
        ),
        "duplicate name `a`",
    );
    assert_error(
        quote!(
            struct A {
                r#type: u8,
                #[form(name = "type")]
                b: u8,
            }
        ),
        "duplicate name `type`",
    );
    assert_error(
        quote!(
            enum A {
                B,
                #[form(name = "B")]
                C,
                D,
            }
        ),
        "duplicate name `B`",
    );
    assert_error(
        quote!(
            struct A {
                #[form(name = NAME)]
                a: u8,
            }
        ),
        "the name must be a string literal",
    );
}

#[test]
fn limits_are_rejected_when_type_does_not_match() {
    for (options, ty, remedy) in [
        (quote!(length(1..)), quote!(u8), "write `range(…)` for a number"),
        (quote!(length(1..)), quote!(Vec<A>), "write `items(…)` for a list"),
        (quote!(range(1..)), quote!(String), "write `length(…)` for a string"),
        (quote!(range(1..)), quote!(Option<Vec<A>>), "write `items(…)` for a list"),
        (quote!(items(1..)), quote!(Option<String>), "write `length(…)` for a string"),
        (quote!(items(1..)), quote!(bool), "drop it"),
        (quote!(format = "date"), quote!(bool), "make this a `String`"),
        (quote!(format = "dat"), quote!(String), "did you mean `date`?"),
        (quote!(range(1.5..=1)), quote!(f32), "put the smaller number first"),
        (quote!(range(1..2)), quote!(Option<f64>), "write `..=`"),
        (quote!(range()), quote!(u8), "as in `1..=10`"),
        (quote!(range(2..=3), default = 1), quote!(u8), "outside the field's `range`"),
        (quote!(range(2..), default = -1.5), quote!(f64), "outside the field's `range`"),
        (quote!(length(2..), default = "ä"), quote!(Option<String>), "outside the field's `length`"),
        (quote!(default = "1"), quote!(Option<u8>), "without quotes"),
        (quote!(max_items = 3), quote!(Vec<A>), "write `items(1..=10)`"),
        (quote!(max_length = 3), quote!(String), "write `length(1..=10)`"),
    ] {
        assert_error(quote!(struct B { #[form(#options)] a: #ty }), remedy);
    }
    for (options, ty) in [
        (quote!(length(1..), format = "date"), quote!(Text)),
        (quote!(items(LIMITS)), quote!(Option<Vec<A>>)),
        (quote!(range(1..2), default = 1), quote!(u8)),
        (quote!(range(MIN..=3), default = 3), quote!(f32)),
        (quote!(range(..), default = -1), quote!(i8)),
        (quote!(default = A::B), quote!(A)),
    ] {
        expand(quote!(struct B { #[form(#options)] a: #ty }));
    }
}

#[test]
fn all_errors_are_reported_when_several_fields_are_invalid() {
    let found = messages(form::expand(quote! {
        #[form(crate = 5)]
        struct A<T> {
            #[form(tilte = "A")]
            a: String,
            #[form(range(1..))]
            b: String,
        }
    }));
    assert_eq!(found.len(), 4, "{found:?}");
}

#[test]
fn recovery_implements_form_traits_when_expansion_fails() {
    let recovered = |item| pretty(&form::recover(item));
    assert!(
        recovered(quote!(
            struct A(u8);
        ))
        .contains("impl ::ferromcp::server::form::Form for A")
    );
    let choice = recovered(quote!(
        #[form(crate = "x")]
        enum A {
            B(u8),
        }
    ));
    assert!(choice.contains("impl x::server::form::FormField for A"), "{choice}");
    assert_eq!(
        recovered(quote!(
            struct A<T>(T);
        )),
        ""
    );
    assert_eq!(
        recovered(quote!(
            fn f() {}
        )),
        ""
    );
}
