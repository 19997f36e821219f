//! Handles of the registry and of change notifications that are taken before the server is complete.

use ferromcp_server::{Arg, Completion, Prompt, Registry, Resource, Server, ServerLimits, Tool};
use serde_json::{Value, json};

use crate::client::{Case, Client};

fn late() -> Tool {
    Tool::sync("late", || "late")
}

async fn names(client: &mut Client) -> Vec<String> {
    let tools = client.result("tools/list", Value::Null).await["tools"].clone();
    tools.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn handle_changes_the_served_server_when_it_was_taken_while_building() {
    // S10
    for case in Case::all() {
        // The server has clones while it is built on, so each builder method would create a separate server.
        let first = Server::new("handles", "0");
        let registry = first.registry().clone();
        let second = first.clone().with_tool(Tool::sync("early", || "early"));
        let third = second.clone().state(1_u8).limits(ServerLimits::new().page_size(7));
        let mut client = Client::connect(third, case).await;
        registry.add_tool(late()).unwrap();
        registry.add_prompt(Prompt::sync("ask", |what: String| what).args([Arg::new("what")])).unwrap();
        registry.add_resource(Resource::sync("a://b", || "b")).unwrap();
        assert_eq!(names(&mut client).await, ["early", "late"]);
        assert_eq!(client.text("late", json!({})).await, "late");
        assert_eq!(client.result("resources/read", json!({ "uri": "a://b" })).await["contents"][0]["text"], "b");
        assert_eq!(client.result("prompts/list", Value::Null).await["prompts"][0]["name"], "ask");
        // The name is in use in the server that was built.
        let error = registry.add_tool(Tool::sync("early", || "")).unwrap_err();
        assert!(error.to_string().contains("two tools are named `early`"), "{error}");
        assert!(registry.remove_tool("late") && !registry.remove_tool("late"));
        assert_eq!(names(&mut client).await, ["early"]);
        drop((first, second));
        registry.add_tool(late()).unwrap();
        assert_eq!(names(&mut client).await, ["early", "late"]);
    }
}

#[tokio::test]
async fn tool_adds_tools_when_it_captures_the_unfinished_server() {
    // S10
    for case in Case::eras() {
        let server = Server::new("captures", "0");
        let captured = server.clone();
        let add = move || captured.registry().add_tool(late()).map(|()| "added");
        let mut client = Client::connect(server.with_tool(Tool::sync("add", add)), case).await;
        assert_eq!(client.text("add", json!({})).await, "added");
        assert_eq!(names(&mut client).await, ["add", "late"]);
    }
}

#[tokio::test]
async fn handler_receives_the_registry_of_its_server_as_a_parameter() {
    // S10
    for case in Case::all() {
        let unlock = |registry: Registry, name: String| registry.add_tool(Tool::sync(name, || "")).map(|()| "added");
        let server = Server::new("extracts", "0")
            .with_tool(Tool::sync("unlock", unlock).args(["registry", "name"]))
            .with_prompt(Prompt::sync("ask", |registry: Registry| registry.remove_tool("x").to_string()));
        let mut client = Client::connect(server, case).await;
        assert_eq!(client.text("unlock", json!({ "name": "x" })).await, "added");
        assert_eq!(names(&mut client).await, ["unlock", "x"]);
        assert!(client.tool_error("unlock", json!({ "name": "x" })).await.contains("two tools are named `x`"));
        let removed = client.result("prompts/get", json!({ "name": "ask" })).await;
        assert_eq!(removed["messages"][0]["content"]["text"], "true");
    }
}

#[tokio::test]
async fn servers_stay_separate_when_they_are_built_from_one_base() {
    // S10
    for case in Case::eras() {
        let base = Server::new("base", "0").with_tool(Tool::sync("shared", || ""));
        let mut one = Client::connect(base.clone().with_tool(Tool::sync("one", || "")), case).await;
        let two = base.clone().with_tool(Tool::sync("two", || ""));
        let registry = two.registry().clone();
        let mut two = Client::connect(two, case).await;
        registry.add_tool(late()).unwrap();
        assert_eq!(names(&mut one).await, ["shared", "one"]);
        assert_eq!(names(&mut two).await, ["shared", "two", "late"]);
        let base = base.with_tool(Tool::sync("base", || ""));
        assert_eq!(names(&mut two).await, ["shared", "two", "late"]);
        let mut base = Client::connect(base, case).await;
        assert_eq!(names(&mut base).await, ["shared", "base"]);
    }
}

#[tokio::test]
async fn notifier_reaches_subscribers_when_it_was_taken_while_building() {
    // S10, S9
    for case in Case::legacy() {
        let first = Server::new("notifies", "0").with_resource(Resource::sync("https://example.com/", || ""));
        let notify = first.notify();
        let server = first.clone().with_tool(late());
        let mut client = Client::connect(server, case).await;
        // Equivalent URIs are one subscription; the client receives the URI that it subscribed to.
        client.result("resources/subscribe", json!({ "uri": "HTTPS://Example.com" })).await;
        assert!(notify.has_subscribers("https://example.com/"));
        notify.resource_updated("https://example.com/");
        let update = client.recv().await;
        assert_eq!(update["method"], "notifications/resources/updated");
        assert_eq!(update["params"]["uri"], "HTTPS://Example.com");
        notify.tools_changed();
        assert_eq!(client.recv().await["method"], "notifications/tools/list_changed");
        client.result("resources/unsubscribe", json!({ "uri": "https://example.com/" })).await;
        assert!(!notify.has_subscribers("https://example.com/"));
        drop(first);
    }
}

#[tokio::test]
async fn completions_are_removed_with_their_prompt_or_template() {
    // S10, S11
    let prompt = || Prompt::sync("ask", |what: String| what).args(["what"]);
    let template = || Resource::sync("a://{id}", |id: String| id).args(["id"]);
    let of_prompt = || Completion::prompt_sync("ask", "what", |typed: String| vec![typed]).args(["typed"]);
    let of_template = || Completion::resource_sync("a://{id}", "id", |typed: String| vec![typed]).args(["typed"]);
    let server = Server::new("completes", "0")
        .with_prompt(prompt())
        .with_resource(template())
        .with_completion(of_prompt())
        .with_completion(of_template());
    let registry = server.registry().clone();
    assert!(registry.remove_prompt("ask") && registry.remove_resource("a://{id}"));
    server.check().unwrap(); // it can be served again
    registry.add_prompt(prompt()).unwrap();
    registry.add_resource(template()).unwrap();
    registry.add_completion(of_prompt()).unwrap();
    registry.add_completion(of_template()).unwrap();
    for case in Case::eras() {
        let mut client = Client::connect(server.clone(), case).await;
        for (reference, argument) in [
            (json!({ "type": "ref/prompt", "name": "ask" }), "what"),
            (json!({ "type": "ref/resource", "uri": "a://{id}" }), "id"),
        ] {
            let params = json!({ "ref": reference, "argument": { "name": argument, "value": "x" } });
            assert_eq!(client.result("completion/complete", params).await["completion"]["values"], json!(["x"]));
        }
    }
}
