//! Client groups.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_client::{
    ChangeFilter, Client, ClientGroup, ConnectionState, Connector, ErrorKind, Opened, reconnect_with,
};
use ferromcp_server::{Completion, Prompt, Resource, Server, Tool};
use serde_json::json;

use crate::script::{ScriptedServer, builder, modern, pair, soon, text};
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

/// A server that can be down.
struct Switchable {
    up: Arc<AtomicBool>,
    attempts: Arc<AtomicUsize>,
    peers: tokio::sync::mpsc::UnboundedReceiver<ScriptedServer>,
}

fn switchable() -> (impl Connector, Switchable) {
    let (up, attempts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (sender, peers) = tokio::sync::mpsc::unbounded_channel();
    let server = Switchable { up: Arc::clone(&up), attempts: Arc::clone(&attempts), peers };
    let open = move || {
        attempts.fetch_add(1, Ordering::Relaxed);
        std::future::ready(if up.load(Ordering::Relaxed) {
            let (near, peer) = pair();
            sender.send(peer).unwrap();
            Ok(Opened::from(near))
        } else {
            Err(std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "the server is down"))
        })
    };
    (reconnect_with("switchable", open), server)
}

#[tokio::test(start_paused = true)]
async fn member_that_was_down_connects_on_next_use() {
    // C15
    let (target, mut server) = switchable();
    let group = ClientGroup::new().with("other", client("other", &["t"]).await).unwrap();
    let group = group.with_target("s", builder(), target).await.unwrap();
    assert_eq!(group.state("s"), Some(ConnectionState::Disconnected));
    assert_eq!((group.state("other"), group.state("absent")), (Some(ConnectionState::Connected), None));
    let failures: Vec<_> = group.failures().map(|(name, error)| (name, error.to_string())).collect();
    assert!(failures.len() == 1 && failures[0].1.contains("the server is down"), "{failures:?}");
    // While it is down, uses fail with the cause, without an attempt for each of them, and the others work.
    for _ in 0..100 {
        let listing = group.tools().await;
        assert_eq!((listing.items.len(), listing.failures.len()), (1, 1));
        assert!(listing.failures[0].1.to_string().contains("the server is down"), "{}", listing.failures[0].1);
    }
    let error = group.call("s_t", ()).unwrap().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Connect && error.is_unsent(), "{error}");
    assert!(server.attempts.load(Ordering::Relaxed) <= 3, "{:?}", server.attempts);

    server.up.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(30)).await;
    let mut states = group.watch_state("s").unwrap();
    let script = async {
        let mut peer = server.peers.recv().await.unwrap();
        peer.negotiate_modern().await;
        let call = peer.expect("tools/call").await;
        assert_eq!(call["params"]["name"], "t");
        peer.answer(&call, text("ok")).await;
        peer
    };
    let (result, peer) = tokio::join!(async { group.call("s_t", ()).unwrap().await }, script);
    result.unwrap();
    assert_eq!((group.state("s"), group.failures().count()), (Some(ConnectionState::Connected), 0));
    assert_eq!(group.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["other", "s"]);
    states.wait_for(|state| *state == ConnectionState::Connected).await.unwrap();
    // A connection that is lost later is observable too.
    drop(peer);
    states.wait_for(|state| *state == ConnectionState::Disconnected).await.unwrap();
    assert_eq!(group.state("s"), Some(ConnectionState::Disconnected));
    group.close().await;
    assert_eq!(*states.borrow_and_update(), ConnectionState::Closed);
}

