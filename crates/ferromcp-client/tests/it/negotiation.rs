//! Negotiation over pipes, on the wire.

use std::time::Duration;

use ferromcp_client::{Client, ClientLimits, ErrorKind, Negotiated};
use ferromcp_core::{Era, Revision};
use serde_json::{Value, json};

use crate::script::{ScriptedServer, builder, connect_to, discovered, initialized, pair, reconnecting_connector, soon};

const MODERN: &str = Revision::LATEST.as_str();

fn short_limits() -> ClientLimits {
    ClientLimits::new().probe_timeout(Duration::from_millis(50)).shutdown_grace(Duration::from_millis(50))
}

fn is_plain_legacy(opening: &Value) -> bool {
    !opening.to_string().contains("io.modelcontextprotocol/")
}

#[tokio::test]
async fn probes_modern_server_once_and_sends_meta_with_every_request() {
    // M26-051, M26-052, M26-053, M26-056, M26-058, M26-080, M26-138, M26-139
    let (client, mut peer) = connect_to(builder(), async |peer: &mut ScriptedServer| {
        let probe = peer.expect("server/discover").await;
        assert_eq!(probe["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"], MODERN);
        assert_eq!(probe["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"], json!({}));
        assert_eq!(probe["params"]["_meta"]["io.modelcontextprotocol/clientInfo"]["name"], "tester");
        peer.answer(&probe, discovered(&[MODERN])).await;
    })
    .await;
    let client = client.unwrap();
    assert_eq!((client.revision(), client.negotiated().era()), (Revision::LATEST, Era::Modern));
    assert_eq!(client.server_info().unwrap().name, "script");
    assert_eq!(client.instructions().as_deref(), Some("Be kind"));
    let (tools, ()) = soon(async {
        tokio::join!(async { client.tools().await }, async {
            let list = peer.expect("tools/list").await;
            assert_eq!(list["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"], MODERN);
            peer.answer(&list, json!({ "resultType": "complete", "tools": [], "ttlMs": 0, "cacheScope": "public" }))
                .await;
        })
    })
    .await;
    assert_eq!(tools.unwrap(), []);
}

#[tokio::test]
async fn falls_back_to_initialize_when_probe_fails() {
    // M26-141, M26-142, S-061, S-062, S-064, S-065, S-067, S-068
    for code in [-32601, -32602, -32600, -32000, -32001, -1, 7] {
        let (client, _far) = connect_to(builder(), async |peer: &mut ScriptedServer| {
            let probe = peer.expect("server/discover").await;
            peer.fail(&probe, code, Value::Null).await;
            let opening = peer.open_session().await;
            assert!(is_plain_legacy(&opening), "{opening}");
            assert_eq!(opening["params"]["protocolVersion"], Revision::LATEST_LEGACY.as_str());
            assert_eq!(opening["params"]["clientInfo"], json!({ "name": "tester", "version": "1.0.0" }));
        })
        .await;
        assert_eq!(client.unwrap().revision(), Revision::LATEST_LEGACY);
    }
}

#[tokio::test]
async fn reconnects_once_when_handshake_fails_after_probe() {
    // A proxy may start a session with its server on the probe, and a slow server may exit on the probe after it timed out.
    let reject = async |peer: &mut ScriptedServer| {
        let opening = peer.expect("initialize").await;
        peer.fail(&opening, -32600, json!("the session is already initialized")).await;
    };
    for (answers_probe, exits) in [(true, false), (true, true), (false, false), (false, true)] {
        for succeeds in [true, false] {
            let (target, mut peers) = reconnecting_connector();
            let script = async {
                let mut first = soon(peers.recv()).await.unwrap();
                let probe = first.expect("server/discover").await;
                if answers_probe {
                    first.fail(&probe, -32601, Value::Null).await;
                }
                if exits {
                    first.expect("initialize").await;
                    drop(first);
                } else {
                    reject(&mut first).await;
                }
                // The second connection has no probe.
                let mut second = soon(peers.recv()).await.unwrap();
                if succeeds {
                    second.open_session().await;
                } else {
                    reject(&mut second).await;
                }
                second
            };
            let connecting = builder().limits(short_limits()).connect(target);
            let (client, peer) = soon(async { tokio::join!(connecting, script) }).await;
            if succeeds {
                assert_eq!(client.unwrap().revision(), Revision::LATEST_LEGACY);
            } else {
                let error = client.unwrap_err();
                assert_eq!((error.kind(), error.rpc().unwrap().code.0), (ErrorKind::Server, -32600), "{error}");
                assert!(error.to_string().contains("before that, the server"), "{error}");
            }
            assert!(peers.try_recv().is_err(), "no third connection");
            drop(peer);
        }
    }
}

