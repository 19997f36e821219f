//! Mounting components in namespaces, and changing the registry while serving.

use std::sync::Arc;

use ferromcp_core::Revision;
use ferromcp_server::{Completion, Component, Parts, Prompt, Resource, Server, Tool};
use serde_json::{Value, json};

use crate::client::{Case, Client};

struct Notes(&'static str);

impl Component for Notes {
    fn parts(self: Arc<Self>) -> Parts {
        let (tool, resource, template) = (Arc::clone(&self), Arc::clone(&self), self);
        Parts::new()
            .tool(Tool::sync("count", move || tool.0))
            .resource(Resource::sync("notes://all", move || resource.0).name("all"))
            .resource(Resource::sync("notes://{id}", move |id: String| format!("{} {id}", template.0)).args(["id"]))
            .prompt(Prompt::sync("ask", |what: String| what).args(["what"]))
            .completion(Completion::prompt_sync("ask", "what", |typed: String| vec![typed]).args(["typed"]))
            .completion(Completion::resource_sync("notes://{id}", "id", |typed: String| vec![typed]).args(["typed"]))
    }
}

fn names(list: &Value, member: &str, key: &str) -> Vec<String> {
    list[member].as_array().unwrap().iter().map(|item| item[key].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn names_and_uris_are_prefixed_when_component_is_mounted_in_namespace() {
    // M26-328, M26-313, S-239
    for case in Case::all() {
        let server = Server::new("mounts", "0")
            .mount("", Notes("plain"))
            .mount("office", Notes("at work"))
            .mount("home", Notes("at home"));
        let mut client = Client::connect(server, case).await;
        let tools = client.result("tools/list", Value::Null).await;
        assert_eq!(names(&tools, "tools", "name"), ["count", "office_count", "home_count"]);
        let resources = client.result("resources/list", Value::Null).await;
        assert_eq!(names(&resources, "resources", "uri"), ["notes://all", "notes://office/all", "notes://home/all"]);
        assert_eq!(names(&resources, "resources", "name"), ["all", "office_all", "home_all"]);
        let templates = client.result("resources/templates/list", Value::Null).await;
        assert_eq!(
            names(&templates, "resourceTemplates", "uriTemplate"),
            ["notes://{id}", "notes://office/{id}", "notes://home/{id}"]
        );
        assert_eq!(client.text("office_count", json!({})).await, "at work");
        for (uri, text) in [("notes://home/all", "at home"), ("notes://home/7", "at home 7"), ("notes://7", "plain 7")]
        {
            let read = client.result("resources/read", json!({ "uri": uri })).await;
            assert_eq!(read["contents"][0]["text"], text);
        }
        for reference in [
            json!({ "type": "ref/prompt", "name": "office_ask" }),
            json!({ "type": "ref/resource", "uri": "notes://office/{id}" }),
        ] {
            let name = if reference["name"].is_string() { "what" } else { "id" };
            let ask = json!({ "ref": reference, "argument": { "name": name, "value": "x" } });
            let result = client.result("completion/complete", ask).await;
            assert_eq!(result["completion"]["values"], json!(["x"]));
        }
    }
}

#[tokio::test]
async fn build_fails_when_namespace_is_mounted_twice() {
    // M26-328, S-239
    let error = Server::new("mounts", "0").mount("x", Notes("a")).mount("x", Notes("b")).check().unwrap_err();
    assert!(error.to_string().contains("x_count") && error.to_string().contains("notes://x/all"), "{error}");
}

#[tokio::test]
async fn base_is_unchanged_when_its_clone_is_extended() {
    // M26-315, M26-356, M26-382, S10: a handle of the base reaches the servers that are built from it, but not the reverse
    for case in Case::eras() {
        let base = Server::new("base", "0").with_tool(Tool::sync("one", || "1"));
        let more = base.clone().with_tool(Tool::sync("two", || "2"));
        base.registry().add_tool(Tool::sync("three", || "3")).unwrap();
        more.registry().add_tool(Tool::sync("four", || "4")).unwrap();
        let mut client = Client::connect(more, case).await;
        let tools = client.result("tools/list", Value::Null).await;
        assert_eq!(names(&tools, "tools", "name"), ["one", "two", "three", "four"]);
        let mut client = Client::connect(base, case).await;
        let tools = client.result("tools/list", Value::Null).await;
        assert_eq!(names(&tools, "tools", "name"), ["one", "three"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_stay_consistent_when_registry_changes_concurrently() {
    // M26-314, M26-317
    let case = Case { revision: Revision::LATEST, ..Case::eras()[1] };
    let server = Server::new("busy", "0").with_tool(Tool::sync("permanent", || "ok"));
    let registry = server.registry().clone();
    let mut client = Client::connect(server, case).await;
    let writer = std::thread::spawn(move || {
        for n in 0..500 {
            registry.add_tool(Tool::sync(format!("t{n}"), || "")).unwrap();
            if n % 2 == 0 {
                assert!(registry.remove_tool(&format!("t{n}")));
            }
        }
    });
    let mut last = 0;
    while !writer.is_finished() {
        let tools = client.result("tools/list", Value::Null).await;
        let names = names(&tools, "tools", "name");
        assert_eq!(names[0], "permanent");
        assert!(names.len() + 1 >= last, "{} after {last}", names.len());
        last = names.len();
        assert_eq!(client.text("permanent", json!({})).await, "ok");
    }
    writer.join().unwrap();
    let tools = client.result("tools/list", Value::Null).await;
    assert_eq!(tools["tools"].as_array().unwrap().len(), 251);
}