#[tokio::test]
async fn reconnect_connects_at_once() {
    // C15
    let (target, mut server) = switchable();
    let group = soon(ClientGroup::new().with_target("s", builder(), target)).await.unwrap();
    assert!(soon(group.reconnect("s")).await.unwrap_err().to_string().contains("the server is down"));
    assert_eq!(soon(group.reconnect("absent")).await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    server.up.store(true, Ordering::Relaxed);
    for _ in 0..2 {
        // The second time, the connection is replaced.
        let script = async {
            let mut peer = server.peers.recv().await.unwrap();
            peer.negotiate_modern().await;
            peer
        };
        let (result, mut peer) = soon(async { tokio::join!(group.reconnect("s"), script) }).await;
        result.unwrap();
        let script = async {
            let call = peer.expect("tools/call").await;
            peer.answer(&call, text("ok")).await;
        };
        soon(async { tokio::join!(async { group.call("s_t", ()).unwrap().await }, script) }).await.0.unwrap();
    }
    soon(group.close()).await;
    assert!(soon(group.reconnect("s")).await.unwrap_err().is_closed());
}

#[tokio::test]
async fn target_that_cannot_be_reopened_is_rejected_when_it_fails() {
    let (near, peer) = pair();
    drop(peer);
    soon(ClientGroup::new().with_target("s", builder(), near)).await.unwrap_err();
    let (target, _server) = switchable();
    let taken = ClientGroup::new().with("s", client("s", &[]).await).unwrap();
    assert!(soon(taken.with_target("s", builder(), target)).await.unwrap_err().to_string().contains("taken"));
}

#[tokio::test]
async fn lazy_client_connects_when_it_is_used() {
    let server = Server::new("s", "1").with_tool(Tool::sync("t", || "ok"));
    let client = builder().connect_lazy(server).unwrap();
    assert_eq!((client.state(), client.server_info()), (ConnectionState::Disconnected, None));
    soon(client.call("t", ())).await.unwrap();
    assert_eq!(client.state(), ConnectionState::Connected);
    assert!(client.last_connect_error().is_none());
    soon(client.close()).await;
    assert_eq!(client.state(), ConnectionState::Closed);
}

#[cfg(unix)]
#[tokio::test]
async fn configured_server_connects_when_its_program_appears() {
    // C15
    let folder = TempFolder::new();
    let program = folder.path("server.sh");
    let config = json!({ "mcpServers": { "late": { "command": program } } });
    folder.write("mcp.json", &config.to_string());
    let group = soon(ClientGroup::from_config(folder.path("mcp.json"), |_| builder())).await.unwrap();
    assert_eq!(group.failures().map(|(name, _)| name).collect::<Vec<_>>(), ["late"]);
    folder.write("server.sh", &format!("#!/bin/sh\n{}", crate::child_processes::SCRIPT));
    std::process::Command::new("chmod").arg("+x").arg(&program).status().unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await; // after the backoff of the first attempt
    soon(group.get("late").unwrap().ping()).await.unwrap();
    assert_eq!(group.failures().count(), 0);
    soon(group.close()).await;
}

#[tokio::test]
async fn routes_reads_completions_and_subscriptions() {
    let server = Server::new("s", "1")
        .with_tool(Tool::sync("three", || 3))
        .with_resource(Resource::sync("note://a", || "text"))
        .with_prompt(Prompt::sync("topic", |topic: String| topic).args(["topic"]))
        .with_completion(
            Completion::prompt_sync("topic", "topic", |typed: String| vec![format!("{typed}!")]).args(["typed"]),
        );
    let group = soon(ClientGroup::new().with_target("s", builder(), server)).await.unwrap();
    assert_eq!(soon(group.call_as::<u32>("s_three", ()).unwrap()).await.unwrap(), 3);
    let read = soon(group.read("s", "note://a").unwrap()).await.unwrap();
    assert_eq!(read.contents[0].as_text(), Some("text"));
    let none = std::iter::empty::<(String, String)>();
    let completed = soon(group.complete("s_topic", "topic", "a", none).unwrap()).await.unwrap();
    assert_eq!(completed.values, ["a!"]);
    drop(soon(group.subscribe("s", ChangeFilter::new().tools())).await.unwrap());
    assert!(group.read("x", "note://a").is_err());
}
