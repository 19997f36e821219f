//! How peers meet: handshakes, discovery, and both eras on one pipe.

use ferromcp_core::meta::key;
use ferromcp_core::model::{CacheHint, Icon};
use ferromcp_core::{RawJson, Revision};
use ferromcp_server::{Completion, Prompt, Resource, Server, Tool};
use serde_json::{Value, json};

use crate::client::{Case, Client, Wire, modern_meta};

fn whole() -> Server {
    Server::new("whole", "1.2.3")
        .title("The Whole")
        .description("Offers one of each.")
        .website("https://example.com")
        .icon(Icon::new("https://example.com/icon.png").mime_type("image/png").size("48x48"))
        .instructions("Ask nicely.")
        .extension("com.example/thing", json!({ "depth": 2 }).into())
        .with_tool(Tool::sync("hi", || "hi"))
        .with_resource(Resource::sync("notes://one", || "1").name("one"))
        .with_prompt(Prompt::sync("ask", |what: String| what).args(["what"]))
        .with_completion(Completion::prompt_sync("ask", "what", |typed: String| vec![typed]).args(["typed"]))
}

fn bare() -> Server {
    Server::new("bare", "0").logging(false)
}

#[tokio::test]
async fn a_session_opens_in_the_revision_that_was_asked_for() {
    // S-002, S-061, S-063, S-070, S-073, S-077, S-078, S-082, S-084, S-085, S-086, S-103, M26-075, M26-077
    // M26-312, M26-353, M26-379, M26-396, M26-415, S-079, S-080, S-229, S-269, S-292, S-305, S-324
    for case in Case::legacy() {
        let mut client = Client::raw(whole(), case);
        let result = client.initialize().await;
        assert_eq!(result["protocolVersion"], case.revision.as_str());
        assert_eq!(result["instructions"], "Ask nicely.");
        let info = &result["serverInfo"];
        assert_eq!((&info["name"], &info["version"]), (&json!("whole"), &json!("1.2.3")));
        assert_eq!(info.get("title").is_some(), case.revision >= Revision::V2025_06_18, "{info}");
        assert_eq!(info.get("icons").is_some(), case.revision >= Revision::V2025_11_25, "{info}");
        let offered = &result["capabilities"];
        for feature in ["tools", "resources", "prompts", "logging"] {
            assert!(offered[feature].is_object(), "{feature}: {offered}");
        }
        assert_eq!(offered.get("completions").is_some(), case.revision >= Revision::V2025_03_26, "{offered}");
        assert!(offered.get("extensions").is_none(), "not in sessions: {offered}");
        client.lives().await;
    }
}

#[tokio::test]
async fn a_revision_nobody_knows_is_answered_with_the_newest_session() {
    // S-071, S-072, S-091
    for wire in Wire::ALL {
        for asked in ["2099-01-01", "1.0", "", Revision::LATEST.as_str()] {
            let mut client = Client::raw(whole(), Case { revision: Revision::LATEST_LEGACY, wire });
            let opening = client.opening(asked);
            let result = client.result("initialize", opening).await;
            assert_eq!(result["protocolVersion"], Revision::LATEST_LEGACY.as_str(), "{asked}");
            assert_eq!(client.result("tools/list", Value::Null).await["tools"][0]["name"], "hi");
        }
    }
}

#[tokio::test]
async fn a_session_opens_once() {
    // S-061, S-073
    for case in Case::legacy() {
        let mut client = Client::connect(whole(), case).await;
        let opening = client.opening(Revision::V2024_11_05.as_str());
        assert_eq!(client.error("initialize", opening).await["code"], -32600);
        assert_eq!(client.text("hi", json!({})).await, "hi", "the session goes on");
    }
}

#[tokio::test]
async fn an_opening_that_fails_leaves_room_for_another() {
    // S-063, S-085, S-076
    for case in Case::legacy() {
        let mut client = Client::raw(whole(), case);
        for bad in [
            json!({}),
            json!({ "protocolVersion": 7, "capabilities": {}, "clientInfo": { "name": "t", "version": "0" } }),
            json!({ "protocolVersion": "x", "capabilities": "all", "clientInfo": { "name": "t", "version": "0" } }),
            json!({ "protocolVersion": "x", "clientInfo": { "name": "t", "version": "0" } }),
            json!({ "protocolVersion": "x", "capabilities": {}, "clientInfo": { "name": "t" } }),
        ] {
            assert_eq!(client.error("initialize", bad).await["code"], -32602);
        }
        assert_eq!(client.initialize().await["protocolVersion"], case.revision.as_str());
    }
}

