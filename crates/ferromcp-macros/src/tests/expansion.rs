//! Expansions of accepted items.

use quote::quote;

use super::{expand_builder, expand_component, expand_function};
use crate::kind::Kind;

#[test]
fn tool_expands_to_function_and_type() {
    let expansion = expand_function(
        Kind::Tool,
        quote!(
            title = "Query",
            annotations(read_only, open_world = false),
            icon = "https://example.org/q.png",
            scopes = ["notes:read", WRITE]
        ),
        quote! {
            /// Runs a query.
            #[cfg(unix)]
            pub(crate) async fn query(
                /// SQL to run
                sql: String,
                #[arg(range(1..=1000), default = 50)] mut limit: Option<u32>,
                State(db): State<Db>,
            ) -> Result<Json<Rows>, ToolError> {
                db.run(&sql, limit).await
            }
        },
    );
    assert_eq!(
        expansion,
        r#"#[allow(clippy::needless_pass_by_value, clippy::unused_async)]
/// Runs a query.
#[cfg(unix)]
pub(crate) async fn query(
    sql: String,
    mut limit: Option<u32>,
    State(db): State<Db>,
) -> Result<Json<Rows>, ToolError> {
    db.run(&sql, limit).await
}
#[cfg(unix)]
///Type that registers the tool `query` with a server.
#[allow(non_camel_case_types, unreachable_pub)]
#[derive(::std::clone::Clone, ::std::marker::Copy, ::std::fmt::Debug)]
pub(crate) struct query {}
#[cfg(unix)]
impl ::ferromcp::server::ToolDef for query {
    fn tool() -> ::ferromcp::server::Tool {
        const TYPES_CHECKED: usize = {
            {
                #[allow(unused_imports)]
                use ::ferromcp::server::{
                    FallbackTypeCheck as _, TypeCheck as __TypeCheck,
                };
                let _ = __TypeCheck::<String>::parameter;
                let _ = __TypeCheck::<Option<u32>>::parameter;
                let _ = __TypeCheck::<State<Db>>::extractor;
                let _ = __TypeCheck::<Json<Rows>>::tool_output;
            }
            {
                const fn future_is_send<T0, T1, T2, F: ::std::marker::Send>(
                    _: fn(T0, T1, T2) -> F,
                ) {}
                future_is_send(query);
            }
            0
        };
        ::ferromcp::server::Tool::new(
                "query",
                |
                    a0: String,
                    a1: Option<u32>,
                    a2: State<Db>,
                | -> <[_; TYPES_CHECKED] as ::std::iter::IntoIterator>::Item {
                    query(a0, a1, a2)
                },
            )
            .title("Query")
            .describe("Runs a query.")
            .icon(::ferromcp::model::Icon::new("https://example.org/q.png"))
            .scopes(["notes:read", WRITE])
            .args([
                ::ferromcp::server::Arg::new("sql").describe("SQL to run"),
                ::ferromcp::server::Arg::new("limit")
                    .default::<u32>(50)
                    .range::<u32>(1..=1000),
                ::ferromcp::server::Arg::new("_"),
            ])
            .read_only(true)
            .open_world(false)
    }
}
"#
    );
}

