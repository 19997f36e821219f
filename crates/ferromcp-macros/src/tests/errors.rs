//! Tests of compile errors: each message must contain a remedy.

use proc_macro2::TokenStream;
use quote::quote;

use super::{error_messages, messages};
use crate::{component, kind::Kind};

/// Asserts that expansion fails with one error that contains the remedy.
fn assert_error(kind: Kind, attribute: TokenStream, item: TokenStream, remedy: &str) {
    let found = error_messages(kind, attribute, item);
    assert!(found.len() == 1 && found[0].contains(remedy), "expected one error with {remedy:?}: {found:?}");
}

#[test]
fn item_is_rejected_when_not_a_function_with_a_body() {
    assert_error(
        Kind::Tool,
        quote!(),
        quote!(
            struct S;
        ),
        "requires a function: write `#[tool] async fn name",
    );
    assert_error(Kind::Tool, quote!(), quote!(impl S {}), "put `#[component]` here");
    assert_error(
        Kind::Tool,
        quote!(),
        quote!(
            fn f(&self);
        ),
        "with a body",
    );
    assert_error(
        Kind::Prompt,
        quote!(),
        quote!(
            fn f(&self) {}
        ),
        "put `#[component]` on the `impl` block",
    );
}

#[test]
fn function_is_rejected_when_it_has_two_kinds() {
    assert_error(
        Kind::Tool,
        quote!(),
        quote!(
            #[prompt]
            fn f() {}
        ),
        "both a tool and a prompt: write a second function",
    );
    assert_error(
        Kind::Tool,
        quote!(),
        quote!(
            #[ferromcp::tool]
            fn f() {}
        ),
        "duplicate `#[tool]`",
    );
}

#[test]
fn function_is_rejected_when_it_has_qualifiers_or_generics() {
    assert_error(
        Kind::Tool,
        quote!(),
        quote!(
            unsafe fn f() {}
        ),
        "drop `unsafe`",
    );
    assert_error(
        Kind::Tool,
        quote!(),
        quote!(
            const fn f() {}
        ),
        "drop `const`",
    );
    assert_error(
        Kind::Tool,
        quote!(),
        quote!(
            extern "C" fn f() {}
        ),
        "drop `extern`",
    );
    assert_error(
        Kind::Tool,
        quote!(),
        quote!(
            fn f<T>(x: T) {}
        ),
        "write the concrete type",
    );
    assert_error(
        Kind::Tool,
        quote!(),
        quote!(
            fn f<const N: usize>() {}
        ),
        "write the concrete type",
    );
    assert_error(
        Kind::Tool,
        quote!(),
        quote!(
            fn f<'a>() {}
        ),
        "drop the lifetime",
    );
    assert_error(
        Kind::Tool,
        quote!(blocking),
        quote!(
            async fn f() {}
        ),
        "drop one of the two",
    );
}

