//! Client groups.

use ferromcp_client::{Client, ClientGroup, ErrorKind};
use ferromcp_server::{Prompt, Resource, Server, Tool};
use serde_json::json;

use crate::script::{builder, modern, soon, text};
use crate::temp_folder::TempFolder;

/// Connects to a server in this process with these tools, which return the name of the server.
async fn client(name: &'static str, tools: &[&'static str]) -> Client {
    let mut server = Server::new(name, "1")
        .with_resource(Resource::sync("note://a", move || name))
        .with_prompt(Prompt::sync("ask", move || name));
    for tool in tools {
        server = server.with_tool(Tool::sync(*tool, move || name));
    }
    soon(builder().connect(server)).await.unwrap()
}

async fn answer(group: &ClientGroup, tool: &str) -> String {
    let result = soon(group.call(tool, ()).unwrap()).await.unwrap();
    serde_json::to_value(result).unwrap()["content"][0]["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn other_servers_are_unaffected_when_one_fails() {
    let (files, mut peer) = modern(builder()).await;
    let (broken, gone) = modern(builder()).await;
    drop(gone);
    let missing = soon(builder().connect(std::process::Command::new("/no/such/server"))).await.unwrap_err();
    let group = ClientGroup::new().with("files", files).unwrap().with("broken", broken).unwrap();
    let group = group.with_failure("missing", missing).unwrap();
    assert_eq!(group.failures().map(|(name, _)| name).collect::<Vec<_>>(), ["missing"]);
    let script = async {
        let list = peer.expect("tools/list").await;
        peer.answer(&list, json!({ "tools": [{ "name": "read_it", "inputSchema": {} }] })).await;
        let call = peer.expect("tools/call").await;
        assert_eq!(call["params"]["name"], "read_it");
        peer.answer(&call, text("ok")).await;
    };
    let calling = async {
        let listing = group.tools().await;
        assert_eq!((listing.items[0].server.as_str(), listing.items[0].item.name.as_str()), ("files", "files_read_it"));
        let failed: Vec<_> = listing.failures.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((listing.items.len(), failed), (1, vec!["broken", "missing"]));
        group.call("files_read_it", ()).unwrap().await.unwrap();
        let error = group.call("missing_x", ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(error.to_string().contains("/no/such/server"), "{error}");
    };
    soon(async { tokio::join!(calling, script) }).await;
    soon(group.close()).await;
}

#[tokio::test]
async fn routes_to_longest_prefix_and_reports_collisions() {
    let group = ClientGroup::new()
        .with("git", client("git", &["log", "hub_issues", "hub_stars"]).await)
        .unwrap()
        .with("git_hub", client("git_hub", &["issues"]).await)
        .unwrap();
    assert_eq!(answer(&group, "git_log").await, "git");
    assert_eq!(answer(&group, "git_hub_issues").await, "git_hub");
    let listing = soon(group.tools()).await;
    let shadowed: Vec<_> =
        listing.collisions.iter().map(|one| (one.name.as_str(), &*one.shadowed, &*one.routed_to)).collect();
    assert_eq!(shadowed, [("git_hub_issues", "git", "git_hub"), ("git_hub_stars", "git", "git_hub")]);
    let mut names: Vec<_> = listing.into_items().into_iter().map(|tool| tool.name).collect();
    names.sort();
    assert_eq!(names, ["git_hub_issues", "git_log"]);
    for name in ["github_x", "git", "", "_"] {
        assert_eq!(group.call(name, ()).unwrap_err().kind(), ErrorKind::InvalidRequest, "{name}");
    }
    let twice = group.clone().with("git", group.get("git").unwrap().clone());
    assert!(twice.unwrap_err().to_string().contains("taken"));
    assert!(group.clone().with("a b", group.get("git").unwrap().clone()).is_err());
    soon(group.close()).await;
}

#[tokio::test]
async fn lists_prompts_and_resources() {
    let group = ClientGroup::new().with("a", client("a", &[]).await).unwrap();
    let group = group.with("b", client("b", &[]).await).unwrap();
    let prompts: Vec<_> = soon(group.prompts()).await.into_items().into_iter().map(|prompt| prompt.name).collect();
    assert_eq!(prompts, ["a_ask", "b_ask"]);
    soon(group.prompt("b_ask", ()).unwrap()).await.unwrap();
    for member in soon(group.resources()).await.items {
        let read = soon(group.get(&member.server).unwrap().read(&member.item.uri)).await.unwrap();
        assert_eq!(read.contents[0].as_text(), Some(member.server.as_str()));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn from_config_reports_servers_that_fail_to_start() {
    let folder = TempFolder::new();
    let config = json!({ "mcpServers": {
        "good": { "command": "sh", "args": ["-c", crate::child_processes::SCRIPT], "env": { "WHO": "me" } },
        "absent": { "command": "/no/such/server" },
        "unset": { "command": "sh", "args": ["${FERROMCP_TEST_NO_SUCH_VARIABLE}"] },
        "bad name": { "command": "sh" },
        "nothing": {},
        "off": { "command": "/no/such/server", "disabled": true },
    } });
    folder.write("mcp.json", &config.to_string());
    let mut requested = Vec::new();
    let group = ClientGroup::from_config(folder.path("mcp.json"), |name| {
        requested.push(name.to_owned());
        builder()
    });
    let group = soon(group).await.unwrap();
    let failed: Vec<_> = group.failures().map(|(name, _)| name).collect();
    assert_eq!(failed, ["absent", "bad name", "nothing", "unset"]);
    assert!(group.failures().all(|(name, error)| name == "absent" || error.kind() == ErrorKind::InvalidRequest));
    assert_eq!(group.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["good"]);
    soon(group.get("good").unwrap().ping()).await.unwrap();
    assert_eq!(requested.len(), 5);
    soon(group.close()).await;

    let error = soon(ClientGroup::from_config(folder.path("absent.json"), |_| builder())).await.unwrap_err();
    assert!(error.to_string().contains("absent.json"), "{error}");
    let config = ferromcp_client::config::Config::read(folder.path("mcp.json")).unwrap();
    let client = soon(builder().connect(config.server("good").unwrap())).await.unwrap();
    soon(client.close()).await;
    let error = config.server("god").unwrap_err().to_string();
    assert!(error.contains("`god`") && error.contains("good, absent"), "{error}");
}