#[tokio::test]
async fn nothing_but_ping_is_answered_before_the_session() {
    // S-061, S-066, S-188, M26-054
    for case in Case::legacy() {
        let mut client = Client::raw(whole(), case);
        assert_eq!(client.result("ping", Value::Null).await, json!({}));
        for method in ["tools/list", "resources/list", "prompts/list", "logging/setLevel", "x/unknown"] {
            let error = client.error(method, json!({ "level": "debug" })).await;
            assert_eq!(error["code"], -32602, "{method}");
            let words = error["message"].as_str().unwrap();
            assert!(words.contains("initialize") && words.contains(key::PROTOCOL_VERSION), "{words}");
        }
        client.initialize().await;
        assert_eq!(client.text("hi", json!({})).await, "hi");
    }
}

#[tokio::test]
async fn unknown_words_in_an_opening_are_let_be() {
    // S-084, S-012, S-030
    for case in Case::legacy() {
        let mut client = Client::raw(whole(), case);
        let mut opening = client.opening(case.revision.as_str());
        opening["capabilities"] = json!({ "teleport": { "range": 3 }, "experimental": { "x": {} }, "roots": {} });
        opening["extra"] = json!([1]);
        opening["clientInfo"]["shoe"] = json!(43);
        opening["_meta"] = json!({ "com.example/x": 1 });
        assert!(client.result("initialize", opening).await["capabilities"].is_object());
    }
}

#[tokio::test]
async fn what_is_not_offered_is_not_advertised_and_not_found() {
    // M26-033, M26-088, M26-089, M26-394, M26-399, S-080, S-081, S-255, S-303, S-308
    for case in Case::all() {
        let mut client = Client::raw(bare(), case);
        let capabilities = if case.is_modern() {
            client.result("server/discover", Value::Null).await["capabilities"].clone()
        } else {
            client.initialize().await["capabilities"].clone()
        };
        assert_eq!(capabilities, json!({}));
        let gated = [
            ("tools/list", json!({})),
            ("tools/call", json!({ "name": "hi" })),
            ("resources/list", json!({})),
            ("resources/templates/list", json!({})),
            ("resources/read", json!({ "uri": "notes://one" })),
            ("resources/subscribe", json!({ "uri": "notes://one" })),
            ("prompts/list", json!({})),
            ("prompts/get", json!({ "name": "ask" })),
            ("logging/setLevel", json!({ "level": "info" })),
            (
                "completion/complete",
                json!({ "ref": { "type": "ref/prompt", "name": "p" }, "argument": { "name": "a", "value": "" } }),
            ),
        ];
        for (method, params) in gated {
            assert_eq!(client.error(method, params).await["code"], -32601, "{method}");
        }
        client.lives().await;
    }
}

#[tokio::test]
async fn discovery_says_all_there_is_to_know() {
    // M26-070, M26-084, M26-086, M26-087, M26-088, M26-312, M26-353, M26-379, M26-396, M26-415, M26-440
    for case in Case::modern() {
        let server = whole().list_cache(CacheHint::public(60_000));
        let mut client = Client::raw(server, case);
        let result = client.result("server/discover", Value::Null).await;
        let mut versions: Vec<&str> = Revision::ALL.iter().map(|revision| revision.as_str()).collect();
        versions.reverse();
        assert_eq!(result["supportedVersions"], json!(versions));
        assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(60_000), &json!("public")));
        assert_eq!(result["instructions"], "Ask nicely.");
        assert!(result.get("serverInfo").is_none());
        let info = &result["_meta"][key::SERVER_INFO];
        assert_eq!((&info["title"], &info["icons"][0]["sizes"]), (&json!("The Whole"), &json!(["48x48"])));
        let offered = &result["capabilities"];
        for feature in ["tools", "resources", "prompts", "logging", "completions"] {
            assert!(offered[feature].is_object(), "{feature}: {offered}");
        }
        assert_eq!(offered["extensions"]["com.example/thing"], json!({ "depth": 2 }));
    }
}

