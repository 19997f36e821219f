//! Functions that list the resources of a template.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ferromcp_core::model::{CacheHint, ResourceDefinition};
use ferromcp_server::{Component, Ctx, List, Parts, Registry, Resource, Server, ServerLimits, State, Tool, ToolError};
use serde_json::{Value, json};

use crate::client::{Case, Client};

type Notes = Arc<Mutex<Vec<String>>>;

fn definition(id: usize) -> ResourceDefinition {
    ResourceDefinition::new(format!("note://{id}"), format!("note {id}"))
}

async fn all_notes(State(notes): State<Notes>) -> Vec<ResourceDefinition> {
    (0..notes.lock().unwrap().len()).map(definition).collect()
}

fn read(id: usize, State(notes): State<Notes>) -> Option<String> {
    notes.lock().unwrap().get(id).cloned()
}

fn template() -> Resource {
    Resource::sync("note://{id}", read).args(["id", "notes"]).mime_type("text/markdown")
}

fn server(notes: &Notes) -> Server {
    Server::new("lists", "0")
        .state(Arc::clone(notes))
        .with_resource(Resource::sync("config://first", || "1"))
        .with_resource(template().list(all_notes))
        .with_resource(Resource::sync("config://last", || "2"))
}

fn notes(count: usize) -> Notes {
    Arc::new(Mutex::new((0..count).map(|id| format!("text {id}")).collect()))
}