#[tokio::test]
async fn falls_back_to_initialize_when_discover_result_is_invalid() {
    let (client, _far) = connect_to(builder(), async |peer: &mut ScriptedServer| {
        let probe = peer.expect("server/discover").await;
        peer.answer(&probe, json!({})).await;
        peer.open_session().await;
    })
    .await;
    assert_eq!(client.unwrap().negotiated().era(), Era::Legacy);
}

#[tokio::test]
async fn uses_revision_chosen_by_server() {
    // S-069, S-073, S-077, S-078
    for revision in Revision::ALL.into_iter().filter(|revision| !revision.is_modern()) {
        let (client, _far) = connect_to(builder(), async |peer: &mut ScriptedServer| {
            let probe = peer.expect("server/discover").await;
            peer.fail(&probe, -32601, Value::Null).await;
            let opening = peer.expect("initialize").await;
            peer.answer(&opening, initialized(revision.as_str())).await;
            peer.expect("notifications/initialized").await;
        })
        .await;
        assert_eq!(client.unwrap().revision(), revision);
    }
}

#[tokio::test]
async fn disconnects_when_server_chooses_unknown_revision() {
    // S-074, S-075
    for version in ["1999-01-01", MODERN, "", "2025-11-25 "] {
        let (client, mut peer) = connect_to(builder().limits(short_limits()), async |peer: &mut ScriptedServer| {
            let probe = peer.expect("server/discover").await;
            peer.fail(&probe, -32601, Value::Null).await;
            let opening = peer.expect("initialize").await;
            peer.answer(&opening, initialized(version)).await;
        })
        .await;
        assert_eq!(client.unwrap_err().kind(), ErrorKind::Negotiation);
        assert_eq!(peer.try_recv().await, None, "no further messages");
    }
}

#[tokio::test]
async fn probes_again_when_server_requires_another_revision() {
    // M26-069, M26-071, M26-079, M26-140
    let supported = json!({ "supported": [MODERN], "requested": "x" });
    let (client, _far) = connect_to(builder(), async |peer: &mut ScriptedServer| {
        let probe = peer.expect("server/discover").await;
        peer.fail(&probe, -32022, supported.clone()).await;
        let again = peer.expect("server/discover").await;
        assert_ne!(probe["id"], again["id"]);
        peer.answer(&again, discovered(&[MODERN])).await;
    })
    .await;
    assert_eq!(client.unwrap().revision(), Revision::LATEST);

    let (client, mut peer) = connect_to(builder().limits(short_limits()), async |peer: &mut ScriptedServer| {
        for _ in 0..2 {
            let probe = peer.expect("server/discover").await;
            peer.fail(&probe, -32022, supported.clone()).await;
        }
    })
    .await;
    assert_eq!(client.unwrap_err().rpc().unwrap().code.0, -32022);
    assert_eq!(peer.try_recv().await, None, "no `initialize`");
}

#[tokio::test]
async fn does_not_fall_back_when_error_is_modern() {
    // M26-028, M26-079, M26-140
    for (code, data) in [(-32020, Value::Null), (-32021, json!({ "requiredCapabilities": {} })), (-32022, Value::Null)]
    {
        let (client, mut peer) = connect_to(builder().limits(short_limits()), async |peer: &mut ScriptedServer| {
            let probe = peer.expect("server/discover").await;
            peer.fail(&probe, code, data.clone()).await;
        })
        .await;
        let error = client.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Server | ErrorKind::Negotiation), "{error}");
        assert_eq!(peer.try_recv().await, None);
    }
}