#[test]
fn resource_expands_with_name_and_mime_type() {
    let expansion = expand_function(
        Kind::Resource,
        quote!("notes://{owner}/{id}{?lang}", mime_type = "text/plain", ttl_ms = 60_000, priority = 1, blocking),
        quote! {
            fn note(owner: String, id: u32, #[arg(default = "en")] lang: String) -> String {
                owner
            }
        },
    );
    assert_eq!(
        expansion,
        r#"#[allow(clippy::needless_pass_by_value, clippy::unused_async)]
fn note(owner: String, id: u32, lang: String) -> String {
    owner
}
///Type that registers the resource `note` with a server.
#[allow(non_camel_case_types, unreachable_pub)]
#[derive(::std::clone::Clone, ::std::marker::Copy, ::std::fmt::Debug)]
struct note {}
impl ::ferromcp::server::ResourceDef for note {
    fn resource() -> ::ferromcp::server::Resource {
        const TYPES_CHECKED: usize = {
            {
                #[allow(unused_imports)]
                use ::ferromcp::server::{
                    FallbackTypeCheck as _, TypeCheck as __TypeCheck,
                };
                let _ = __TypeCheck::<String>::parameter;
                let _ = __TypeCheck::<u32>::parameter;
                let _ = __TypeCheck::<String>::parameter;
            }
            0
        };
        ::ferromcp::server::Resource::blocking(
                "notes://{owner}/{id}{?lang}",
                |
                    a0: String,
                    a1: u32,
                    a2: String,
                | -> <[_; TYPES_CHECKED] as ::std::iter::IntoIterator>::Item {
                    note(a0, a1, a2)
                },
            )
            .name("note")
            .args([
                ::ferromcp::server::Arg::new("owner"),
                ::ferromcp::server::Arg::new("id"),
                ::ferromcp::server::Arg::new("lang")
                    .default::<
                        String,
                    >(<String as ::std::convert::From<&str>>::from("en")),
            ])
            .mime_type("text/plain")
            .ttl_ms(60_000)
            .priority(1.0)
    }
}
"#
    );
}

#[test]
fn component_expands_to_parts() {
    let expansion = expand_component(quote! {
        impl<S: Store> Notes<S> {
            /// Adds a note.
            #[tool]
            async fn add(
                &self,
                /// The text
                text: String,
                ctx: Ctx,
            ) -> i64 {
                self.store.add(text)
            }

            #[prompt(title = "Sum up")]
            #[cfg(feature = "prompts")]
            fn sum_up(&self) -> String {
                self.store.all()
            }

            fn untouched(&self, #[allow(unused)] x: &str) {}
        }
    });
    assert_eq!(
        expansion,
        r#"impl<S: Store> Notes<S> {
    /// Adds a note.
    #[allow(clippy::needless_pass_by_value, clippy::unused_async)]
    async fn add(&self, text: String, ctx: Ctx) -> i64 {
        self.store.add(text)
    }
    #[cfg(feature = "prompts")]
    #[allow(clippy::needless_pass_by_value, clippy::unused_async)]
    fn sum_up(&self) -> String {
        self.store.all()
    }
    fn untouched(&self, #[allow(unused)] x: &str) {}
}
impl<S: Store> ::ferromcp::server::Component for Notes<S> {
    #[allow(deprecated, unused_mut)]
    fn parts(self: ::std::sync::Arc<Self>) -> ::ferromcp::server::Parts {
        let mut parts = ::ferromcp::server::Parts::new();
        {
            {
                #[allow(unused_imports)]
                use ::ferromcp::server::{
                    FallbackTypeCheck as _, TypeCheck as __TypeCheck,
                };
                let _ = __TypeCheck::<String>::parameter;
                let _ = __TypeCheck::<Ctx>::parameter;
            }
            {
                const fn future_is_send<T0, T1, T2, F: ::std::marker::Send>(
                    _: fn(T0, T1, T2) -> F,
                ) {}
                future_is_send(Self::add);
            }
            parts = parts
                .tool(
                    ::ferromcp::server::Tool::new(
                            "add",
                            {
                                let this = ::std::sync::Arc::clone(&self);
                                move |a0: String, a1: Ctx| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::add(&this, a0, a1).await }
                                }
                            },
                        )
                        .describe("Adds a note.")
                        .args([
                            ::ferromcp::server::Arg::new("text").describe("The text"),
                            ::ferromcp::server::Arg::new("ctx"),
                        ]),
                );
        }
        #[cfg(feature = "prompts")]
        {
            parts = parts
                .prompt(
                    ::ferromcp::server::Prompt::sync(
                            "sum_up",
                            {
                                let this = ::std::sync::Arc::clone(&self);
                                move || { Self::sum_up(&this) }
                            },
                        )
                        .title("Sum up"),
                );
        }
        parts
    }
}
"#
    );
}