#[test]
fn parameter_is_rejected_when_type_is_borrowed() {
    for (ty, remedy) in [
        (quote!(&str), "take `String`: arguments cannot be references"),
        (quote!(&'static str), "take `String`"),
        (quote!(&[Option<u8>]), "take `Vec<Option<u8>>`"),
        (quote!(&std::path::Path), "take `PathBuf`"),
        (quote!(&Ctx), "take `Ctx`"),
        (quote!(Option<&str>), "take `String`"),
        (quote!(Cow<'a, str>), "write an owned type, or `'static`"),
        (quote!(impl Into<String>), "write a concrete type"),
    ] {
        assert_error(Kind::Tool, quote!(), quote!(fn f(x: #ty) {}), remedy);
    }
    assert!(crate::types::check(&syn::parse_quote!(Cow<'static, str>)).is_ok());
    assert!(crate::types::check(&syn::parse_quote!(Box<dyn Fn(&str) + Send>)).is_ok());
}

#[test]
fn parameters_are_rejected_when_too_many_or_duplicate() {
    let many = (0..13).map(|at| quote::format_ident!("p{at}"));
    assert_error(Kind::Tool, quote!(), quote!(fn f(#(#many: u8),*) {}), "take `Args<T>`");
    let most = (0..12).map(|at| quote::format_ident!("p{at}"));
    super::expand_function(Kind::Tool, quote!(), quote!(fn f(#(#most: u8),*) {}));
    assert_error(
        Kind::Tool,
        quote!(),
        quote!(
            fn f(a: u8, #[arg(name = "a")] b: u8) {}
        ),
        "duplicate parameter name `a`",
    );
    assert_error(
        Kind::Tool,
        quote!(),
        quote!(
            fn f(#[cfg(unix)] a: u8) {}
        ),
        "two versions of the function",
    );
}

#[test]
fn arg_options_are_rejected_when_type_does_not_match() {
    for (attribute, ty, remedy) in [
        (quote!(#[arg(default = None)]), quote!(Option<u8>), "drop the default"),
        (quote!(#[arg(default)]), quote!(Option<u8>), "drop the default"),
        (quote!(#[arg(default = Some(5))]), quote!(Option<u8>), "write the plain value: `default = 5`"),
        (quote!(#[arg(default = "5")]), quote!(u8), "without quotes"),
        (quote!(#[arg(range(9..=1))]), quote!(u8), "put the smaller number first"),
        (quote!(#[arg(range(-1..-1))]), quote!(i8), "put the smaller number first"),
        (quote!(#[arg(range(5))]), quote!(u8), "expected a range"),
        (quote!(#[arg(range = 1..5)]), quote!(u8), "write `range(1..=10)`"),
        (quote!(#[arg(range(1..5))]), quote!(Option<String>), "write `length(…)`"),
        (quote!(#[arg(length(1..5))]), quote!(u8), "write `range(…)`"),
        (quote!(#[arg(rnage(1..5))]), quote!(u8), "did you mean `range`?"),
        (quote!(#[arg(header("Region"))]), quote!(String), "write `header = \"…\"`"),
        (quote!(#[arg(header = 5)]), quote!(String), "put it in quotes"),
        (quote!(#[arg(heder = "Region")]), quote!(String), "did you mean `header`?"),
        (quote!(#[arg(name = "")]), quote!(u8), "invalid argument name"),
        (quote!(#[arg(name = NAME)]), quote!(u8), "write `name = \"…\"`"),
        (quote!(#[arg]), quote!(u8), "or drop it"),
        (quote!(#[arg(title = "a")] #[arg(default = 1)]), quote!(u8), "put all options into the first"),
    ] {
        assert_error(Kind::Tool, quote!(), quote!(fn f(#attribute x: #ty) {}), remedy);
    }
}

#[test]
fn options_are_rejected_when_unknown_duplicate_or_malformed() {
    let function = || {
        quote!(
            fn f() {}
        )
    };
    for (attribute, remedy) in [
        (quote!(tilte = "x"), "`#[tool]` has no option `tilte`: did you mean `title`? Known options: `name`, `title`"),
        (quote!(zzz), "`#[tool]` has no option `zzz`: drop it. Known options: `name`"),
        (
            quote!(read_only),
            "`#[tool]` has no option `read_only`: write `annotations(read_only)`. Known options: `name`",
        ),
        (quote!(title = "x", title = "y"), "duplicate option `title`: keep one"),
        (quote!(title), "write `title = \"…\"`"),
        (quote!(title = 5), "put it in quotes"),
        (quote!(blocking = 3), "write `blocking` or `blocking = false`"),
        (quote!(annotations), "write `annotations(read_only"),
        (quote!(annotations(readonly)), "did you mean `read_only`?"),
        (quote!(annotations(read_only, destructive)), "mutually exclusive"),
        (quote!(title = "a" name = "b"), "expected a `,`"),
        (quote!("add"), "expected an option"),
        (quote!(scopes), "write `scopes = …`"),
        (quote!(scopes = "a"), "write `scopes = [\"…\"]`"),
        (quote!(scopes = []), "`scopes` is empty"),
        (quote!(scopes = ["a", "b c"]), "invalid scope"),
        (quote!(scopes = ["a\""]), "invalid scope"),
        (quote!(scopes = [5]), "invalid scope"),
        (quote!(scope = "a"), "write `scopes = [\"…\"]`"),
        (quote!(crate = 5), "write `crate = "),
    ] {
        assert_error(Kind::Tool, attribute, function(), remedy);
    }
}

// M26-324, M26-326, M26-327, S-235
#[test]
fn tool_name_is_rejected_when_characters_or_length_are_invalid() {
    let long = "x".repeat(129);
    for name in ["", "has space", "comma,", "größe", "a/b", long.as_str()] {
        assert_error(
            Kind::Tool,
            quote!(name = #name),
            quote!(
                fn f() {}
            ),
            "1 to 128 characters of",
        );
    }
    assert_error(
        Kind::Tool,
        quote!(),
        quote!(
            fn größe() {}
        ),
        "set another name with `name = \"…\"`",
    );
    let longest = "x".repeat(128);
    super::expand_function(
        Kind::Tool,
        quote!(name = #longest),
        quote!(
            fn f() {}
        ),
    );
    super::expand_function(
        Kind::Tool,
        quote!(name = "A-Za.z_09"),
        quote!(
            fn größe() {}
        ),
    );
    assert_error(
        Kind::Prompt,
        quote!(name = ""),
        quote!(
            fn f() {}
        ),
        "must not be empty",
    );
}

#[test]
fn resource_is_rejected_when_uri_or_parameters_are_invalid() {
    let function = || {
        quote!(
            fn f(id: String) {}
        )
    };
    for (attribute, remedy) in [
        (quote!(), "write `#[resource(\"notes://{id}\")]`"),
        (quote!(name = "x"), "write `#[resource(\"notes://{id}\")]`"),
        (quote!("notes://{id"), "unclosed `{`"),
        (quote!("notes"), "has no scheme"),
        (quote!("notes://{owner}/{id}"), "add `owner: String`"),
        (quote!("notes://{user.id}"), "add one with `#[arg(name = \"user.id\")]`"),
        (quote!("notes://{id}", ttl_ms = 1.5), "integer number of milliseconds"),
        (quote!("notes://{id}", priority = 2), "from 0 to 1"),
        (quote!("notes://{id}", priority = -0.5), "from 0 to 1"),
    ] {
        assert_error(Kind::Resource, attribute, function(), remedy);
    }
}

#[test]
fn completion_is_rejected_when_target_or_argument_is_missing() {
    let function = || {
        quote!(
            fn f(prefix: String) {}
        )
    };
    for (attribute, remedy) in [
        (quote!(prompt = "p"), "add `argument = "),
        (quote!(argument = "a"), "add `prompt = "),
        (quote!(argument = "a", prompt = "p", resource = "a://{a}"), "both `prompt` and `resource`: drop one"),
        (quote!(argument = "nmae", resource = "a://{name}"), "did you mean `name`?"),
        (quote!(argument = "zzzz", resource = "a://{name}/{id}"), "write one of `name`, `id`"),
        (quote!(argument = "a", resource = "a://b"), "it has no variables"),
    ] {
        assert_error(Kind::Completion, attribute, function(), remedy);
    }
    assert_error(
        Kind::Completion,
        quote!(prompt = "p", argument = "a"),
        quote!(
            fn f() {}
        ),
        "add `typed: String`",
    );
}

#[test]
fn all_errors_are_reported_when_several_occur() {
    let found = error_messages(
        Kind::Tool,
        quote!(tilte = "x"),
        quote!(
            unsafe fn f(a: &str, b: &[u8]) {}
        ),
    );
    assert_eq!(found.len(), 4, "{found:?}");
}

#[test]
fn component_is_rejected_when_block_or_methods_are_invalid() {
    let component = |item| messages(component::expand(TokenStream::new(), item));
    for (item, remedy) in [
        (
            quote!(
                struct S;
            ),
            "requires an `impl` block",
        ),
        (quote!(impl T for S {}), "put it on an `impl Name { … }` block"),
        (quote!(impl S { fn f(&self) {} }), "this component has no parts"),
        (quote!(impl S { #[tool] fn f(&mut self) {} }), "take `&self`"),
        (quote!(impl S { #[tool] fn f(self) {} }), "take `&self`"),
        (quote!(impl S { #[tool] fn f(self: Arc<Self>) {} }), "take `&self`"),
        (quote!(impl S { #[tool] fn f<T>(&self) {} }), "write the concrete type"),
        (quote!(impl S { #[tool] #[prompt] fn f(&self) {} }), "only one of these attributes"),
        (quote!(impl S { #[tool = "x"] fn f(&self) {} }), "with the options in parentheses"),
        (quote!(impl S { #[tool(crate = "x")] fn f(&self) {} }), "is an option of the block"),
    ] {
        let found = component(item);
        assert!(found.len() == 1 && found[0].contains(remedy), "expected one error with {remedy:?}: {found:?}");
    }
}

#[test]
fn recovery_emits_function_and_type_when_expansion_fails() {
    let tokens = crate::definition::recover(
        Kind::Tool,
        quote!(
            #[prompt]
            fn f(#[arg(x)] a: &str) {}
        ),
    )
    .to_string();
    assert!(tokens.starts_with("fn f (a : & str)") && tokens.contains("struct f { }"), "{tokens}");
    let method = crate::definition::recover(
        Kind::Tool,
        quote!(
            fn f(&self) {}
        ),
    )
    .to_string();
    assert_eq!(
        method,
        quote!(
            fn f(&self) {}
        )
        .to_string()
    );
    let block = component::recover(quote!(impl S { #[tool] fn f(&self, #[arg(x)] a: u8) {} })).to_string();
    assert!(block.contains("fn f (& self , a : u8)") && block.contains("Component for S"), "{block}");
}
