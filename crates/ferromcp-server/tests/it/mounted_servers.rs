//! Servers that are mounted in another server.

use std::sync::{Arc, Mutex, PoisonError};

use ferromcp_core::model::{ContentBlock, ResourceDefinition, ResourceLink};
use ferromcp_server::middleware::Next;
use ferromcp_server::testing::{Effects, for_each_mode};
use ferromcp_server::{
    Arg, Call, ChangeNotifier, Completion, Ctx, Prompt, Registry, Resource, Server, State, Tool, ToolError,
};
use serde_json::{Value, json};

use crate::client::{Case, Client};
use crate::subscriptions::listen_to_all;

#[derive(Clone)]
struct Owner(&'static str);

/// A server with one item of each kind, whose state is `Owner`.
fn notes(owner: &'static str) -> Server {
    let all = |State(Owner(owner)): State<Owner>| vec![ResourceDefinition::new("note://1", owner)];
    let read = |id: String, State(Owner(owner)): State<Owner>| match id.as_str() {
        "1" => Some(format!("note 1 of {owner}")),
        _ => None,
    };
    Server::new(owner, "0")
        .state(Owner(owner))
        .with_tool(Tool::sync("owner", |State(Owner(owner)): State<Owner>| owner))
        .with_tool(Tool::new("read", |ctx: Ctx| async move {
            let note = ctx.read_resource("note://1").await?;
            Ok::<_, ToolError>(note.text().unwrap_or_default().to_owned())
        }))
        .with_tool(Tool::sync("links", || {
            let link = |uri: &str| ContentBlock::ResourceLink(ResourceLink::new(uri, "link"));
            vec![link("note://1"), link("https://example.com/")]
        }))
        .with_resource(Resource::sync("note://{id}", read).args([Arg::new("id"), Arg::new("state")]).list(all))
        .with_resource(Resource::sync("about:notes", || "about"))
        .with_prompt(Prompt::sync("greet", |name: String| format!("Hello, {name}")).args(["name"]))
        .with_completion(Completion::prompt_sync("greet", "name", |_: String| vec!["Ada"]).args(["typed"]))
}

fn names(list: &Value, key: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn mounted_items_are_used_under_their_namespaces() {
    for case in Case::all() {
        let office = Server::new("office", "0").mount("ada", notes("Ada")).mount("bob", notes("Bob"));
        let mut client = Client::connect(Server::new("all", "0").mount("", office), case).await;
        let tools = client.result("tools/list", Value::Null).await;
        let all = ["ada_owner", "ada_read", "ada_links", "bob_owner", "bob_read", "bob_links"];
        assert_eq!(names(&tools["tools"], "name"), all);
        assert_eq!(client.text("ada_owner", json!({})).await, "Ada");
        assert_eq!(client.text("bob_owner", json!({})).await, "Bob");
        assert_eq!(client.text("bob_read", json!({})).await, "note 1 of Bob");
        let resources = client.result("resources/list", Value::Null).await;
        assert_eq!(
            names(&resources["resources"], "uri"),
            ["note://ada/1", "about:ada/notes", "note://bob/1", "about:bob/notes"]
        );
        for uri in ["note://bob/1", "NOTE://bob/1"] {
            let read = client.result("resources/read", json!({ "uri": uri })).await;
            assert_eq!(read["contents"][0]["text"], "note 1 of Bob");
            assert!(read["contents"][0]["uri"].as_str().unwrap().eq_ignore_ascii_case("note://bob/1"), "{read}");
        }
        let about = client.result("resources/read", json!({ "uri": "about:ada/notes" })).await;
        assert_eq!(about["contents"][0]["uri"], "about:ada/notes");
        let prompt = client.result("prompts/get", json!({ "name": "ada_greet", "arguments": { "name": "x" } })).await;
        assert_eq!(prompt["messages"][0]["content"]["text"], "Hello, x");
        let reference = json!({ "type": "ref/prompt", "name": "bob_greet" });
        let params = json!({ "ref": reference, "argument": { "name": "name", "value": "" } });
        assert_eq!(client.result("completion/complete", params).await["completion"]["values"], json!(["Ada"]));
    }
}

#[tokio::test]
async fn uris_in_replies_of_mounted_servers_have_the_namespace() {
    for case in Case::eras() {
        let server = Server::new("all", "0").mount("b", Server::new("middle", "0").mount("a", notes("Ada")));
        let mut client = Client::connect(server, case).await;
        let links = client.call("b_a_links", json!({})).await;
        assert_eq!(names(&links["content"], "uri"), ["note://b/a/1", "https://example.com/"]);
        let error = client.error("resources/read", json!({ "uri": "note://b/a/2" })).await;
        assert!(error["message"].as_str().unwrap().contains("note://b/a/2"), "{error}");
        assert_eq!(error["data"]["uri"], "note://b/a/2");
    }
}

#[tokio::test]
async fn middleware_and_options_of_mounted_server_apply_to_its_items_only() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let record = |name: &'static str| {
        let log = Arc::clone(&log);
        move |call: Call, next: Next| {
            let tool = match &call.request {
                ferromcp_core::ClientRequest::CallTool(params) => params.name.to_string(),
                other => other.method().to_owned(),
            };
            log.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{name}:{tool}"));
            next.run(call)
        }
    };
    let inner = notes("Ada").wrap(record("inner")).ignore_arguments(["reason"]);
    let outer = Server::new("outer", "0").wrap(record("outer")).mount("in", inner);
    let outer = outer.with_tool(Tool::sync("own", || "own"));
    let mut client = Client::connect(outer, Case::eras()[1]).await;
    log.lock().unwrap().clear();
    assert_eq!(client.text("in_owner", json!({ "reason": "because" })).await, "Ada");
    assert_eq!(*log.lock().unwrap(), ["outer:in_owner", "inner:owner"]);
    log.lock().unwrap().clear();
    let error = client.tool_error("own", json!({ "reason": "because" })).await;
    assert!(error.contains("reason"), "{error}");
    assert_eq!(*log.lock().unwrap(), ["outer:own"]);
}

