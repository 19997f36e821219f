//! What is refused, and the remedy each message names.

use proc_macro2::TokenStream;
use quote::quote;

use super::{messages, refused};
use crate::{component, kind::Kind};

/// One message, with the remedy in it.
fn once(kind: Kind, attribute: TokenStream, item: TokenStream, remedy: &str) {
    let told = refused(kind, attribute, item);
    assert!(told.len() == 1 && told[0].contains(remedy), "wanted one with {remedy:?}: {told:?}");
}

#[test]
fn only_functions_with_bodies_are_taken() {
    once(
        Kind::Tool,
        quote!(),
        quote!(
            struct S;
        ),
        "goes on a function: write `#[tool] async fn name",
    );
    once(Kind::Tool, quote!(), quote!(impl S {}), "put `#[component]` here");
    once(
        Kind::Tool,
        quote!(),
        quote!(
            fn f(&self);
        ),
        "with a body",
    );
    once(
        Kind::Prompt,
        quote!(),
        quote!(
            fn f(&self) {}
        ),
        "put `#[component]` on the `impl` block",
    );
}

#[test]
fn a_function_is_one_thing() {
    once(
        Kind::Tool,
        quote!(),
        quote!(
            #[prompt]
            fn f() {}
        ),
        "a tool or a prompt: write a second function",
    );
    once(
        Kind::Tool,
        quote!(),
        quote!(
            #[ferromcp::tool]
            fn f() {}
        ),
        "stands here twice",
    );
}

#[test]
fn qualifiers_and_generics_are_refused() {
    once(
        Kind::Tool,
        quote!(),
        quote!(
            unsafe fn f() {}
        ),
        "drop `unsafe`",
    );
    once(
        Kind::Tool,
        quote!(),
        quote!(
            const fn f() {}
        ),
        "drop `const`",
    );
    once(
        Kind::Tool,
        quote!(),
        quote!(
            extern "C" fn f() {}
        ),
        "drop `extern`",
    );
    once(
        Kind::Tool,
        quote!(),
        quote!(
            fn f<T>(x: T) {}
        ),
        "write the concrete type",
    );
    once(
        Kind::Tool,
        quote!(),
        quote!(
            fn f<const N: usize>() {}
        ),
        "write the concrete type",
    );
    once(
        Kind::Tool,
        quote!(),
        quote!(
            fn f<'a>() {}
        ),
        "drop the lifetime",
    );
    once(
        Kind::Tool,
        quote!(blocking),
        quote!(
            async fn f() {}
        ),
        "drop one of the two",
    );
}