/// Returns the URIs of each page.
async fn pages(client: &mut Client) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut params = Value::Null;
    loop {
        let result = client.result("resources/list", params).await;
        let uri = |resource: &Value| resource["uri"].as_str().unwrap().to_owned();
        pages.push(result["resources"].as_array().unwrap().iter().map(uri).collect());
        match result.get("nextCursor") {
            Some(cursor) => params = json!({ "cursor": cursor }),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn resources_of_a_template_are_listed_at_its_position() {
    // S15
    for case in Case::all() {
        let notes = notes(2);
        let mut client = Client::connect(server(&notes), case).await;
        let all = pages(&mut client).await;
        assert_eq!(all, [["config://first", "note://0", "note://1", "config://last"]]);
        let listed = client.result("resources/list", Value::Null).await["resources"][1].clone();
        assert_eq!(listed, json!({ "uri": "note://0", "name": "note 0", "mimeType": "text/markdown" }));
        let read = client.result("resources/read", json!({ "uri": "note://1" })).await;
        assert_eq!(read["contents"][0]["text"], "text 1");
        notes.lock().unwrap().clear();
        assert_eq!(pages(&mut client).await, [["config://first", "config://last"]]);
        let templates = client.result("resources/templates/list", Value::Null).await["resourceTemplates"].clone();
        assert_eq!(templates[0]["uriTemplate"], "note://{id}");
    }
}

#[tokio::test]
async fn pages_contain_each_resource_once_for_every_page_size() {
    // S15
    for case in Case::eras() {
        for count in [0, 1, 2, 3, 5] {
            for size in 1..=8 {
                let server = server(&notes(count)).limits(ServerLimits::new().page_size(size));
                let mut client = Client::connect(server, case).await;
                let pages = pages(&mut client).await;
                assert!(pages.iter().all(|page| page.len() <= size), "{pages:?}");
                let mut expected = vec!["config://first".to_owned()];
                expected.extend((0..count).map(|id| format!("note://{id}")));
                expected.push("config://last".to_owned());
                assert_eq!(pages.concat(), expected, "{count} notes, pages of {size}");
            }
        }
        let mut client = Client::connect(server(&notes(1)), case).await;
        for cursor in ["", "x", "AAAAAAAAAAAAAAAAAA"] {
            assert_eq!(client.error("resources/list", json!({ "cursor": cursor })).await["code"], -32602);
        }
    }
}

#[tokio::test]
async fn list_is_returned_by_every_form_of_function() {
    // S15
    let iterator = || [definition(0)].into_iter().chain((1..2).map(definition));
    let fallible = async |_: Ctx| Ok::<_, ToolError>(vec![definition(0), definition(1)]);
    let templates = [
        template().list(|| vec![definition(0), definition(1)]),
        template().list(iterator),
        template().list(fallible),
        template().list(|State(notes): State<Notes>| async move {
            let count = notes.lock().unwrap().len();
            (0..count).map(definition).collect::<Vec<_>>()
        }),
    ];
    for template in templates {
        let server = Server::new("forms", "0").state(notes(2)).with_resource(template);
        let mut client = Client::connect(server, Case::eras()[1]).await;
        assert_eq!(pages(&mut client).await, [["note://0", "note://1"]]);
    }
}

#[tokio::test]
async fn unreadable_and_repeated_resources_are_skipped() {
    // S15
    for case in Case::eras() {
        let list = || {
            [
                ResourceDefinition::new("other://1", "unknown"),
                ResourceDefinition::new("note://a/b", "not of the template"),
                definition(0),
                ResourceDefinition::new("config://fixed", "registered itself"),
            ]
        };
        let server = Server::new("skips", "0")
            .state(notes(1))
            .with_resource(Resource::sync("config://fixed", || "x"))
            .with_resource(template().list(list));
        let mut client = Client::connect(server, case).await;
        assert_eq!(pages(&mut client).await, [["config://fixed", "note://0"]]);
    }
}

#[tokio::test]
async fn list_fails_when_the_function_fails_or_panics() {
    // S15
    for case in Case::eras() {
        let broken = async || Err::<Vec<ResourceDefinition>, _>(ToolError::new("no database"));
        let server = Server::new("fails", "0").state(notes(1)).with_resource(template().list(broken));
        let mut client = Client::connect(server, case).await;
        let error = client.error("resources/list", Value::Null).await;
        assert_eq!((&error["code"], &error["message"]), (&json!(-32603), &json!("no database")));
        let panics = || -> Vec<ResourceDefinition> { panic!("secret") };
        let server = Server::new("panics", "0").state(notes(1)).with_resource(template().list(panics));
        let mut client = Client::connect(server, case).await;
        let error = client.error("resources/list", Value::Null).await;
        assert!(error["code"] == -32603 && !error.to_string().contains("secret"), "{error}");
        client.assert_alive().await;
    }
}

/// Returns templates whose functions fail, panic when they start, and panic later.
fn broken_templates() -> [Resource; 3] {
    let template = |scheme: &str| Resource::sync(format!("{scheme}://{{id}}"), |id: String| id).args(["id"]);
    [
        template("fails").list(|| Err::<Vec<ResourceDefinition>, _>(ToolError::new("no database"))),
        template("panics").list(|| -> Vec<ResourceDefinition> { panic!("secret") }),
        template("late").list(async || -> Vec<ResourceDefinition> {
            tokio::task::yield_now().await;
            panic!("secret")
        }),
    ]
}

#[tokio::test]
async fn other_resources_are_listed_when_a_function_fails_or_panics() {
    // S15
    for case in Case::all() {
        for size in 1..=5 {
            let [fails, panics, late] = broken_templates();
            let server = Server::new("partial", "0")
                .state(notes(2))
                .with_resource(fails)
                .with_resource(template().list(all_notes))
                .with_resource(panics)
                .with_resource(Resource::sync("config://last", || "2"))
                .with_resource(late)
                .limits(ServerLimits::new().page_size(size));
            let mut client = Client::connect(server, case).await;
            assert_eq!(pages(&mut client).await.concat(), ["note://0", "note://1", "config://last"], "pages of {size}");
            client.assert_alive().await;
        }
    }
}

#[tokio::test]
async fn list_fails_only_when_no_function_succeeds() {
    // S15
    let case = Case::eras()[1];
    let all_broken = broken_templates().into_iter().fold(Server::new("x", "0"), Server::with_resource);
    let error = Client::connect(all_broken.clone(), case).await.error("resources/list", Value::Null).await;
    assert_eq!(error["message"], "no database", "the first error is returned");
    // A function without resources succeeds.
    let mut client =
        Client::connect(all_broken.clone().state(notes(0)).with_resource(template().list(all_notes)), case).await;
    assert_eq!(pages(&mut client).await.concat(), [""; 0]);
    // The functions of mounted servers are independent of each other.
    let good = Server::new("good", "0").state(notes(1)).with_resource(template().list(all_notes));
    let mut client =
        Client::connect(Server::new("outer", "0").mount("bad", all_broken).mount("good", good), case).await;
    assert_eq!(pages(&mut client).await.concat(), ["note://good/0"]);
}

#[tokio::test]
async fn list_is_not_cached_when_a_function_fails() {
    let [fails, ..] = broken_templates();
    let hint = CacheHint::public(60_000);
    let whole = Server::new("x", "0").state(notes(1)).with_resource(template().list(all_notes));
    for (server, ttl) in [(whole.clone(), 60_000), (whole.with_resource(fails), 0)] {
        let mut client = Client::connect(server.list_cache_for(List::Resources, hint), Case::eras()[1]).await;
        assert_eq!(client.result("resources/list", Value::Null).await["ttlMs"], ttl);
    }
}

#[tokio::test]
async fn listed_resources_are_bounded_and_functions_of_other_pages_are_not_called() {
    // S15
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let endless = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        (0..).map(definition)
    };
    let server = Server::new("endless", "0")
        .state(notes(0))
        .with_resource(Resource::sync("config://first", || "1"))
        .with_resource(template().list(endless))
        .limits(ServerLimits::new().page_size(1));
    let mut client = Client::connect(server.clone(), Case::eras()[1]).await;
    let first = client.result("resources/list", Value::Null).await;
    assert_eq!((&first["resources"][0]["uri"], calls.load(Ordering::Relaxed)), (&json!("config://first"), 0));
    let mut client = Client::connect(server.limits(ServerLimits::new().page_size(20_000)), Case::eras()[1]).await;
    assert_eq!(pages(&mut client).await[0].len(), 10_001);
}

struct Mounted(Notes);

impl Component for Mounted {
    fn parts(self: Arc<Self>) -> Parts {
        let notes = Arc::clone(&self.0);
        let list = move || {
            let count = notes.lock().unwrap().len();
            (0..count).map(definition).collect::<Vec<_>>()
        };
        Parts::new().resource(template().list(list))
    }
}

#[tokio::test]
async fn listed_uris_contain_the_namespace_when_the_template_is_mounted() {
    // S15
    for case in Case::eras() {
        let notes = notes(1);
        let server = Server::new("mounted", "0").state(Arc::clone(&notes)).mount("office", Mounted(notes));
        let mut client = Client::connect(server, case).await;
        let listed = client.result("resources/list", Value::Null).await["resources"][0].clone();
        assert_eq!((&listed["uri"], &listed["name"]), (&json!("note://office/0"), &json!("office_note 0")));
        assert_eq!(
            client.result("resources/read", json!({ "uri": "note://office/0" })).await["contents"][0]["text"],
            "text 0"
        );
    }
}

#[tokio::test]
async fn configuration_error_is_reported_when_list_is_misplaced() {
    // S15
    let words = |resource: Resource| {
        Server::new("x", "0").state(notes(0)).with_resource(resource).check().unwrap_err().to_string()
    };
    let fixed = words(Resource::sync("note://all", || "").list(|| [definition(0)]));
    assert!(fixed.contains("`list` requires a template with variables"), "{fixed}");
    let argument = words(template().list(|id: usize| [definition(id)]));
    assert!(argument.contains("the `list` function: parameter 1 (`usize`) has no name"), "{argument}");
    let state = words(template().list(|State(_): State<u128>| [definition(0)]));
    assert!(state.contains("resource `note://{id}` requires state of type `u128`"), "{state}");
}

#[tokio::test]
async fn registry_adds_and_removes_listed_templates_at_run_time() {
    // S10, S15
    for case in Case::eras() {
        let add = |registry: Registry| registry.add_resource(template().list(all_notes)).map(|()| "added");
        let server = Server::new("late", "0").state(notes(1)).with_tool(Tool::sync("add", add));
        let registry = server.registry().clone();
        let mut client = Client::connect(server, case).await;
        assert_eq!(client.error("resources/list", Value::Null).await["code"], -32601);
        assert_eq!(client.text("add", json!({})).await, "added");
        assert_eq!(pages(&mut client).await, [["note://0"]]);
        assert!(registry.remove_resource("note://{id}"));
        assert_eq!(client.error("resources/list", Value::Null).await["code"], -32601);
    }
}