#[tokio::test]
async fn lifespans_of_mounted_server_open_and_close_with_the_outer_server() {
    #[derive(Clone)]
    struct Db(&'static str);
    let effects = Effects::new();
    let lifespan = |server: Server, name: &'static str| {
        let (open, close) = (effects.clone(), effects.clone());
        let open = move || async move {
            open.record(format!("open {name}"));
            Ok::<_, ToolError>(Db(name))
        };
        server.lifespan(open, move |db: Db| async move { close.record(format!("close {}", db.0)) })
    };
    let tool = || Tool::sync("db", |State(db): State<Db>| db.0);
    let inner = lifespan(Server::new("inner", "0").with_tool(tool()), "inner");
    let server = lifespan(Server::new("outer", "0").mount("in", inner), "outer").with_tool(tool());
    for _ in 0..2 {
        let mut client = Client::connect(server.clone(), Case::eras()[0]).await;
        assert_eq!(client.text("in_db", json!({})).await, "inner");
        assert_eq!(client.text("db", json!({})).await, "outer");
        client.close().await.unwrap();
    }
    let once = ["open inner", "open outer", "close outer", "close inner"];
    assert_eq!(effects.all(), [once, once].concat());
    let failing = Server::new("inner", "0").lifespan(|| async { Err::<u8, _>("no disk") }, |_: u8| async {});
    let error = Server::new("outer", "0").mount("in", failing).open().await.unwrap_err().to_string();
    assert!(error.contains("`u8`: no disk"), "{error}");
}

fn asking(name: &'static str) -> Server {
    let ask = move |ctx: Ctx| async move {
        let city = ctx.elicit::<String>("Which city?").await?;
        Ok::<_, ToolError>(format!("{name}: {city}"))
    };
    Server::new(name, "0").with_tool(Tool::new("ask", ask))
}

#[tokio::test]
async fn tool_of_mounted_server_elicits_input_in_every_mode() {
    let make = |_: Effects| Server::new("outer", "0").mount("in", Server::new("m", "0").mount("deep", asking("deep")));
    for_each_mode(make, async |client| {
        client.accept("Which city?", &json!({ "value": "Oslo" }));
        assert_eq!(client.text("in_deep_ask", &json!({})).await, "deep: Oslo");
    })
    .await;
}

#[tokio::test]
async fn request_state_of_one_mount_is_rejected_by_another() {
    // M26-247
    let server = Server::new("outer", "0").mount("a", asking("a")).mount("b", asking("b"));
    let capabilities = json!({ "elicitation": { "form": {} } });
    let mut client = Client::connect(server, Case::eras()[1]).await.with_capabilities(capabilities);
    let first = client.result("tools/call", json!({ "name": "a_ask", "arguments": {} })).await;
    let key = first["inputRequests"].as_object().unwrap().keys().next().unwrap().clone();
    let retry = |tool: &str| {
        let responses = json!({ &key: { "action": "accept", "content": { "value": "Oslo" } } });
        json!({
            "name": tool, "arguments": {},
            "requestState": first["requestState"], "inputResponses": responses,
        })
    };
    let error = client.error("tools/call", retry("b_ask")).await;
    assert_eq!(error["code"], -32602);
    let done = client.result("tools/call", retry("a_ask")).await;
    assert_eq!(done["content"][0]["text"], "a: Oslo");
}

