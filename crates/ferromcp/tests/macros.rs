//! What the attribute macros write, compiled against the real builders and called.

#![allow(missing_docs, reason = "the definitions here are the tests")]

use std::sync::Mutex;

use ferromcp::core::ClientRequest;
use ferromcp::core::Revision;
use ferromcp::model::{ListParams, ResourceDefinition};
use ferromcp::prelude::*;
use ferromcp::server::{Call, Peer, Reply, State};
use ferromcp::server::{Component, Parts, ToolDef};
use serde_json::{Value, json};

/// Asks in this process; the result as JSON, or the error's message.
async fn ask(server: &Server, request: ClientRequest) -> Result<Value, String> {
    match server.call(Call::new(request, Peer::new(Revision::LATEST))).await {
        Reply::Done(result) => Ok(serde_json::to_value(&result).expect("results are JSON")),
        Reply::Failed(error) => Err(error.message),
        other => panic!("nothing here asks the client: {other:?}"),
    }
}

async fn call(server: &Server, tool: &str, arguments: Value) -> Value {
    let params = serde_json::from_value(json!({ "name": tool, "arguments": arguments })).expect("parameters");
    ask(server, ClientRequest::CallTool(params)).await.expect("tools answer")
}

async fn text(server: &Server, tool: &str, arguments: Value) -> String {
    call(server, tool, arguments).await["content"][0]["text"].as_str().expect("a text").to_owned()
}

async fn read(server: &Server, uri: &str) -> Result<Value, String> {
    let params = serde_json::from_value(json!({ "uri": uri })).expect("parameters");
    let result = ask(server, ClientRequest::ReadResource(params)).await?;
    Ok(result["contents"][0].clone())
}

async fn listed(server: &Server) -> Value {
    let result = ask(server, ClientRequest::ListTools(ListParams::default())).await.expect("a list");
    result["tools"].clone()
}

/// Finds notes
/// by their words.
///
/// Newest first.
#[tool(
    title = "Search notes",
    annotations(read_only, destructive = false, idempotent, open_world = false),
    icon = "https://example.org/a.png",
    icon = "https://example.org/b.png"
)]
async fn search(
    /// Words the note must hold
    #[arg(title = "Words", length(1..=80))]
    words: String,
    #[arg(range(1..=1000), default = 50)] limit: u32,
    #[arg(range(0..=1), default = 1)] weight: f64,
    #[arg(name = "sortBy", default = "date")] sort_by: String,
    #[arg(description = "Tags to have")] tags: Option<Vec<String>>,
    State(notes): State<Vec<String>>,
    _ctx: Ctx,
) -> String {
    format!("{words} {limit} {weight} {sort_by} {tags:?} {}", notes.len())
}

fn with_search() -> Server {
    Server::new("Test", "1").tool::<search>().state(vec!["one".to_owned(), "two".to_owned()])
}

#[tokio::test]
async fn tool_definition_is_complete_when_attribute_has_all_options() {
    let server = with_search();
    server.check().expect("a sound server");
    let tool = &listed(&server).await[0];
    assert_eq!(tool["name"], "search");
    assert_eq!(tool["title"], "Search notes");
    assert_eq!(tool["description"], "Finds notes by their words.\n\nNewest first.");
    assert_eq!(
        tool["annotations"],
        json!({ "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false })
    );
    assert_eq!(tool["icons"].as_array().map(Vec::len), Some(2));

    let schema = &tool["inputSchema"];
    assert_eq!(schema["required"], json!(["words"]));
    let properties = &schema["properties"];
    assert_eq!(properties.as_object().map(serde_json::Map::len), Some(5), "extractors are no arguments: {properties}");
    assert_eq!(properties["words"]["description"], "Words the note must hold");
    assert_eq!(properties["words"]["title"], "Words");
    assert_eq!((&properties["words"]["minLength"], &properties["words"]["maxLength"]), (&json!(1), &json!(80)));
    assert_eq!((&properties["limit"]["minimum"], &properties["limit"]["maximum"]), (&json!(1), &json!(1000)));
    assert_eq!(properties["limit"]["default"], 50);
    assert_eq!(properties["sortBy"]["default"], "date");
    assert_eq!(properties["tags"]["description"], "Tags to have");
}

#[tokio::test]
async fn defaults_and_limits_are_applied_when_tool_is_called() {
    let server = with_search();
    assert_eq!(text(&server, "search", json!({ "words": "milk" })).await, "milk 50 1 date None 2");
    let given = json!({ "words": "milk", "limit": 3, "weight": 0.5, "sortBy": "name", "tags": ["a"] });
    assert_eq!(text(&server, "search", given).await, "milk 3 0.5 name Some([\"a\"]) 2");
    for bad in
        [json!({ "words": "" }), json!({ "words": "milk", "limit": 0 }), json!({ "words": "milk", "weight": 1.5 })]
    {
        assert_eq!(call(&server, "search", bad.clone()).await["isError"], true, "{bad}");
    }
}

#[tool]
fn r#type(mut word: String) -> String {
    word.push('!');
    word
}

#[tool(name = "math.double", blocking)]
fn double(n: i64) -> i64 {
    n * 2
}

#[tool]
fn later(n: i64) -> impl Future<Output = i64> + Send {
    let next = n + 1;
    async move { next }
}

#[tokio::test]
async fn function_is_a_tool_when_plain_blocking_or_returning_a_future() {
    let server = Server::new("Test", "1").tool::<r#type>().tool::<double>().tool::<later>();
    assert_eq!(text(&server, "type", json!({ "word": "hi" })).await, "hi!");
    assert_eq!(text(&server, "math.double", json!({ "n": 4 })).await, "8");
    assert_eq!(text(&server, "later", json!({ "n": 4 })).await, "5");
}

#[tokio::test]
async fn function_is_callable_when_tool_attribute_is_applied() {
    let double = double(4);
    assert_eq!(double, 8);
    assert_eq!(later(1).await, 2);
    assert!(format!("{:?}", search {}).contains("search"));
    assert!(format!("{:?}", <self::double as ToolDef>::tool()).contains("math.double"));
}

/// A greeting.
#[resource("greeting://{name}{?lang}", title = "Greeting", mime_type = "text/plain", priority = 1, ttl_ms = 60_000)]
fn greeting(name: String, lang: Option<String>) -> String {
    format!("{} {name}", lang.map_or("Hello", |_| "Salut"))
}

#[resource("config://app")]
async fn config() -> &'static str {
    "dark"
}

