//! Initialization, discovery, version negotiation, and both eras on one connection.

use ferromcp_core::meta::key;
use ferromcp_core::model::{CacheHint, Icon};
use ferromcp_core::{RawJson, Revision};
use ferromcp_server::{Completion, Prompt, Resource, Server, Tool};
use serde_json::{Value, json};

use crate::client::{Case, Client, Wire, modern_meta};

/// A server that offers every feature.
fn full_server() -> Server {
    Server::new("full", "1.2.3")
        .title("The Full Server")
        .description("Offers every feature.")
        .website("https://example.com")
        .icon(Icon::new("https://example.com/icon.png").mime_type("image/png").size("48x48"))
        .instructions("Use the tools.")
        .extension("com.example/thing", json!({ "depth": 2 }).into())
        .with_tool(Tool::sync("hi", || "hi"))
        .with_resource(Resource::sync("notes://one", || "1").name("one"))
        .with_prompt(Prompt::sync("ask", |what: String| what).args(["what"]))
        .with_completion(Completion::prompt_sync("ask", "what", |typed: String| vec![typed]).args(["typed"]))
}

/// A server without any feature.
fn bare() -> Server {
    Server::new("bare", "0").logging(false)
}

#[tokio::test]
async fn requested_revision_is_negotiated_when_session_is_initialized() {
    // S-002, S-061, S-063, S-070, S-073, S-077, S-078, S-082, S-084, S-085, S-086, S-103, M26-075, M26-077
    // M26-312, M26-353, M26-379, M26-396, M26-415, S-079, S-080, S-229, S-269, S-292, S-305, S-324
    for case in Case::legacy() {
        let mut client = Client::raw(full_server(), case);
        let result = client.initialize().await;
        assert_eq!(result["protocolVersion"], case.revision.as_str());
        assert_eq!(result["instructions"], "Use the tools.");
        let info = &result["serverInfo"];
        assert_eq!((&info["name"], &info["version"]), (&json!("full"), &json!("1.2.3")));
        assert_eq!(info.get("title").is_some(), case.revision >= Revision::V2025_06_18, "{info}");
        assert_eq!(info.get("icons").is_some(), case.revision >= Revision::V2025_11_25, "{info}");
        let offered = &result["capabilities"];
        for feature in ["tools", "resources", "prompts", "logging"] {
            assert!(offered[feature].is_object(), "{feature}: {offered}");
        }
        assert_eq!(offered.get("completions").is_some(), case.revision >= Revision::V2025_03_26, "{offered}");
        assert!(offered.get("extensions").is_none(), "sessions have no extensions: {offered}");
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn latest_session_revision_is_negotiated_when_requested_one_is_unknown() {
    // S-071, S-072, S-091
    for wire in Wire::ALL {
        for version in ["2099-01-01", "1.0", "", Revision::LATEST.as_str()] {
            let mut client = Client::raw(full_server(), Case { revision: Revision::LATEST_LEGACY, wire });
            let params = client.initialize_params(version);
            let result = client.result("initialize", params).await;
            assert_eq!(result["protocolVersion"], Revision::LATEST_LEGACY.as_str(), "{version}");
            assert_eq!(client.result("tools/list", Value::Null).await["tools"][0]["name"], "hi");
        }
    }
}

#[tokio::test]
async fn second_initialize_is_rejected_when_session_is_open() {
    // S-061, S-073
    for case in Case::legacy() {
        let mut client = Client::connect(full_server(), case).await;
        let params = client.initialize_params(Revision::V2024_11_05.as_str());
        assert_eq!(client.error("initialize", params).await["code"], -32600);
        assert_eq!(client.text("hi", json!({})).await, "hi", "the session must stay open");
    }
}

#[tokio::test]
async fn initialize_succeeds_when_client_info_is_incomplete() {
    for info in [json!({ "name": "t" }), json!({ "version": "0" }), json!({ "name": "t", "version": null })] {
        let mut client = Client::raw(full_server(), Case::eras()[0]);
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info });
        assert_eq!(client.result("initialize", params).await["protocolVersion"], "2025-11-25");
    }
}

#[tokio::test]
async fn initialize_can_be_retried_when_first_attempt_was_invalid() {
    // S-063, S-085, S-076
    for case in Case::legacy() {
        let mut client = Client::raw(full_server(), case);
        for bad in [
            json!({}),
            json!({ "protocolVersion": 7, "capabilities": {}, "clientInfo": { "name": "t", "version": "0" } }),
            json!({ "protocolVersion": "x", "capabilities": "all", "clientInfo": { "name": "t", "version": "0" } }),
            json!({ "protocolVersion": "x", "clientInfo": { "name": "t", "version": "0" } }),
        ] {
            assert_eq!(client.error("initialize", bad).await["code"], -32602);
        }
        assert_eq!(client.initialize().await["protocolVersion"], case.revision.as_str());
    }
}