#[tokio::test]
async fn changes_of_mounted_server_reach_clients_of_the_outer_server() {
    for case in Case::legacy() {
        let inner = notes("Ada");
        let (registry, notify): (Registry, ChangeNotifier) = (inner.registry().clone(), inner.notify());
        let unlock = Tool::sync("unlock", |registry: Registry| registry.add_tool(Tool::sync("extra", || "extra")));
        let outer = Server::new("outer", "0").mount("in", inner.with_tool(unlock)).state(1_u8);
        let mut client = Client::connect(outer, case).await;
        client.call("in_unlock", json!({})).await;
        assert_eq!(client.text("in_extra", json!({})).await, "extra");
        registry.add_resource(Resource::sync("note:///late", || "late")).unwrap();
        let read = client.result("resources/read", json!({ "uri": "note://in/late" })).await;
        assert_eq!(read["contents"][0]["text"], "late");
        assert!(registry.remove_resource("note:///late"));
        client.error("resources/read", json!({ "uri": "note://in/late" })).await;
        client.result("resources/subscribe", json!({ "uri": "note://in/1" })).await;
        assert!(notify.has_subscribers("note://1") && !notify.has_subscribers("note://2"));
        client.fence().await;
        notify.resource_updated("note://1");
        let message = client.recv().await;
        assert_eq!(message["method"], "notifications/resources/updated");
        assert_eq!(message["params"]["uri"], "note://in/1");
    }
}

#[tokio::test]
async fn removal_from_a_mounted_server_leaves_equal_names_of_others() {
    // S10
    for (namespace, name, uri) in [("in", "in_same", "x://in/same"), ("", "same", "x://same")] {
        let inner = Server::new("inner", "0").with_tool(Tool::sync("mine", || ""));
        let registry = inner.registry().clone();
        let outer = Server::new("outer", "0")
            .with_tool(Tool::sync(name, || "own"))
            .with_resource(Resource::sync(uri, || "own"))
            .with_prompt(Prompt::sync(name, || "own"))
            .mount("other", Server::new("middle", "0").mount(namespace, inner.clone()))
            .mount(namespace, inner);
        outer.check().unwrap();
        assert!(!registry.remove_tool("same") && !registry.remove_prompt("same"));
        assert!(!registry.remove_resource("x://same"));
        assert!(registry.remove_tool("mine"));
        let mut client = Client::connect(outer, Case::eras()[1]).await;
        let tools = client.result("tools/list", Value::Null).await;
        assert_eq!(names(&tools["tools"], "name"), [name]);
        assert_eq!(client.text(name, json!({})).await, "own");
        assert_eq!(client.result("resources/read", json!({ "uri": uri })).await["contents"][0]["text"], "own");
        client.result("prompts/get", json!({ "name": name })).await;
    }
}