#[test]
fn method_type_check_suppresses_builder_errors_when_not_generic() {
    let expansion = expand_component(quote! {
        impl Notes {
            #[tool]
            fn plain(&self, id: u32) -> u32 { id }
            #[tool]
            fn own(id: Self) -> u32 { 0 }
        }
    });
    assert_eq!(
        expansion,
        r#"impl Notes {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async)]
    fn plain(&self, id: u32) -> u32 {
        id
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_async)]
    fn own(id: Self) -> u32 {
        0
    }
}
impl ::ferromcp::server::Component for Notes {
    #[allow(deprecated, unused_mut)]
    fn parts(self: ::std::sync::Arc<Self>) -> ::ferromcp::server::Parts {
        let mut parts = ::ferromcp::server::Parts::new();
        {
            const TYPES_CHECKED: usize = {
                {
                    #[allow(unused_imports)]
                    use ::ferromcp::server::{
                        FallbackTypeCheck as _, TypeCheck as __TypeCheck,
                    };
                    let _ = __TypeCheck::<u32>::parameter;
                }
                0
            };
            parts = parts
                .tool(
                    ::ferromcp::server::Tool::sync(
                            "plain",
                            {
                                let this = ::std::sync::Arc::clone(&self);
                                move |
                                    a0: u32,
                                | -> <[_; TYPES_CHECKED] as ::std::iter::IntoIterator>::Item {
                                    Self::plain(&this, a0)
                                }
                            },
                        )
                        .args([::ferromcp::server::Arg::new("id")]),
                );
        }
        {
            {
                #[allow(unused_imports)]
                use ::ferromcp::server::{
                    FallbackTypeCheck as _, TypeCheck as __TypeCheck,
                };
                let _ = __TypeCheck::<Self>::parameter;
            }
            parts = parts
                .tool(
                    ::ferromcp::server::Tool::sync("own", |a0: Self| { Self::own(a0) })
                        .args([::ferromcp::server::Arg::new("id")]),
                );
        }
        parts
    }
}
"#
    );
}

#[test]
fn completion_expands_with_its_target() {
    let constructor = |attribute, item| {
        let built = expand_builder(Kind::Completion, attribute, item);
        let (_, call) = built.split_once("server::Completion::").expect("a constructor");
        call.split_once(',').map(|(start, _)| start.replace(' ', "")).expect("arguments")
    };
    let sync = quote!(
        fn names(typed: String) -> Vec<String> {
            Vec::new()
        }
    );
    let asynchronous = quote!(
        async fn names(typed: String) -> Vec<String> {
            Vec::new()
        }
    );
    let resource = quote!(resource = "greeting://{name}", argument = "name");
    let prompt = quote!(prompt = "review", argument = "language");
    assert_eq!(constructor(prompt.clone(), sync.clone()), "prompt_sync(\"review\"");
    assert_eq!(constructor(resource.clone(), sync), "resource_sync(\"greeting://{name}\"");
    assert_eq!(constructor(prompt, asynchronous.clone()), "prompt(\"review\"");
    assert_eq!(constructor(resource, asynchronous), "resource(\"greeting://{name}\"");
}

#[test]
fn constructor_depends_on_async_and_blocking() {
    let constructor = |attribute, item| {
        let built = expand_builder(Kind::Tool, attribute, item);
        ["new", "sync", "blocking"].into_iter().find(|name| built.contains(&format!("Tool::{name}(")))
    };
    assert_eq!(
        constructor(
            quote!(),
            quote!(
                async fn f() {}
            )
        ),
        Some("new")
    );
    assert_eq!(
        constructor(
            quote!(),
            quote!(
                fn f() {}
            )
        ),
        Some("sync")
    );
    assert_eq!(
        constructor(
            quote!(blocking),
            quote!(
                fn f() {}
            )
        ),
        Some("blocking")
    );
    assert_eq!(
        constructor(
            quote!(blocking = false),
            quote!(
                fn f() {}
            )
        ),
        Some("sync")
    );
    assert_eq!(
        constructor(
            quote!(),
            quote!(
                fn f() -> impl Future<Output = i64> + Send {
                    g()
                }
            )
        ),
        Some("new")
    );
}