#[tokio::test]
async fn requests_except_ping_are_rejected_when_session_is_not_initialized() {
    // S-061, S-066, S-188, M26-054
    for case in Case::legacy() {
        let mut client = Client::raw(full_server(), case);
        assert_eq!(client.result("ping", Value::Null).await, json!({}));
        for method in ["tools/list", "resources/list", "prompts/list", "logging/setLevel", "x/unknown"] {
            let error = client.error(method, json!({ "level": "debug" })).await;
            assert_eq!(error["code"], -32602, "{method}");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains("initialize") && message.contains(key::PROTOCOL_VERSION), "{message}");
        }
        client.initialize().await;
        assert_eq!(client.text("hi", json!({})).await, "hi");
    }
}

#[tokio::test]
async fn unknown_initialize_members_are_ignored_when_session_is_opened() {
    // S-084, S-012, S-030
    for case in Case::legacy() {
        let mut client = Client::raw(full_server(), case);
        let mut params = client.initialize_params(case.revision.as_str());
        params["capabilities"] = json!({ "teleport": { "range": 3 }, "experimental": { "x": {} }, "roots": {} });
        params["extra"] = json!([1]);
        params["clientInfo"]["shoe"] = json!(43);
        params["_meta"] = json!({ "com.example/x": 1 });
        assert!(client.result("initialize", params).await["capabilities"].is_object());
    }
}

#[tokio::test]
async fn methods_are_not_found_when_capability_is_not_advertised() {
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
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn discover_result_is_complete_when_server_offers_every_feature() {
    // M26-070, M26-084, M26-086, M26-087, M26-088, M26-312, M26-353, M26-379, M26-396, M26-415, M26-440
    for case in Case::modern() {
        let server = full_server().default_list_cache(CacheHint::public(60_000));
        let mut client = Client::raw(server, case);
        let result = client.result("server/discover", Value::Null).await;
        let mut versions: Vec<&str> = Revision::ALL.iter().map(|revision| revision.as_str()).collect();
        versions.reverse();
        assert_eq!(result["supportedVersions"], json!(versions));
        assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(60_000), &json!("public")));
        assert_eq!(result["instructions"], "Use the tools.");
        assert!(result.get("serverInfo").is_none());
        let info = &result["_meta"][key::SERVER_INFO];
        assert_eq!((&info["title"], &info["icons"][0]["sizes"]), (&json!("The Full Server"), &json!(["48x48"])));
        let offered = &result["capabilities"];
        for feature in ["tools", "resources", "prompts", "logging", "completions"] {
            assert!(offered[feature].is_object(), "{feature}: {offered}");
        }
        assert_eq!(offered["extensions"]["com.example/thing"], json!({ "depth": 2 }));
    }
}