#[tokio::test]
async fn resource_is_read_when_uri_or_template_matches() {
    let server = Server::new("Test", "1").resource::<greeting>().resource::<config>();
    server.check().expect("a sound server");
    assert_eq!(read(&server, "config://app").await.expect("there")["text"], "dark");
    let read = read(&server, "greeting://Ada?lang=fr").await.expect("there");
    assert_eq!((&read["text"], &read["mimeType"]), (&json!("Salut Ada"), &json!("text/plain")));

    let request = ClientRequest::ListResourceTemplates(ListParams::default());
    let templates = ask(&server, request).await.expect("a list");
    let template = &templates["resourceTemplates"][0];
    assert_eq!((&template["name"], &template["title"]), (&json!("greeting"), &json!("Greeting")));
    assert_eq!((&template["description"], &template["annotations"]["priority"]), (&json!("A greeting."), &json!(1.0)));
}

async fn all_cities(State(cities): State<Vec<String>>, _ctx: Ctx) -> Result<Vec<ResourceDefinition>, ToolError> {
    Ok(cities.iter().map(|city| ResourceDefinition::new(format!("city://{city}"), city)).collect())
}

#[resource("city://{name}", list = all_cities)]
fn city(name: String) -> String {
    name
}

#[resource("number://{n}", list = || [ResourceDefinition::new("number://1", "one")])]
fn number(n: u8) -> String {
    n.to_string()
}

async fn resources(server: &Server) -> Vec<String> {
    let list = ask(server, ClientRequest::ListResources(ListParams::default())).await.expect("a list");
    let uri = |resource: &Value| resource["uri"].as_str().expect("a URI").to_owned();
    list["resources"].as_array().expect("resources").iter().map(uri).collect()
}

#[tokio::test]
async fn resources_are_listed_when_a_template_has_a_list_function() {
    // S15
    let cities = vec!["oslo".to_owned(), "rome".to_owned()];
    let server = Server::new("Test", "1").state(cities).resource::<city>().resource::<number>();
    server.check().expect("a sound server");
    assert_eq!(resources(&server).await, ["city://oslo", "city://rome", "number://1"]);
    assert_eq!(read(&server, "city://rome").await.expect("there")["text"], "rome");
}

/// Reviews code.
#[prompt(title = "Review")]
fn review(
    /// The language
    language: String,
) -> String {
    format!("Review this {language}.")
}

#[completion(prompt = "review", argument = "language")]
fn languages(typed: String) -> Vec<&'static str> {
    ["python", "ruby", "rust"].into_iter().filter(|language| language.starts_with(&typed)).collect()
}

#[completion(resource = "greeting://{name}{?lang}", argument = "name")]
async fn names(typed: String, lang: Option<String>) -> Vec<String> {
    vec![format!("{typed}-{}", lang.unwrap_or_default())]
}