#[tokio::test]
async fn a_modern_request_without_its_meta_is_refused() {
    // M26-054, M26-085
    for case in Case::modern() {
        let mut client = Client::raw(whole(), case);
        let without = |name: &str| {
            let mut meta = modern_meta();
            meta.as_object_mut().unwrap().remove(name);
            meta
        };
        for (id, (method, meta, lacks)) in [
            ("tools/list", without(key::PROTOCOL_VERSION), key::PROTOCOL_VERSION),
            ("tools/list", without(key::CLIENT_CAPABILITIES), key::CLIENT_CAPABILITIES),
            ("server/discover", json!({}), key::PROTOCOL_VERSION),
            ("server/discover", without(key::CLIENT_CAPABILITIES), key::CLIENT_CAPABILITIES),
            ("tools/list", json!({}), key::PROTOCOL_VERSION),
            ("x/unknown", without(key::CLIENT_CAPABILITIES), key::CLIENT_CAPABILITIES),
        ]
        .into_iter()
        .enumerate()
        {
            let id = format!("bare {id}");
            client.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": { "_meta": meta } }));
            let error = client.answer(id).await["error"].clone();
            assert_eq!(error["code"], -32602, "{method}: {error}");
            assert!(error["message"].as_str().unwrap().contains(lacks), "{error}");
        }
        client.send(&json!({ "jsonrpc": "2.0", "id": "none", "method": "server/discover" }));
        assert_eq!(client.answer("none").await["error"]["code"], -32602);
        client.lives().await;
    }
}

#[tokio::test]
async fn meta_of_a_wrong_shape_is_refused() {
    // M26-054, M26-058, M26-419
    for case in Case::modern() {
        let mut client = Client::raw(whole(), case);
        for (name, wrong) in [
            (key::PROTOCOL_VERSION, json!(20_260_728)),
            (key::CLIENT_CAPABILITIES, json!([])),
            (key::CLIENT_CAPABILITIES, json!("all")),
            (key::CLIENT_INFO, json!("me")),
            (key::LOG_LEVEL, json!("loud")),
            ("progressToken", json!(1.5)),
        ] {
            let error = client.error("tools/list", json!({ "_meta": { name: wrong } })).await;
            assert_eq!(error["code"], -32602, "{name}: {error}");
        }
        client.lives().await;
    }
}

#[tokio::test]
async fn a_revision_that_is_not_spoken_is_named_with_those_that_are() {
    // M26-027, M26-028, M26-066, M26-067
    for case in Case::modern() {
        let mut client = Client::raw(whole(), case);
        for asked in ["2099-01-01", "", Revision::LATEST_LEGACY.as_str()] {
            for method in ["server/discover", "tools/list", "x/unknown"] {
                let error = client.error(method, json!({ "_meta": { key::PROTOCOL_VERSION: asked } })).await;
                assert_eq!(error["code"], -32022, "{method}: {error}");
                assert_eq!(error["data"]["requested"], asked);
                let supported = error["data"]["supported"].as_array().unwrap();
                assert!(supported.contains(&json!(Revision::LATEST.as_str())), "{error}");
                assert!(supported.iter().all(|it| Revision::parse(it.as_str().unwrap()).is_some()), "{error}");
            }
        }
        client.lives().await;
    }
}

#[tokio::test]
async fn methods_of_the_other_era_are_not_found() {
    // M26-033, M26-076, M26-029
    for case in Case::modern() {
        let mut client = Client::raw(whole(), case);
        let opening = client.opening(Revision::LATEST.as_str());
        assert_eq!(client.error("initialize", opening).await["code"], -32601);
        for method in ["ping", "logging/setLevel", "resources/subscribe", "tasks/list"] {
            let params = json!({ "level": "info", "uri": "notes://one" });
            assert_eq!(client.error(method, params).await["code"], -32601, "{method}");
        }
    }
    for case in Case::legacy() {
        let mut client = Client::connect(whole(), case).await;
        // Without `_meta` a modern method is a modern request that lacks it.
        assert_eq!(client.error("server/discover", Value::Null).await["code"], -32602);
        assert_eq!(client.error("subscriptions/listen", json!({ "notifications": {} })).await["code"], -32602);
    }
}