#[tokio::test]
async fn falls_back_to_initialize_when_server_supports_legacy_only() {
    let old = Revision::V2025_06_18.as_str();
    for answers in [true, false] {
        let (client, _far) = connect_to(builder(), async |peer: &mut ScriptedServer| {
            let probe = peer.expect("server/discover").await;
            if answers {
                peer.answer(&probe, discovered(&["2099-01-01", old])).await;
            } else {
                peer.fail(&probe, -32022, json!({ "supported": [old] })).await;
            }
            let opening = peer.open_session().await;
            assert_eq!(opening["params"]["protocolVersion"], old);
            assert!(is_plain_legacy(&opening));
        })
        .await;
        assert_eq!(client.unwrap().revision().as_str(), old);
    }
}

#[tokio::test]
async fn reports_server_revisions_when_no_revision_is_shared() {
    let (client, _far) = connect_to(builder().limits(short_limits()), async |peer: &mut ScriptedServer| {
        let probe = peer.expect("server/discover").await;
        peer.answer(&probe, discovered(&["2099-01-01"])).await;
    })
    .await;
    let error = client.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Negotiation);
    assert!(error.to_string().contains("2099-01-01"), "{error}");
}

#[tokio::test]
async fn falls_back_to_initialize_when_probe_times_out() {
    // M26-141, S-212
    let (client, mut peer) = connect_to(builder().limits(short_limits()), async |peer: &mut ScriptedServer| {
        let probe = peer.expect("server/discover").await;
        let opening = peer.expect("initialize").await; // the probe is not cancelled
        peer.fail(&probe, -32601, Value::Null).await;
        peer.answer(&opening, initialized(Revision::LATEST_LEGACY.as_str())).await;
        peer.expect("notifications/initialized").await;
    })
    .await;
    let client = client.unwrap();
    assert_eq!(client.negotiated().era(), Era::Legacy);
    let (pong, ()) = soon(async {
        tokio::join!(async { client.ping().await }, async {
            let ping = peer.expect("ping").await;
            peer.answer(&ping, json!({})).await;
        })
    })
    .await;
    pong.unwrap();
}

#[tokio::test]
async fn detects_modern_server_when_discover_result_is_late() {
    let (client, _far) = connect_to(builder().limits(short_limits()), async |peer: &mut ScriptedServer| {
        let probe = peer.expect("server/discover").await;
        let opening = peer.expect("initialize").await;
        peer.answer(&probe, discovered(&[MODERN])).await;
        peer.fail(&opening, -32601, json!({ "supported": [MODERN] })).await;
    })
    .await;
    assert_eq!(client.unwrap().revision(), Revision::LATEST);
}

#[tokio::test]
async fn restarts_and_initializes_when_server_exits_on_probe() {
    let (target, mut peers) = reconnecting_connector();
    let script = async {
        let mut peer = peers.recv().await.unwrap();
        peer.expect("server/discover").await;
        drop(peer);
        let mut peer = peers.recv().await.unwrap();
        assert!(is_plain_legacy(&peer.open_session().await));
        peer
    };
    let (client, _far) = soon(async { tokio::join!(builder().limits(short_limits()).connect(target), script) }).await;
    assert_eq!(client.unwrap().negotiated().era(), Era::Legacy);
}