#[tokio::test]
async fn prompt_is_returned_and_completed_when_arguments_are_given() {
    let server = Server::new("Test", "1")
        .prompt::<review>()
        .resource::<greeting>()
        .completion::<languages>()
        .completion::<names>();
    server.check().expect("a sound server");
    let prompts = ask(&server, ClientRequest::ListPrompts(ListParams::default())).await.expect("a list");
    let prompt = &prompts["prompts"][0];
    assert_eq!((&prompt["title"], &prompt["description"]), (&json!("Review"), &json!("Reviews code.")));
    assert_eq!(prompt["arguments"], json!([{ "name": "language", "description": "The language", "required": true }]));

    let get = json!({ "name": "review", "arguments": { "language": "Rust" } });
    let got = ask(&server, ClientRequest::GetPrompt(serde_json::from_value(get).expect("parameters"))).await;
    assert_eq!(got.expect("a prompt")["messages"][0]["content"]["text"], "Review this Rust.");

    let complete = |of: Value, argument: Value| {
        let params = json!({ "ref": of, "argument": argument, "context": { "arguments": { "lang": "fr" } } });
        ask(&server, ClientRequest::Complete(serde_json::from_value(params).expect("parameters")))
    };
    let typed =
        complete(json!({ "type": "ref/prompt", "name": "review" }), json!({ "name": "language", "value": "r" }));
    assert_eq!(typed.await.expect("values")["completion"]["values"], json!(["ruby", "rust"]));
    let template = json!({ "type": "ref/resource", "uri": "greeting://{name}{?lang}" });
    let typed = complete(template, json!({ "name": "name", "value": "A" }));
    assert_eq!(typed.await.expect("values")["completion"]["values"], json!(["A-fr"]));
}

#[derive(Debug, Default)]
struct Notes<T> {
    notes: Mutex<Vec<T>>,
}

#[component]
impl<T> Notes<T>
where
    T: From<String> + std::fmt::Display + Send + 'static,
{
    /// Takes a note.
    #[tool]
    async fn take(&self, this: String, _ctx: Ctx) -> usize {
        std::future::ready(()).await;
        let mut notes = self.notes.lock().expect("no panics");
        notes.push(this.into());
        notes.len()
    }

    #[tool]
    fn limit() -> usize {
        usize::from(u8::MAX)
    }

    fn all_notes(&self) -> Vec<ResourceDefinition> {
        let definition = |id| ResourceDefinition::new(format!("note://{id}"), format!("note {id}"));
        (0..self.count()).map(definition).collect()
    }

    #[resource("note://{number}", blocking, list = Self::all_notes)]
    fn note(&self, number: usize) -> String {
        self.notes.lock().expect("no panics").get(number).map(T::to_string).unwrap_or_default()
    }

    #[prompt]
    fn sum_up(&self) -> String {
        format!("Sum up {} notes.", self.count())
    }

    #[tool]
    #[cfg(any())]
    fn gone(&self, nothing: ThereIsNoSuchType) {}

    fn count(&self) -> usize {
        self.notes.lock().expect("no panics").len()
    }
}

#[tokio::test]
async fn component_state_is_shared_when_methods_are_called() {
    let server = Server::new("Test", "1").mount("desk", Notes::<String>::default());
    server.check().expect("a sound server");
    assert_eq!(text(&server, "desk_take", json!({ "this": "milk" })).await, "1");
    assert_eq!(text(&server, "desk_take", json!({ "this": "eggs" })).await, "2");
    assert_eq!(text(&server, "desk_limit", json!({})).await, "255");
    assert_eq!(read(&server, "note://desk/1").await.expect("there")["text"], "eggs");
    assert_eq!(resources(&server).await, ["note://desk/0", "note://desk/1"]); // S15
    let get = serde_json::from_value(json!({ "name": "desk_sum_up" })).expect("parameters");
    let got = ask(&server, ClientRequest::GetPrompt(get)).await.expect("a prompt");
    assert_eq!(got["messages"][0]["content"]["text"], "Sum up 2 notes.");
    assert_eq!(listed(&server).await.as_array().map(Vec::len), Some(2));
}

mod elsewhere {
    pub(crate) use ferromcp as sdk;
}

#[tool(crate = "crate::elsewhere::sdk")]
fn far() -> String {
    "far".to_owned()
}

struct Far;

#[component(crate = "crate::elsewhere::sdk")]
impl Far {
    #[tool]
    fn away(steps: u8) -> String {
        format!("{steps} steps")
    }
}

#[tokio::test]
async fn macros_expand_when_crate_path_is_set() {
    let server = Server::new("Test", "1").tool::<far>().mount("", Far);
    assert_eq!(text(&server, "far", json!({})).await, "far");
    assert_eq!(text(&server, "away", json!({ "steps": 3 })).await, "3 steps");
    let parts: fn(std::sync::Arc<Far>) -> Parts = Far::parts;
    assert!(format!("{:?}", parts(std::sync::Arc::new(Far))).contains("away"));
}