#[tokio::test]
async fn both_eras_live_side_by_side_on_one_pipe() {
    // M26-034, M26-035, M26-036, M26-037, M26-040, M26-061, M26-075, M26-076, M26-077, M26-078
    for wire in Wire::ALL {
        let legacy = Case { revision: Revision::V2025_06_18, wire };
        let mut client = Client::raw(whole(), legacy).mixed();
        let modern = |id: &str, method: &str| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": { "_meta": modern_meta() } });
        client.send(&modern("before", "tools/list"));
        let before = client.answer("before").await;
        assert_eq!(before["result"]["resultType"], "complete", "{before}");
        // A modern request opens no session.
        assert_eq!(client.error("tools/list", Value::Null).await["code"], -32602);
        client.initialize().await;
        let within = client.result("tools/list", Value::Null).await;
        assert!(within.get("resultType").is_none() && within.get("ttlMs").is_none(), "{within}");
        client.send(&modern("amid", "tools/list"));
        let amid = client.answer("amid").await;
        assert_eq!(amid["result"], before["result"], "the session changes nothing");
        // And the session's requests stay the session's.
        let after = client.result("tools/list", Value::Null).await;
        assert_eq!(after, within);
        client.send(&modern("bad", "ping"));
        assert_eq!(client.answer("bad").await["error"]["code"], -32601);
        assert_eq!(client.result("ping", Value::Null).await, json!({}));
    }
}

#[tokio::test]
async fn what_a_client_says_of_itself_changes_nothing() {
    // M26-044, M26-059, M26-060, M26-315, M26-356, M26-382
    for case in Case::modern() {
        let mut client = Client::raw(whole(), case);
        let mut lists = Vec::new();
        for name in ["test", "root", "io.modelcontextprotocol"] {
            let info = json!({ "name": name, "version": "9", "admin": true });
            let meta = json!({ key::CLIENT_INFO: info, "io.modelcontextprotocol/unheard": 1, "mcp.dev/x": [] });
            lists.push(client.result("tools/list", json!({ "_meta": meta })).await);
        }
        assert!(lists.iter().all(|list| *list == lists[0]), "{lists:?}");
        // Without an identity too.
        let mut meta = modern_meta();
        meta.as_object_mut().unwrap().remove(key::CLIENT_INFO);
        client.send(&json!({ "jsonrpc": "2.0", "id": "x", "method": "tools/list", "params": { "_meta": meta } }));
        assert_eq!(client.answer("x").await["result"], lists[0]);
    }
}

#[tokio::test]
async fn extensions_need_a_proper_id_and_an_object() {
    // M26-045, M26-046, M26-049, M26-050, S-031, S-032, S-033, S-034
    for (id, settings, good) in [
        ("com.example/thing", "{}", true),
        ("com.example/th.i_n-g", "{\"a\":1}", true),
        ("thing", "{}", false),
        ("com..example/thing", "{}", false),
        ("1com/thing", "{}", false),
        ("com-/thing", "{}", false),
        ("com.example/-thing", "{}", false),
        ("com.example/thing", "[]", false),
    ] {
        let server = bare().extension(id, RawJson::parse(settings).unwrap());
        match server.check() {
            Ok(()) => assert!(good, "{id} {settings}"),
            Err(error) => {
                assert!(!good, "{id} {settings}: {error}");
                assert!(error.is_mistake() && error.to_string().contains(id), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn every_revision_is_served_at_once_by_one_server() {
    // S-073, M26-037, M26-040, M26-075, M26-078, M26-315
    let server = whole();
    let mut clients = Vec::new();
    for case in Case::all() {
        clients.push((case, Client::connect(server.clone(), case).await));
    }
    for _ in 0..2 {
        for (case, client) in &mut clients {
            let tools = client.result("tools/list", Value::Null).await;
            assert_eq!(tools.get("ttlMs").is_some(), case.is_modern());
            assert_eq!(client.text("hi", json!({})).await, "hi");
        }
    }
}

#[tokio::test]
async fn requests_may_come_before_the_client_says_it_is_ready() {
    // S-066
    for case in Case::legacy() {
        let mut client = Client::raw(whole(), case);
        let opening = client.opening(case.revision.as_str());
        let ids = [client.start("initialize", opening), client.start("tools/list", Value::Null)];
        for id in ids {
            assert!(client.answer(id).await.get("result").is_some());
        }
        // The server says nothing of its own accord meanwhile.
        client.lives().await;
    }
}