#[test]
fn parameters_are_owned() {
    for (ty, remedy) in [
        (quote!(&str), "take `String`: arguments are owned"),
        (quote!(&'static str), "take `String`"),
        (quote!(&[Option<u8>]), "take `Vec<Option<u8>>`"),
        (quote!(&std::path::Path), "take `PathBuf`"),
        (quote!(&Ctx), "take `Ctx`"),
        (quote!(Option<&str>), "take `String`"),
        (quote!(Cow<'a, str>), "write an owned type, or `'static`"),
        (quote!(impl Into<String>), "write a concrete type"),
    ] {
        once(Kind::Tool, quote!(), quote!(fn f(x: #ty) {}), remedy);
    }
    assert!(crate::types::check(&syn::parse_quote!(Cow<'static, str>)).is_ok());
    assert!(crate::types::check(&syn::parse_quote!(Box<dyn Fn(&str) + Send>)).is_ok());
}

#[test]
fn parameters_are_few_and_of_different_names() {
    let many = (0..13).map(|at| quote::format_ident!("p{at}"));
    once(Kind::Tool, quote!(), quote!(fn f(#(#many: u8),*) {}), "take `Args<T>`");
    let most = (0..12).map(|at| quote::format_ident!("p{at}"));
    super::defined(Kind::Tool, quote!(), quote!(fn f(#(#most: u8),*) {}));
    once(
        Kind::Tool,
        quote!(),
        quote!(
            fn f(a: u8, #[arg(name = "a")] b: u8) {}
        ),
        "two parameters are called `a`",
    );
    once(
        Kind::Tool,
        quote!(),
        quote!(
            fn f(#[cfg(unix)] a: u8) {}
        ),
        "two versions of the function",
    );
}

#[test]
fn what_is_said_of_a_parameter_must_fit_it() {
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
        (quote!(#[arg(name = "")]), quote!(u8), "no name for an argument"),
        (quote!(#[arg(name = NAME)]), quote!(u8), "write `name = \"…\"`"),
        (quote!(#[arg]), quote!(u8), "or drop it"),
        (quote!(#[arg(title = "a")] #[arg(default = 1)]), quote!(u8), "put all options into the first"),
    ] {
        once(Kind::Tool, quote!(), quote!(fn f(#attribute x: #ty) {}), remedy);
    }
}

#[test]
fn options_are_known_single_and_well_formed() {
    let function = || {
        quote!(
            fn f() {}
        )
    };
    for (attribute, remedy) in [
        (quote!(tilte = "x"), "`#[tool]` has no option `tilte`: did you mean `title`? It has `name`, `title`"),
        (quote!(zzz), "`#[tool]` has no option `zzz`: drop it. It has `name`"),
        (quote!(read_only), "`#[tool]` has no option `read_only`: write `annotations(read_only)`. It has `name`"),
        (quote!(title = "x", title = "y"), "stands here twice: keep one"),
        (quote!(title), "write `title = \"…\"`"),
        (quote!(title = 5), "put it in quotes"),
        (quote!(blocking = 3), "write `blocking` or `blocking = false`"),
        (quote!(annotations), "write `annotations(read_only"),
        (quote!(annotations(readonly)), "did you mean `read_only`?"),
        (quote!(annotations(read_only, destructive)), "drop `read_only` or `destructive`"),
        (quote!(title = "a" name = "b"), "expected a `,`"),
        (quote!("add"), "expected an option"),
        (quote!(crate = 5), "write `crate = "),
    ] {
        once(Kind::Tool, attribute, function(), remedy);
    }
}

// M26-324, M26-326, M26-327, S-235
#[test]
fn names_of_tools_are_of_the_letters_the_specification_allows() {
    let long = "x".repeat(129);
    for name in ["", "has space", "comma,", "größe", "a/b", long.as_str()] {
        once(
            Kind::Tool,
            quote!(name = #name),
            quote!(
                fn f() {}
            ),
            "1 to 128 of",
        );
    }
    once(
        Kind::Tool,
        quote!(),
        quote!(
            fn größe() {}
        ),
        "give the tool another with `name = \"…\"`",
    );
    let longest = "x".repeat(128);
    super::defined(
        Kind::Tool,
        quote!(name = #longest),
        quote!(
            fn f() {}
        ),
    );
    super::defined(
        Kind::Tool,
        quote!(name = "A-Za.z_09"),
        quote!(
            fn größe() {}
        ),
    );
    once(
        Kind::Prompt,
        quote!(name = ""),
        quote!(
            fn f() {}
        ),
        "asked for by name",
    );
}

#[test]
fn resources_need_a_sound_address_and_its_parameters() {
    let function = || {
        quote!(
            fn f(id: String) {}
        )
    };
    for (attribute, remedy) in [
        (quote!(), "write `#[resource(\"notes://{id}\")]`"),
        (quote!(name = "x"), "write `#[resource(\"notes://{id}\")]`"),
        (quote!("notes://{id"), "never closed"),
        (quote!("notes"), "begins with a scheme"),
        (quote!("notes://{owner}/{id}"), "add `owner: String`"),
        (quote!("notes://{user.id}"), "add one with `#[arg(name = \"user.id\")]`"),
        (quote!("notes://{id}", ttl_ms = 1.5), "whole number of milliseconds"),
        (quote!("notes://{id}", priority = 2), "from 0 to 1"),
        (quote!("notes://{id}", priority = -0.5), "from 0 to 1"),
    ] {
        once(Kind::Resource, attribute, function(), remedy);
    }
}

#[test]
fn completions_need_an_owner_and_an_argument() {
    let function = || {
        quote!(
            fn f(prefix: String) {}
        )
    };
    for (attribute, remedy) in [
        (quote!(prompt = "p"), "Add `argument = "),
        (quote!(argument = "a"), "Add `prompt = "),
        (quote!(argument = "a", prompt = "p", resource = "a://{a}"), "drop `prompt` or `resource`"),
        (quote!(argument = "nmae", resource = "a://{name}"), "did you mean `name`?"),
        (quote!(argument = "zzzz", resource = "a://{name}/{id}"), "write one of `name`, `id`"),
        (quote!(argument = "a", resource = "a://b"), "nothing to complete"),
    ] {
        once(Kind::Completion, attribute, function(), remedy);
    }
    once(
        Kind::Completion,
        quote!(prompt = "p", argument = "a"),
        quote!(
            fn f() {}
        ),
        "add `typed: String`",
    );
}

#[test]
fn several_slips_are_told_together() {
    let told = refused(
        Kind::Tool,
        quote!(tilte = "x"),
        quote!(
            unsafe fn f(a: &str, b: &[u8]) {}
        ),
    );
    assert_eq!(told.len(), 4, "{told:?}");
}

#[test]
fn components_are_inherent_blocks_with_parts_taking_self_by_reference() {
    let component = |item| messages(component::expand(TokenStream::new(), item));
    for (item, remedy) in [
        (
            quote!(
                struct S;
            ),
            "goes on an `impl` block",
        ),
        (quote!(impl T for S {}), "put `#[component]` on an `impl Name { … }` block"),
        (quote!(impl S { fn f(&self) {} }), "this component has no parts"),
        (quote!(impl S { #[tool] fn f(&mut self) {} }), "take `&self`"),
        (quote!(impl S { #[tool] fn f(self) {} }), "take `&self`"),
        (quote!(impl S { #[tool] fn f(self: Arc<Self>) {} }), "take `&self`"),
        (quote!(impl S { #[tool] fn f<T>(&self) {} }), "write the concrete type"),
        (quote!(impl S { #[tool] #[prompt] fn f(&self) {} }), "a method is one part"),
        (quote!(impl S { #[tool = "x"] fn f(&self) {} }), "with the options in parentheses"),
        (quote!(impl S { #[tool(crate = "x")] fn f(&self) {} }), "say it once for the block"),
    ] {
        let told = component(item);
        assert!(told.len() == 1 && told[0].contains(remedy), "wanted one with {remedy:?}: {told:?}");
    }
}

#[test]
fn what_is_refused_leaves_its_names_behind() {
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
