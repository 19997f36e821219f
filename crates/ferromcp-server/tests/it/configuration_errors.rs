//! Configuration errors are reported before serving, with the item that caused them.

use std::ops::Bound;

use ferromcp_core::RawJson;
use ferromcp_server::{Arg, Args, Completion, Ctx, Prompt, Resource, Server, State, Tool};
use serde_json::json;

use crate::client::{Case, Client, Wire};

fn server() -> Server {
    Server::new("invalid", "0")
}

/// Returns the configuration error of a server, which `check` and `serve` report alike.
async fn configuration_error(server: Server) -> String {
    let case = Case { revision: ferromcp_core::Revision::LATEST, wire: Wire::Memory };
    let checked = server.check().expect_err("check reports a configuration error");
    assert!(checked.is_configuration() && !checked.is_transport());
    let error = Client::raw(server, case).close().await.expect_err("serve reports a configuration error");
    assert_eq!(error.to_string(), checked.to_string());
    error.to_string()
}

#[derive(Clone)]
struct Database;

#[tokio::test]
async fn configuration_error_states_type_and_handler_when_state_is_missing() {
    // S-002
    let needy = || {
        server()
            .with_tool(Tool::sync("look", |_: State<Database>, id: u64| id.to_string()).args(["db", "id"]))
            .with_resource(Resource::sync("db://all", |_: State<Database>| ""))
            .with_prompt(Prompt::sync("ask", |_: State<Database>, x: String| x).args(["db", "x"]))
            .with_completion(
                Completion::prompt_sync("ask", "x", |_: State<Database>, typed: String| vec![typed])
                    .args(["db", "typed"]),
            )
    };
    let words = configuration_error(needy()).await;
    for part in [
        "tool `look`",
        "resource `db://all`",
        "prompt `ask`",
        "completion of argument `x`",
        "configuration_errors::Database",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    needy().state(Database).check().unwrap();
    needy().lifespan(|| async { Ok::<_, std::io::Error>(Database) }, |_: Database| async {}).check().unwrap();
}

#[tokio::test]
async fn configuration_error_is_reported_when_names_are_duplicate() {
    // M26-328, S-239
    let words = configuration_error(
        server().with_tool(Tool::sync("copy", || "")).with_tool(Tool::new("copy", || async { "" })),
    )
    .await;
    assert!(words.contains("two tools are named `copy`"), "{words}");
    let words =
        configuration_error(server().with_prompt(Prompt::sync("copy", || "")).with_prompt(Prompt::sync("copy", || "")))
            .await;
    assert!(words.contains("two prompts are named `copy`"), "{words}");
    let words = configuration_error(
        server().with_resource(Resource::sync("a://b", || "")).with_resource(Resource::sync("a://b", || "")),
    )
    .await;
    assert!(words.contains("a://b"), "{words}");
    let complete = || Completion::prompt_sync("p", "x", |typed: String| vec![typed]).args(["typed"]);
    let words = configuration_error(server().with_completion(complete()).with_completion(complete())).await;
    assert!(words.contains("argument `x` of prompt `p`"), "{words}");
}

#[tokio::test]
async fn configuration_error_is_reported_when_name_is_invalid() {
    // M26-324, M26-326, M26-327, S-235, S-237, S-238
    for name in ["", "two words", "a,b", "caf\u{e9}", "a/b", "a\n", &"n".repeat(129)] {
        let words = configuration_error(server().with_tool(Tool::sync(name, || ""))).await;
        assert!(words.contains("1 to 128"), "{words}");
    }
    assert!(configuration_error(server().with_prompt(Prompt::sync("", || ""))).await.contains("prompt"));
}

#[tokio::test]
async fn configuration_error_is_reported_when_parameter_names_are_missing_or_duplicate() {
    // M26-096, S-043
    let add = |a: i64, b: i64| a + b;
    for (args, part) in [
        (vec![], "parameter 1"),
        (vec!["a"], "parameter 2"),
        (vec!["a", ""], "parameter 2"),
        (vec!["_", "b"], "parameter 1"),
        (vec!["a", "a"], "two parameters are named `a`"),
        (vec!["a", "b", "c"], "3 parameters are named"),
    ] {
        let words = configuration_error(server().with_tool(Tool::sync("add", add).args(args.clone()))).await;
        assert!(words.contains("tool `add`") && words.contains(part), "{args:?}: {words}");
    }
    let tool = Tool::sync("add", |a: String| a).args([Arg::new("a").range::<u8>(0..9)]);
    assert!(configuration_error(server().with_tool(tool)).await.contains("`a`"));
    let tool = Tool::sync("add", |a: u8| a).args([Arg::new("a").length(0..9)]);
    assert!(configuration_error(server().with_tool(tool)).await.contains("`a`"));
    server().with_tool(Tool::sync("ctx", |_: Ctx| "")).check().unwrap();
}

#[tokio::test]
async fn configuration_error_is_reported_when_template_is_invalid_or_parameters_differ() {
    // M26-365, M26-373, S-279, S-282, S-289
    for (uri, part) in [
        ("notes", "scheme"),
        ("1notes://x", "scheme"),
        ("no tes://x", ""),
        ("n\u{f6}tes://x", ""),
        ("notes://{", ""),
        ("notes://{id", ""),
        ("notes://{i d}", ""),
        ("notes://{id}", "`id` has no parameter"),
        ("{scheme}://x", ""),
    ] {
        let words = configuration_error(server().with_resource(Resource::sync(uri, || ""))).await;
        assert!(words.contains(part), "{uri}: {words}");
        assert!(words.contains("resource"), "{uri}: {words}");
    }
    let words =
        configuration_error(server().with_resource(Resource::sync("a://b", |id: String| id).args(["id"]))).await;
    assert!(words.contains("`id` is not a variable"), "{words}");
    let words =
        configuration_error(server().with_resource(Resource::sync("a://{x}", |id: String| id).args(["id"]))).await;
    assert!(words.contains("`x`"), "{words}");
}

#[tokio::test]
async fn configuration_error_is_reported_when_schema_is_not_an_object_or_too_large() {
    // M26-319, M26-320, M26-102, S-232, S-233
    let dynamic = |schema: serde_json::Value| Tool::dynamic("raw", schema.into(), |_: RawJson, _| async { "" });
    for schema in
        [json!({ "type": "string" }), json!({}), json!(true), json!([]), json!("x"), json!({ "type": ["object"] })]
    {
        let words = configuration_error(server().with_tool(dynamic(schema.clone()))).await;
        assert!(words.contains("tool `raw`") && words.contains("object"), "{schema}: {words}");
    }
    let wide = json!({ "type": "object", "description": "x".repeat(256 << 10) });
    let words = configuration_error(server().with_tool(dynamic(wide))).await;
    assert!(words.contains("tool `raw`") && words.contains("exceeds the limit of 262144 bytes"), "{words}");
}

#[tokio::test]
async fn configuration_error_is_reported_when_completion_has_no_text_parameter() {
    // M26-405, S-319
    let words =
        configuration_error(server().with_completion(Completion::prompt_sync("p", "x", Vec::<String>::new))).await;
    assert!(words.contains("argument `x` of prompt `p`"), "{words}");
}

#[tokio::test]
async fn all_configuration_errors_are_reported_when_several_exist() {
    // S-002
    let words = configuration_error(
        server()
            .with_tool(Tool::sync("bad name", || ""))
            .with_resource(Resource::sync("nowhere", || ""))
            .with_tool(Tool::sync("needy", |_: State<Database>| "")),
    )
    .await;
    for part in ["bad name", "nowhere", "needy"] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

#[tokio::test]
async fn configuration_error_is_reported_when_default_is_invalid() {
    // M26-319
    let tool = |arg: Arg| server().with_tool(Tool::sync("count", |n: i64| n.to_string()).args([arg]));
    let words = configuration_error(tool(Arg::new("n").default("five"))).await;
    assert!(words.contains("tool `count`: default \"five\" for `n` is not a valid `i64`"), "{words}");
    tool(Arg::new("n").default::<i32>(5)).check().unwrap();
    let words = configuration_error(tool(Arg::new("n").range::<i64>(1..=9).default::<i64>(0))).await;
    assert!(words.contains("default 0 is invalid: `n` must be at least 1 and at most 9, got 0"), "{words}");
    let optional = Tool::sync("count", |n: Option<u8>| format!("{n:?}")).args([Arg::new("n").default(5_u8)]);
    server().with_tool(optional).check().unwrap();
    let optional = Tool::sync("count", |n: Option<u8>| format!("{n:?}")).args([Arg::new("n").default(500)]);
    configuration_error(server().with_tool(optional)).await;
}

#[tokio::test]
async fn configuration_error_is_reported_when_no_value_is_within_a_limit() {
    // S11, S12
    let tool = |arg: Arg| server().with_tool(Tool::sync("count", |n: f64| n.to_string()).args([arg]));
    for arg in [
        Arg::new("n").range::<f64>(2.0..=1.0),
        Arg::new("n").range::<f64>(1.0..1.0),
        Arg::new("n").range::<f64>(f64::NAN..=1.0),
    ] {
        let words = configuration_error(tool(arg)).await;
        assert!(words.contains("tool `count`: no value of `n` is at least"), "{words}");
    }
    tool(Arg::new("n").range::<f64>(1.0..=1.0)).check().unwrap();
    #[allow(clippy::reversed_empty_ranges, reason = "the mistake")]
    let text = Tool::sync("text", |s: Option<String>| s).args([Arg::new("s").length(9..=1)]);
    let words = configuration_error(server().with_tool(text)).await;
    assert!(words.contains("no value of `s` has a length in the range"), "{words}");
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
enum Region {
    Eu,
    Us,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Order {
    #[schemars(extend("x-mcp-header" = "Region"))]
    region: String,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Orders {
    orders: Vec<Order>,
}

#[tokio::test]
async fn configuration_error_is_reported_when_header_annotation_is_invalid() {
    // M26-194, M26-195, M26-196, M26-197, M26-198, M26-200, M26-201
    let text = |mark: &str| Tool::sync("count", |region: String| region).args([Arg::new("region").header(mark)]);
    let marked = || [Arg::new("x").header("X")];
    let two = |a: &str, b: &str| {
        Tool::sync("count", |a: i64, b: bool| format!("{a}{b}"))
            .args([Arg::new("a").header(a), Arg::new("b").header(b)])
    };
    let property = |schema: serde_json::Value| {
        let schema = json!({ "type": "object", "properties": { "x": schema } });
        Tool::dynamic("count", schema.into(), |_: RawJson, _| async { "" })
    };
    for (tool, place, part) in [
        (text(""), "/properties/region", "is empty"),
        (text("my region"), "/properties/region", "is not a token"),
        (text("Region\r\nX: y"), "/properties/region", "is not a token"),
        (text("R\u{e9}gion"), "/properties/region", "is not a token"),
        (two("Same", "sAME"), "/properties/b", "uses the header name of another parameter"),
        (Tool::sync("count", |x: f64| x).args(marked()), "/properties/x", "not string, integer or boolean"),
        (Tool::sync("count", |x: Vec<u8>| x.len()).args(marked()), "/properties/x", "not string, integer or boolean"),
        (Tool::sync("count", |x: Option<f32>| x.is_some()).args(marked()), "/properties/x", "not string"),
        (
            Tool::sync("count", |Args(all): Args<Orders>| all.orders.first().map(|it| it.region.clone())),
            "/properties/orders/items/properties/region",
            "is not on a property reached through `properties` alone",
        ),
        (property(json!({ "type": "number", "x-mcp-header": "X" })), "/properties/x", "not string"),
        (property(json!({ "type": ["string", "null"], "x-mcp-header": "X" })), "/properties/x", "not string"),
        (property(json!({ "type": "string", "x-mcp-header": 5 })), "/properties/x", "is not a string"),
        (property(json!({ "anyOf": [{ "type": "string", "x-mcp-header": "X" }] })), "/anyOf/0", "`properties` alone"),
    ] {
        let words = configuration_error(server().with_tool(tool)).await;
        for part in ["tool `count`: `x-mcp-header` at", place, part] {
            assert!(words.contains(part), "{part}: {words}");
        }
    }
}

#[tokio::test]
async fn header_annotation_is_accepted_when_type_is_string_integer_boolean_or_enum() {
    // M26-191, M26-198, M26-200
    let arg = |name: &str| Arg::new(name).header(format!("X-{name}"));
    let tool = Tool::sync("all", |a: String, b: Option<u8>, c: bool, d: Region, e: Option<Region>, f: i64| {
        let region = |it: Region| matches!(it, Region::Eu | Region::Us);
        format!("{a}{b:?}{c}{}{}{f}", region(d), e.is_some_and(region))
    });
    let whole = Tool::sync("whole", |Args(order): Args<Order>| order.region);
    let args = [arg("a"), arg("b"), arg("c").default(true), arg("d"), arg("e"), arg("f").range::<i64>(1..=9)];
    server().with_tool(tool.args(args)).with_tool(whole).check().unwrap();
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[allow(dead_code, reason = "never deserialized")]
struct Filter {
    words: String,
    nested: Option<Inner>,
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[allow(dead_code, reason = "never deserialized")]
struct Inner {
    deep: u8,
}

#[tokio::test]
async fn configuration_error_is_reported_when_completed_argument_does_not_exist() {
    // S11
    let prompt = || {
        Prompt::sync("review", |code: String, _: Ctx, tone: Option<String>| format!("{code}{tone:?}"))
            .args(["code", "ctx", "tone"])
    };
    let template =
        || Resource::sync("notes://{owner}/{id}", |owner: String, id: String| owner + &id).args(["owner", "id"]);
    let of_prompt = |prompt: &str, argument: &str| {
        Completion::prompt_sync(prompt, argument, |typed: String| vec![typed]).args(["typed"])
    };
    let of_template = |template: &str, argument: &str| {
        Completion::resource_sync(template, argument, |typed: String| vec![typed]).args(["typed"])
    };
    for (completion, part) in [
        (of_prompt("review", "cod"), "the prompt has no argument `cod`; did you mean `code`?"),
        (of_prompt("review", "ctx"), "the prompt has no argument `ctx`; known are `code`, `tone`"),
        (of_prompt("reveiw", "code"), "prompt not found; did you mean `review`?"),
        (
            of_template("notes://{owner}/{id}", "ownr"),
            "the resource template has no argument `ownr`; did you mean `owner`?",
        ),
        (of_template("notes://{owner}", "owner"), "resource template not found"),
    ] {
        // In both orders: a completion may precede its prompt.
        let first = server().with_completion(completion.clone()).with_prompt(prompt()).with_resource(template());
        let last = server().with_prompt(prompt()).with_resource(template()).with_completion(completion.clone());
        for server in [first, last] {
            let words = configuration_error(server).await;
            assert!(words.contains(part), "{part}: {words}");
        }
        let running = server().with_prompt(prompt()).with_resource(template());
        let error = running.registry().add_completion(completion).unwrap_err();
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    server()
        .with_completion(of_prompt("review", "tone"))
        .with_completion(of_template("NOTES://{owner}/{id}", "id"))
        .with_prompt(prompt())
        .with_resource(template())
        .check()
        .unwrap();
}

#[tokio::test]
async fn configuration_error_is_reported_when_a_string_cannot_become_the_type() {
    // S11
    let unfit = |name: &str, words: &str| {
        assert!(words.contains(&format!("argument `{name}` has type")), "{words}");
        assert!(words.contains("cannot be deserialized from a string"), "{words}");
    };
    let prompt = Prompt::sync("find", |filter: Filter| format!("{filter:?}")).args(["filter"]);
    unfit("filter", &configuration_error(server().with_prompt(prompt)).await);
    let prompt = Prompt::sync("find", |filter: Option<Filter>| format!("{filter:?}")).args(["filter"]);
    unfit("filter", &configuration_error(server().with_prompt(prompt)).await);
    let prompt = Prompt::sync("find", |all: Vec<Filter>| format!("{all:?}")).args(["all"]);
    unfit("all", &configuration_error(server().with_prompt(prompt)).await);
    let prompt = Prompt::sync("find", |at: (f64, f64)| format!("{at:?}")).args(["at"]);
    unfit("at", &configuration_error(server().with_prompt(prompt)).await);
    let resource = Resource::sync("find://{filter}", |filter: Filter| format!("{filter:?}")).args(["filter"]);
    unfit("filter", &configuration_error(server().with_resource(resource)).await);
    let nested = Prompt::sync("find", |Args(filter): Args<Filter>| format!("{filter:?}"));
    let words = configuration_error(server().with_prompt(nested)).await;
    assert!(words.contains("the field `nested` of the arguments cannot be deserialized from a string"), "{words}");
    let flat = Prompt::sync("find", |size: u8, many: Vec<u8>, any: serde_json::Value, maybe: Option<bool>| {
        format!("{size}{many:?}{any}{maybe:?}")
    });
    server().with_prompt(flat.args(["size", "many", "any", "maybe"])).check().unwrap();
}

#[tokio::test]
async fn configuration_error_is_reported_when_two_states_have_one_type() {
    // S11
    let twice = "two states have the type `u8`; remove one, or wrap it in a newtype";
    let lifespan = |server: Server| server.lifespan(|| async { Ok::<_, std::io::Error>(7_u8) }, |_: u8| async {});
    for server in [
        server().state(1_u8).state(2_u8),
        lifespan(server().state(1_u8)),
        lifespan(server()).state(1_u8),
        lifespan(lifespan(server())),
        server().state(1_u8).clone().state(2_u8),
    ] {
        assert!(configuration_error(server).await.contains(twice));
    }
    lifespan(server().state(1_u16)).check().unwrap();
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[allow(dead_code, reason = "never deserialized")]
struct Sort {
    order: String,
}

#[tokio::test]
async fn configuration_error_names_tool_and_parameters_when_args_is_not_alone() {
    let tool = |tool: Tool| server().with_tool(tool);
    let args = |name: &str| name.to_owned();
    for (server, parts) in [
        (
            tool(Tool::sync("find", |_: Args<Filter>, _: Ctx, _: Args<Sort>| "")),
            ["tool `find`: parameter 1 (`Args<", "::Filter>`) and parameter 3 (`Args<", "both take all arguments"],
        ),
        (
            tool(Tool::new("find", async |_: Ctx, _: Args<Filter>, _: u8| "").args(["ctx", "all", "limit"])),
            [
                "tool `find`: parameter 2 (`Args<",
                "::Filter>`) takes all",
                "so parameter 3 (`limit: u8`) cannot be an argument",
            ],
        ),
        (
            tool(Tool::blocking("find", |_: u8, _: Args<Filter>| "")),
            [
                "tool `find`: parameter 2 (`Args<",
                "takes all arguments",
                "so parameter 1 (`_: u8`) cannot be an argument",
            ],
        ),
        (
            server().with_prompt(Prompt::sync("ask", |_: Args<Sort>, tone: String| tone).args(["all", "tone"])),
            ["prompt `ask`: parameter 1 (`Args<", "::Sort>`) takes all", "make it a field of the struct"],
        ),
        (
            server().with_resource(
                Resource::sync("notes://{order}/{id}", |_: Args<Sort>, id: String| id)
                    .args([args("all"), args("id")].map(Arg::new)),
            ),
            ["resource `notes://{order}/{id}`: parameter 1", "takes all arguments", "parameter 2 (`id: "],
        ),
    ] {
        let words = configuration_error(server).await;
        for part in parts {
            assert!(words.contains(part), "{part}: {words}");
        }
    }
    server().with_tool(Tool::sync("find", |_: Ctx, _: Args<Filter>, _: State<u8>| "")).state(1_u8).check().unwrap();
}

#[tokio::test]
async fn configuration_errors_are_short_when_names_are_long() {
    let long = || "n".repeat(3 << 20);
    let typed = |completion: Completion| completion.args(["typed"]);
    let text = |name: String| Tool::sync("t", |_: String| "").args([Arg::new(name)]);
    let two = || Tool::sync("t", |_: u8, _: u8| "").args([Arg::new(long()), Arg::new(long())]);
    let prompt = || Prompt::sync(long(), |_: u8| "").args(["n"]);
    let template = || Resource::sync(format!("x://{}/{{id}}", long()), |_: u8| "").args(["n"]);
    let needy = |_: State<u64>| "";
    let completion = |of: String, argument: String| typed(Completion::prompt_sync(of, argument, |_: String| vec!["a"]));
    let header = |name: String| server().with_tool(text("a".into()).args([Arg::new("a").header(name)]));
    let default = Arg::new("x").length(..2).default::<String>(long());
    for server in [
        server().with_tool(Tool::sync(long(), || "")),
        server().with_tool(text(long()).args([Arg::new(long()).range::<u8>(1..=2)])),
        server().with_tool(
            Tool::sync("t", |_: u8| "").args([Arg::new(long()).range::<u8>((Bound::Excluded(9), Bound::Excluded(9)))]),
        ),
        server().with_tool(Tool::sync("t", |_: String| "").args([default])),
        server().with_tool(two()),
        server().with_tool(Tool::sync("t", |_: Args<Sort>, _: u8| "").args([Arg::new(long()), Arg::new(long())])),
        header(long()),
        server().with_tool(Tool::dynamic(
            "t",
            json!({ "type": "object", "properties": { long(): { "x-mcp-header": 1 } } }).into(),
            |_: RawJson, _| async { "" },
        )),
        server().with_prompt(Prompt::sync(long(), |_: Filter| "")),
        server().with_prompt(prompt()).with_prompt(prompt()),
        server().with_prompt(Prompt::sync(long(), needy)),
        server().with_resource(template()),
        server().with_resource(Resource::sync(long(), || "")),
        server().with_resource(Resource::sync(format!("x:{}", long()), needy)),
        server()
            .with_resource(Resource::sync(format!("x:{}", long()), || ""))
            .with_resource(Resource::sync(format!("x:{}", long()), || "")),
        server().with_resource(Resource::sync("x://a", |_: u8| "").args([Arg::new(long())])),
        server().with_completion(completion(long(), long())),
        server()
            .with_completion(completion("p".into(), long()))
            .with_prompt(Prompt::sync("p", |_: u8| "").args([Arg::new(format!("m{}", long()))])),
        server().mount(&long().replace('n', "/"), Server::new("inner", "0")),
        server().mount("in", Server::new(long(), "0").with_tool(Tool::sync("t", needy))),
        server().extension(&long(), RawJson::empty_object()),
    ] {
        let words = configuration_error(server).await;
        assert!(words.len() < 4000, "{} bytes: {}", words.len(), &words[..500]);
        assert!(words.contains("bytes") || words.contains('…'), "names are truncated: {words}");
    }
    let error = server().registry().add_tool(Tool::sync(long(), || "")).unwrap_err().to_string();
    assert!(error.len() < 500, "{} bytes", error.len());
    // The warnings about hosts, too.
    let schema = json!({ "type": "object", "properties": { "n".repeat(20_000): { "type": "array" } } });
    let open = server().with_tool(Tool::dynamic("t", schema.into(), |_: RawJson, _| async { "" }));
    let warnings: usize = open.host_warnings().iter().map(|warning| warning.to_string().len()).sum();
    assert!((1..4000).contains(&warnings), "{warnings} bytes");
}