#[tokio::test]
async fn request_is_rejected_when_required_meta_is_missing() {
    // M26-054, M26-085
    for case in Case::modern() {
        let mut client = Client::raw(full_server(), case);
        let without = |name: &str| {
            let mut meta = modern_meta();
            meta.as_object_mut().unwrap().remove(name);
            meta
        };
        for (id, (method, meta, missing)) in [
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
            assert!(error["message"].as_str().unwrap().contains(missing), "{error}");
        }
        client.send(&json!({ "jsonrpc": "2.0", "id": "none", "method": "server/discover" }));
        assert_eq!(client.answer("none").await["error"]["code"], -32602);
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn request_is_rejected_when_meta_is_malformed() {
    // M26-054, M26-058, M26-419
    for case in Case::modern() {
        let mut client = Client::raw(full_server(), case);
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
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn supported_versions_are_returned_when_revision_is_unsupported() {
    // M26-027, M26-028, M26-066, M26-067
    for case in Case::modern() {
        let mut client = Client::raw(full_server(), case);
        for version in ["2099-01-01", "", Revision::LATEST_LEGACY.as_str()] {
            for method in ["server/discover", "tools/list", "x/unknown"] {
                let error = client.error(method, json!({ "_meta": { key::PROTOCOL_VERSION: version } })).await;
                assert_eq!(error["code"], -32022, "{method}: {error}");
                assert_eq!(error["data"]["requested"], version);
                let supported = error["data"]["supported"].as_array().unwrap();
                assert!(supported.contains(&json!(Revision::LATEST.as_str())), "{error}");
                assert!(supported.iter().all(|it| Revision::parse(it.as_str().unwrap()).is_some()), "{error}");
            }
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn method_is_not_found_when_it_belongs_to_the_other_era() {
    // M26-033, M26-076, M26-029
    for case in Case::modern() {
        let mut client = Client::raw(full_server(), case);
        let params = client.initialize_params(Revision::LATEST.as_str());
        assert_eq!(client.error("initialize", params).await["code"], -32601);
        for method in ["ping", "logging/setLevel", "resources/subscribe", "tasks/list"] {
            let params = json!({ "level": "info", "uri": "notes://one" });
            assert_eq!(client.error(method, params).await["code"], -32601, "{method}");
        }
    }
    for case in Case::legacy() {
        let mut client = Client::connect(full_server(), case).await;
        // A modern method without `_meta` is rejected because of the missing `_meta`.
        assert_eq!(client.error("server/discover", Value::Null).await["code"], -32602);
        assert_eq!(client.error("subscriptions/listen", json!({ "notifications": {} })).await["code"], -32602);
    }
}

#[tokio::test]
async fn requests_are_independent_when_both_eras_share_one_connection() {
    // M26-034, M26-035, M26-036, M26-037, M26-040, M26-061, M26-075, M26-076, M26-077, M26-078
    for wire in Wire::ALL {
        let legacy = Case { revision: Revision::V2025_06_18, wire };
        let mut client = Client::raw(full_server(), legacy).allow_both_eras();
        let modern = |id: &str, method: &str| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": { "_meta": modern_meta() } });
        client.send(&modern("before", "tools/list"));
        let before = client.answer("before").await;
        assert_eq!(before["result"]["resultType"], "complete", "{before}");
        // A modern request does not open a session.
        assert_eq!(client.error("tools/list", Value::Null).await["code"], -32602);
        client.initialize().await;
        let within = client.result("tools/list", Value::Null).await;
        assert!(within.get("resultType").is_none() && within.get("ttlMs").is_none(), "{within}");
        client.send(&modern("during", "tools/list"));
        let during = client.answer("during").await;
        assert_eq!(during["result"], before["result"], "the session must not affect modern requests");
        // Modern requests do not affect the session.
        let after = client.result("tools/list", Value::Null).await;
        assert_eq!(after, within);
        client.send(&modern("bad", "ping"));
        assert_eq!(client.answer("bad").await["error"]["code"], -32601);
        assert_eq!(client.result("ping", Value::Null).await, json!({}));
    }
}

#[tokio::test]
async fn results_are_equal_when_client_info_differs() {
    // M26-044, M26-059, M26-060, M26-315, M26-356, M26-382
    for case in Case::modern() {
        let mut client = Client::raw(full_server(), case);
        let mut lists = Vec::new();
        for name in ["test", "root", "io.modelcontextprotocol"] {
            let info = json!({ "name": name, "version": "9", "admin": true });
            let meta = json!({ key::CLIENT_INFO: info, "io.modelcontextprotocol/unknown": 1, "mcp.dev/x": [] });
            lists.push(client.result("tools/list", json!({ "_meta": meta })).await);
        }
        assert!(lists.iter().all(|list| *list == lists[0]), "{lists:?}");
        // The result is the same without client info.
        let mut meta = modern_meta();
        meta.as_object_mut().unwrap().remove(key::CLIENT_INFO);
        client.send(&json!({ "jsonrpc": "2.0", "id": "x", "method": "tools/list", "params": { "_meta": meta } }));
        assert_eq!(client.answer("x").await["result"], lists[0]);
    }
}

#[tokio::test]
async fn extension_is_rejected_when_id_or_settings_are_invalid() {
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
                assert!(error.is_configuration() && error.to_string().contains(id), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn each_revision_is_served_when_clients_share_one_server() {
    // S-073, M26-037, M26-040, M26-075, M26-078, M26-315
    let server = full_server();
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
async fn requests_are_answered_when_initialized_notification_is_pending() {
    // S-066
    for case in Case::legacy() {
        let mut client = Client::raw(full_server(), case);
        let params = client.initialize_params(case.revision.as_str());
        let ids = [client.start("initialize", params), client.start("tools/list", Value::Null)];
        for id in ids {
            assert!(client.answer(id).await.get("result").is_some());
        }
        // The server sends no unsolicited messages.
        client.assert_alive().await;
    }
}