#[test]
fn wire_names_are_used_in_builders() {
    let name = |attribute, item| expand_builder(Kind::Tool, attribute, item).split('"').nth(1).map(str::to_owned);
    assert_eq!(
        name(
            quote!(),
            quote!(
                fn r#type() {}
            )
        )
        .as_deref(),
        Some("type")
    );
    assert_eq!(
        name(
            quote!(name = "db.query-1"),
            quote!(
                fn f() {}
            )
        )
        .as_deref(),
        Some("db.query-1")
    );

    let args = expand_builder(
        Kind::Tool,
        quote!(),
        quote!(
            fn f(r#in: u8, mut x: u8, #[arg(name = "wireName")] y: u8, State(s): State<S>, _: Ctx) {}
        ),
    );
    for name in ["in", "x", "wireName"] {
        assert!(args.contains(&format!("Arg::new(\"{name}\")")), "{name}: {args}");
    }
    assert_eq!(args.matches("Arg::new(\"_\")").count(), 2, "{args}");
}

#[test]
fn description_option_overrides_doc_comment() {
    let function = quote! {
        /// From the comment.
        fn f(
            /// From the comment.
            #[arg(title = "X", description = "Given too")]
            x: u8,
        ) {}
    };
    let expansion = expand_builder(Kind::Tool, quote!(description = "Given"), function);
    assert!(
        expansion.contains(".describe(\"Given\")") && expansion.contains(".describe(\"Given too\")"),
        "{expansion}"
    );
    assert!(expansion.contains(".title(\"X\")") && !expansion.contains("comment"), "{expansion}");
}

#[test]
fn limits_and_defaults_use_the_parameter_type() {
    let expansion = expand_builder(
        Kind::Tool,
        quote!(),
        quote! {
            fn f(
                #[arg(range(0..=1), default = 1)] weight: f64,
                #[arg(range(-5..))] shift: Option<f32>,
                #[arg(default, length(0..=80))] tags: Vec<String>,
                #[arg(default = "asc")] order: Option<String>,
                #[arg(default = Order::Up, range(LIMITS))] sort: Order,
                #[arg(header = "Region", length(1..=9))] region: String,
                #[arg(header = TENANT)] tenant: Option<String>,
            ) {}
        },
    );
    for call in [
        ".default::<f64>(1.0)",
        ".range::<f64>(0.0..=1.0)",
        ".range::<f32>(-5.0..)",
        ".default::< Vec<String>, >(<Vec<String> as ::std::default::Default>::default())",
        ".length(0..=80)",
        ".default::< String, >(<String as ::std::convert::From<&str>>::from(\"asc\"))",
        ".default::<Order>(Order::Up)",
        ".range::<Order>(LIMITS)",
        ".length(1..=9).header(\"Region\")",
        ".header(TENANT)",
    ] {
        assert!(expansion.contains(call), "{call}: {expansion}");
    }
}

#[test]
fn crate_option_sets_the_facade_path() {
    let expansion = expand_function(
        Kind::Prompt,
        quote!(crate = "my::sdk", name = "n", blocking),
        quote!(
            fn f(x: u8) -> String {
                String::new()
            }
        ),
    );
    assert!(!expansion.contains("ferromcp"), "{expansion}");
    assert!(expansion.contains("impl my::sdk::server::PromptDef for f"), "{expansion}");
    assert!(expansion.contains("my::sdk::server::Prompt::blocking(\n"), "{expansion}");
}

#[test]
fn deprecated_and_hidden_are_copied_to_the_type() {
    let expansion = expand_function(
        Kind::Tool,
        quote!(),
        quote! {
            #[deprecated = "use `g`"]
            #[doc(hidden)]
            pub fn f() {}
        },
    );
    assert_eq!(expansion.matches("#[deprecated = \"use `g`\"]").count(), 2, "{expansion}");
    assert_eq!(expansion.matches("#[doc(hidden)]").count(), 2, "{expansion}");
    assert!(expansion.contains("#[allow(deprecated)]\nimpl"), "{expansion}");
}

#[test]
fn args_extractor_covers_all_template_variables() {
    let expansion = expand_builder(
        Kind::Resource,
        quote!("a://{b}/{c}"),
        quote!(
            fn f(Args(all): Args<All>) {}
        ),
    );
    assert!(expansion.contains("Resource::sync("), "{expansion}");
    let constant = expand_builder(
        Kind::Resource,
        quote!(URI, name = NAME),
        quote!(
            fn f() {}
        ),
    );
    assert!(constant.contains("Resource::sync(URI, || { f() }).name(NAME)"), "{constant}");
}