#[tokio::test]
async fn reports_error_when_transport_closes_on_probe_and_cannot_reopen() {
    let (near, peer) = pair();
    drop(peer);
    let error = soon(builder().connect(near)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
}

#[tokio::test]
async fn retries_initialize_once_when_error_lists_revisions() {
    let old = Revision::V2024_11_05.as_str();
    let (client, _far) = connect_to(builder(), async |peer: &mut ScriptedServer| {
        let probe = peer.expect("server/discover").await;
        peer.fail(&probe, -32601, Value::Null).await;
        let opening = peer.expect("initialize").await;
        peer.fail(&opening, -32602, json!({ "supported": [old], "requested": "x" })).await;
        assert_eq!(peer.open_session().await["params"]["protocolVersion"], old);
    })
    .await;
    assert_eq!(client.unwrap().revision().as_str(), old);
}

#[tokio::test]
async fn negotiates_within_configured_era() {
    // M26-083
    let (client, mut peer) =
        connect_to(builder().limits(short_limits()).only_era(Era::Modern), async |peer: &mut ScriptedServer| {
            let probe = peer.expect("server/discover").await;
            peer.fail(&probe, -32601, Value::Null).await;
        })
        .await;
    assert_eq!(client.unwrap_err().kind(), ErrorKind::Negotiation);
    assert_eq!(peer.try_recv().await, None);

    let (client, _far) = connect_to(builder().only_era(Era::Legacy), async |peer: &mut ScriptedServer| {
        peer.open_session().await;
    })
    .await;
    assert_eq!(client.unwrap().negotiated().era(), Era::Legacy);

    let pinned = builder().only_revision(Revision::V2025_03_26);
    let (client, _far) = connect_to(pinned, async |peer: &mut ScriptedServer| {
        let opening = peer.open_session().await;
        assert_eq!(opening["params"]["protocolVersion"], Revision::V2025_03_26.as_str());
    })
    .await;
    assert_eq!(client.unwrap().revision(), Revision::V2025_03_26);
}

#[tokio::test]
async fn skips_probe_when_negotiation_outcome_is_saved() {
    // M26-081
    let saved = serde_json::to_string(&Negotiated::new(Revision::LATEST_LEGACY)).unwrap();
    let negotiated: Negotiated = serde_json::from_str(&saved).unwrap();
    let (client, _far) = connect_to(builder().negotiated(negotiated), async |peer: &mut ScriptedServer| {
        peer.open_session().await;
    })
    .await;
    assert_eq!(client.unwrap().negotiated(), negotiated);
}

#[tokio::test]
async fn renegotiates_when_saved_outcome_is_outdated() {
    // M26-081
    let (target, mut peers) = reconnecting_connector();
    let script = async {
        let mut peer = peers.recv().await.unwrap();
        let opening = peer.expect("initialize").await;
        peer.fail(&opening, -32601, Value::Null).await;
        let mut peer = peers.recv().await.unwrap();
        peer.negotiate_modern().await;
        peer
    };
    let negotiated = Negotiated::new(Revision::LATEST_LEGACY);
    let connecting = builder().limits(short_limits()).negotiated(negotiated).connect(target);
    let (client, _far) = soon(async { tokio::join!(connecting, script) }).await;
    assert_eq!(client.unwrap().revision(), Revision::LATEST);

    let (near, mut peer) = pair();
    let connecting = builder().negotiated(Negotiated::new(Revision::LATEST)).connect(near);
    let (client, ()) = soon(async { tokio::join!(connecting, peer.negotiate_legacy()) }).await;
    assert_eq!(client.unwrap().negotiated().era(), Era::Legacy);
}

#[tokio::test]
async fn reports_cause_when_server_is_unreachable() {
    let error = soon(builder().connect(std::process::Command::new("/no/such/program"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("/no/such/program"), "{error}");
    // Without the feature `http` the error names it; with it, the connection is refused.
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = soon(builder().connect(format!("http://{unused}/mcp"))).await.unwrap_err();
    assert!(error.to_string().contains("http"), "{error}");
}

#[tokio::test]
async fn rejects_request_when_capability_is_not_declared() {
    // S-079, S-080
    let (client, mut peer) = connect_to(builder().limits(short_limits()), async |peer: &mut ScriptedServer| {
        let probe = peer.expect("server/discover").await;
        peer.fail(&probe, -32601, Value::Null).await;
        let opening = peer.expect("initialize").await;
        let result = json!({ "protocolVersion": Revision::LATEST_LEGACY.as_str(), "capabilities": {},
            "serverInfo": { "name": "bare", "version": "0" } });
        peer.answer(&opening, result).await;
        peer.expect("notifications/initialized").await;
    })
    .await;
    let client: Client = client.unwrap();
    assert_eq!(soon(client.tools()).await.unwrap(), []);
    assert_eq!(soon(client.read("file:///a")).await.unwrap_err().kind(), ErrorKind::Unsupported);
    // Custom methods require no capability.
    let (answer, ()) = soon(async {
        tokio::join!(async { client.request::<Value>("own/method", ()).await }, async {
            let request = peer.expect("own/method").await;
            peer.answer(&request, json!({ "n": 1 })).await;
        })
    })
    .await;
    assert_eq!(answer.unwrap(), json!({ "n": 1 }));
}