#[test]
fn check_names_the_mounted_server_and_conflicting_names() {
    let inner = Server::new("inner", "0").with_tool(Tool::sync("need", |State(n): State<u8>| n));
    let outer = Server::new("outer", "0")
        .state(1_u8)
        .with_tool(Tool::sync("in_need", || "own"))
        .mount("in", inner)
        .mount("a/b", Server::new("other", "0"));
    let error = outer.check().unwrap_err().to_string();
    for part in [
        "two tools are named `in_need`",
        "mounted server `inner`: tool `need` requires state of type `u8`",
        "namespace \"a/b\" is not valid",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

fn web(template: &'static str, completed: &'static str) -> Server {
    Server::new("web", "0")
        .with_resource(Resource::sync(template, |page: String| format!("page {page}")).args(["page"]))
        .with_completion(Completion::resource_sync(completed, "page", |_: String| vec!["one"]).args(["typed"]))
}

async fn complete(client: &mut Client, template: &str) -> Value {
    let reference = json!({ "type": "ref/resource", "uri": template });
    let params = json!({ "ref": reference, "argument": { "name": "page", "value": "" } });
    client.result("completion/complete", params).await["completion"]["values"].clone()
}

#[tokio::test]
async fn template_is_completed_and_removed_when_its_host_is_uppercase() {
    // S9
    let (upper, lower) = ("HTTPS://Example.COM/{page}", "https://example.com/{page}");
    for (template, completed) in [(upper, upper), (upper, lower), (lower, upper)] {
        for case in Case::eras() {
            let inner = web(template, completed);
            let registry = inner.registry().clone();
            let outer = Server::new("outer", "0").mount("Out", Server::new("middle", "0").mount("In", inner));
            outer.check().unwrap();
            let mut client = Client::connect(outer.clone(), case).await;
            let listed = client.result("resources/templates/list", Value::Null).await;
            let listed = listed["resourceTemplates"][0]["uriTemplate"].as_str().unwrap().to_owned();
            assert_eq!(complete(&mut client, &listed).await, json!(["one"]), "{listed}");
            let read = client.result("resources/read", json!({ "uri": listed.replace("{page}", "1") })).await;
            assert_eq!(read["contents"][0]["text"], "page 1", "{listed}");
            assert!(registry.remove_resource(completed), "{listed}");
            client.error("resources/templates/list", Value::Null).await;
            outer.check().unwrap();
            // An item that is added later is completed too.
            registry.add_resource(Resource::sync(template, |page: String| page).args(["page"])).unwrap();
            let late = Completion::resource_sync(completed, "page", |_: String| vec!["late"]).args(["typed"]);
            registry.add_completion(late).unwrap();
            assert_eq!(complete(&mut client, &listed).await, json!(["late"]), "{listed}");
            outer.check().unwrap();
        }
    }
}

#[tokio::test]
async fn resource_is_found_when_namespace_is_percent_encoded() {
    // S9
    let inner = || {
        notes("Ada")
            .with_resource(Resource::sync("note:///fixed", || "fixed"))
            .with_resource(Resource::sync("files:///my-dir/{+path}", |path: String| path).args(["path"]))
    };
    let outer = Server::new("outer", "0").mount("my-notes", Server::new("middle", "0").mount("v2.0", inner()));
    for case in Case::eras() {
        let mut client = Client::connect(outer.clone(), case).await;
        for (uri, text) in [
            ("note://my%2Dnotes/v2%2e0/1", "note 1 of Ada"),
            ("note://%6Dy-notes/v2.0/1", "note 1 of Ada"),
            ("note://my-notes/v2%2E0/fixed", "fixed"),
            ("files://my%2dnotes/v2.0/my%2Ddir/a%2Fb/%2541", "a/b/%41"),
        ] {
            let read = client.result("resources/read", json!({ "uri": uri })).await;
            assert_eq!(read["contents"][0]["text"], text, "{uri}");
        }
        let error = client.error("resources/read", json!({ "uri": "note://my%2Dnotes/v2.0/2" })).await;
        assert_eq!(error["data"]["uri"], "note://my%2Dnotes/v2.0/2");
    }
}

#[tokio::test]
async fn subscriber_of_outer_server_is_notified_by_mounted_server() {
    // M26-361
    for case in Case::eras() {
        let tell = |ctx: Ctx| ctx.notify().resource_updated("note://2");
        let inner = notes("Ada").with_tool(Tool::sync("tell", tell).args(["ctx"]));
        let (registry, notify) = (inner.registry().clone(), inner.notify());
        let outer = Server::new("outer", "0").mount("a", Server::new("middle", "0").mount("b", inner));
        let mut client = Client::connect(outer.clone(), case).await;
        let uris = ["note://a/b/1", "note://a/b/2"];
        if case.is_modern() {
            client.start("subscriptions/listen", listen_to_all(&uris));
            assert_eq!(client.recv().await["method"], "notifications/subscriptions/acknowledged");
        } else {
            for uri in uris {
                client.result("resources/subscribe", json!({ "uri": uri })).await;
            }
        }
        client.fence().await;
        notify.resource_updated("note://3"); // it has no subscribers
        notify.resource_updated("note://1");
        let message = client.recv().await;
        assert_eq!(message["method"], "notifications/resources/updated", "{message}");
        assert_eq!(message["params"]["uri"], "note://a/b/1");
        // `Ctx::notify` of a tool of the mounted server.
        client.start_call("a_b_tell", json!({}));
        let (mut updated, mut messages) = (None, 0);
        while messages < 2 {
            let message = client.recv().await;
            messages += 1;
            if message["method"] == "notifications/resources/updated" {
                updated = Some(message["params"]["uri"].clone());
            }
        }
        assert_eq!(updated, Some(json!("note://a/b/2")));
        // Lists of the mounted server.
        registry.add_tool(Tool::sync("extra", || "extra")).unwrap();
        assert_eq!(client.recv().await["method"], "notifications/tools/list_changed");
        notify.prompts_changed();
        assert_eq!(client.recv().await["method"], "notifications/prompts/list_changed");
        // Names of the outer server do not reach the mounted one.
        assert!(notify.has_subscribers("note://1") && !notify.has_subscribers("note://a/b/1"));
        outer.notify().resource_updated("note://a/b/1");
        assert_eq!(client.recv().await["params"]["uri"], "note://a/b/1");
    }
}
