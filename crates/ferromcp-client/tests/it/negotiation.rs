//! Every row of the table of pipes, as it happens on the wire.

use std::time::Duration;

use ferromcp_client::{Client, ClientLimits, ErrorKind, Verdict};
use ferromcp_core::{Era, Revision};
use serde_json::{Value, json};

use crate::script::{Far, builder, connect_to, dialer, discovered, initialized, pair, soon};

const MODERN: &str = Revision::LATEST.as_str();

fn quick() -> ClientLimits {
    let mut limits = ClientLimits::default();
    limits.probe_timeout = Duration::from_millis(50);
    limits.restart_backoff = Duration::from_millis(1);
    limits.shutdown_grace = Duration::from_millis(50);
    limits
}

fn is_plain_legacy(opening: &Value) -> bool {
    !opening.to_string().contains("io.modelcontextprotocol/")
}

#[tokio::test]
async fn a_modern_server_is_asked_once_and_every_request_describes_itself() {
    // M26-051, M26-052, M26-053, M26-056, M26-058, M26-080, M26-138, M26-139
    let (client, mut far) = connect_to(builder(), async |far: &mut Far| {
        let probe = far.expect("server/discover").await;
        assert_eq!(probe["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"], MODERN);
        assert_eq!(probe["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"], json!({}));
        assert_eq!(probe["params"]["_meta"]["io.modelcontextprotocol/clientInfo"]["name"], "tester");
        far.answer(&probe, discovered(&[MODERN])).await;
    })
    .await;
    let client = client.unwrap();
    assert_eq!((client.revision(), client.verdict().era()), (Revision::LATEST, Era::Modern));
    assert_eq!(client.server_info().unwrap().name, "script");
    assert_eq!(client.instructions().as_deref(), Some("Be kind"));
    let (tools, ()) = soon(async {
        tokio::join!(async { client.tools().await }, async {
            let list = far.expect("tools/list").await;
            assert_eq!(list["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"], MODERN);
            far.answer(&list, json!({ "resultType": "complete", "tools": [], "ttlMs": 0, "cacheScope": "public" }))
                .await;
        })
    })
    .await;
    assert_eq!(tools.unwrap(), []);
}

#[tokio::test]
async fn any_other_error_leads_to_the_handshake() {
    // M26-141, M26-142, S-061, S-062, S-064, S-065, S-067, S-068
    for code in [-32601, -32602, -32600, -32000, -32001, -1, 7] {
        let (client, _far) = connect_to(builder(), async |far: &mut Far| {
            let probe = far.expect("server/discover").await;
            far.fail(&probe, code, Value::Null).await;
            let opening = far.open_session().await;
            assert!(is_plain_legacy(&opening), "{opening}");
            assert_eq!(opening["params"]["protocolVersion"], Revision::LATEST_LEGACY.as_str());
            assert_eq!(opening["params"]["clientInfo"], json!({ "name": "tester", "version": "1.0.0" }));
        })
        .await;
        assert_eq!(client.unwrap().revision(), Revision::LATEST_LEGACY);
    }
}

#[tokio::test]
async fn an_answer_that_is_no_discovery_leads_to_the_handshake() {
    let (client, _far) = connect_to(builder(), async |far: &mut Far| {
        let probe = far.expect("server/discover").await;
        far.answer(&probe, json!({})).await;
        far.open_session().await;
    })
    .await;
    assert_eq!(client.unwrap().verdict().era(), Era::Legacy);
}

#[tokio::test]
async fn the_session_speaks_what_the_server_chose() {
    // S-069, S-073, S-077, S-078
    for revision in Revision::ALL.into_iter().filter(|revision| !revision.is_modern()) {
        let (client, _far) = connect_to(builder(), async |far: &mut Far| {
            let probe = far.expect("server/discover").await;
            far.fail(&probe, -32601, Value::Null).await;
            let opening = far.expect("initialize").await;
            far.answer(&opening, initialized(revision.as_str())).await;
            far.expect("notifications/initialized").await;
        })
        .await;
        assert_eq!(client.unwrap().revision(), revision);
    }
}

#[tokio::test]
async fn a_revision_nobody_knows_ends_the_connection() {
    // S-074, S-075
    for version in ["1999-01-01", MODERN, "", "2025-11-25 "] {
        let (client, mut far) = connect_to(builder().limits(quick()), async |far: &mut Far| {
            let probe = far.expect("server/discover").await;
            far.fail(&probe, -32601, Value::Null).await;
            let opening = far.expect("initialize").await;
            far.answer(&opening, initialized(version)).await;
        })
        .await;
        assert_eq!(client.unwrap_err().kind(), ErrorKind::Negotiation);
        assert_eq!(far.try_recv().await, None, "nothing is said any more");
    }
}

#[tokio::test]
async fn a_modern_server_that_wants_another_revision_is_asked_once_more() {
    // M26-069, M26-071, M26-079, M26-140
    let supported = json!({ "supported": [MODERN], "requested": "x" });
    let (client, _far) = connect_to(builder(), async |far: &mut Far| {
        let probe = far.expect("server/discover").await;
        far.fail(&probe, -32022, supported.clone()).await;
        let again = far.expect("server/discover").await;
        assert_ne!(probe["id"], again["id"]);
        far.answer(&again, discovered(&[MODERN])).await;
    })
    .await;
    assert_eq!(client.unwrap().revision(), Revision::LATEST);

    let (client, mut far) = connect_to(builder().limits(quick()), async |far: &mut Far| {
        for _ in 0..2 {
            let probe = far.expect("server/discover").await;
            far.fail(&probe, -32022, supported.clone()).await;
        }
    })
    .await;
    assert_eq!(client.unwrap_err().rpc().unwrap().code.0, -32022);
    assert_eq!(far.try_recv().await, None, "and never a handshake");
}

#[tokio::test]
async fn modern_errors_never_lead_to_the_handshake() {
    // M26-028, M26-079, M26-140
    for (code, data) in [(-32020, Value::Null), (-32021, json!({ "requiredCapabilities": {} })), (-32022, Value::Null)]
    {
        let (client, mut far) = connect_to(builder().limits(quick()), async |far: &mut Far| {
            let probe = far.expect("server/discover").await;
            far.fail(&probe, code, data.clone()).await;
        })
        .await;
        let error = client.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Server | ErrorKind::Negotiation), "{error}");
        assert_eq!(far.try_recv().await, None);
    }
}

#[tokio::test]
async fn a_list_of_legacy_revisions_leads_to_the_handshake_with_one_of_them() {
    let old = Revision::V2025_06_18.as_str();
    for answers in [true, false] {
        let (client, _far) = connect_to(builder(), async |far: &mut Far| {
            let probe = far.expect("server/discover").await;
            if answers {
                far.answer(&probe, discovered(&["2099-01-01", old])).await;
            } else {
                far.fail(&probe, -32022, json!({ "supported": [old] })).await;
            }
            let opening = far.open_session().await;
            assert_eq!(opening["params"]["protocolVersion"], old);
            assert!(is_plain_legacy(&opening));
        })
        .await;
        assert_eq!(client.unwrap().revision().as_str(), old);
    }
}

#[tokio::test]
async fn nothing_shared_is_an_error_that_names_what_the_server_speaks() {
    let (client, _far) = connect_to(builder().limits(quick()), async |far: &mut Far| {
        let probe = far.expect("server/discover").await;
        far.answer(&probe, discovered(&["2099-01-01"])).await;
    })
    .await;
    let error = client.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Negotiation);
    assert!(error.to_string().contains("2099-01-01"), "{error}");
}

#[tokio::test]
async fn silence_leads_to_the_handshake_and_a_late_answer_is_ignored() {
    // M26-141, S-212
    let (client, mut far) = connect_to(builder().limits(quick()), async |far: &mut Far| {
        let probe = far.expect("server/discover").await;
        let opening = far.expect("initialize").await; // no cancellation comes before it
        far.fail(&probe, -32601, Value::Null).await;
        far.answer(&opening, initialized(Revision::LATEST_LEGACY.as_str())).await;
        far.expect("notifications/initialized").await;
    })
    .await;
    let client = client.unwrap();
    assert_eq!(client.verdict().era(), Era::Legacy);
    let (pong, ()) = soon(async {
        tokio::join!(async { client.ping().await }, async {
            let ping = far.expect("ping").await;
            far.answer(&ping, json!({})).await;
        })
    })
    .await;
    pong.unwrap();
}

#[tokio::test]
async fn a_modern_server_that_is_slow_to_start_is_found_all_the_same() {
    let (client, _far) = connect_to(builder().limits(quick()), async |far: &mut Far| {
        let probe = far.expect("server/discover").await;
        let opening = far.expect("initialize").await;
        far.answer(&probe, discovered(&[MODERN])).await;
        far.fail(&opening, -32601, json!({ "supported": [MODERN] })).await;
    })
    .await;
    assert_eq!(client.unwrap().revision(), Revision::LATEST);
}

#[tokio::test]
async fn a_server_that_ends_on_the_probe_is_started_again_for_a_handshake() {
    let (target, mut fars) = dialer();
    let script = async {
        let mut far = fars.recv().await.unwrap();
        far.expect("server/discover").await;
        drop(far);
        let mut far = fars.recv().await.unwrap();
        assert!(is_plain_legacy(&far.open_session().await));
        far
    };
    let (client, _far) = soon(async { tokio::join!(builder().limits(quick()).connect(target), script) }).await;
    assert_eq!(client.unwrap().verdict().era(), Era::Legacy);
}

#[tokio::test]
async fn a_transport_that_ends_on_the_probe_and_cannot_be_opened_again_is_an_error() {
    let (near, far) = pair();
    drop(far);
    let error = soon(builder().connect(near)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
}

#[tokio::test]
async fn an_error_to_initialize_that_names_revisions_is_followed_once() {
    let old = Revision::V2024_11_05.as_str();
    let (client, _far) = connect_to(builder(), async |far: &mut Far| {
        let probe = far.expect("server/discover").await;
        far.fail(&probe, -32601, Value::Null).await;
        let opening = far.expect("initialize").await;
        far.fail(&opening, -32602, json!({ "supported": [old], "requested": "x" })).await;
        assert_eq!(far.open_session().await["params"]["protocolVersion"], old);
    })
    .await;
    assert_eq!(client.unwrap().revision().as_str(), old);
}

#[tokio::test]
async fn a_pin_keeps_to_its_era() {
    // M26-083
    let (client, mut far) = connect_to(builder().limits(quick()).only_era(Era::Modern), async |far: &mut Far| {
        let probe = far.expect("server/discover").await;
        far.fail(&probe, -32601, Value::Null).await;
    })
    .await;
    assert_eq!(client.unwrap_err().kind(), ErrorKind::Negotiation);
    assert_eq!(far.try_recv().await, None);

    let (client, _far) = connect_to(builder().only_era(Era::Legacy), async |far: &mut Far| {
        far.open_session().await;
    })
    .await;
    assert_eq!(client.unwrap().verdict().era(), Era::Legacy);

    let pinned = builder().only_revision(Revision::V2025_03_26);
    let (client, _far) = connect_to(pinned, async |far: &mut Far| {
        let opening = far.open_session().await;
        assert_eq!(opening["params"]["protocolVersion"], Revision::V2025_03_26.as_str());
    })
    .await;
    assert_eq!(client.unwrap().revision(), Revision::V2025_03_26);
}

#[tokio::test]
async fn a_saved_verdict_saves_the_probe() {
    // M26-081
    let saved = serde_json::to_string(&Verdict::new(Revision::LATEST_LEGACY)).unwrap();
    let verdict: Verdict = serde_json::from_str(&saved).unwrap();
    let (client, _far) = connect_to(builder().verdict(verdict), async |far: &mut Far| {
        far.open_session().await;
    })
    .await;
    assert_eq!(client.unwrap().verdict(), verdict);
}

#[tokio::test]
async fn a_stale_verdict_is_found_out() {
    // M26-081
    let (target, mut fars) = dialer();
    let script = async {
        let mut far = fars.recv().await.unwrap();
        let opening = far.expect("initialize").await;
        far.fail(&opening, -32601, Value::Null).await;
        let mut far = fars.recv().await.unwrap();
        far.be_modern().await;
        far
    };
    let verdict = Verdict::new(Revision::LATEST_LEGACY);
    let connecting = builder().limits(quick()).verdict(verdict).connect(target);
    let (client, _far) = soon(async { tokio::join!(connecting, script) }).await;
    assert_eq!(client.unwrap().revision(), Revision::LATEST);

    let (near, mut far) = pair();
    let connecting = builder().verdict(Verdict::new(Revision::LATEST)).connect(near);
    let (client, ()) = soon(async { tokio::join!(connecting, far.be_legacy()) }).await;
    assert_eq!(client.unwrap().verdict().era(), Era::Legacy);
}

#[tokio::test]
async fn what_cannot_be_reached_says_why() {
    let error = soon(builder().connect(std::process::Command::new("/no/such/program"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("/no/such/program"), "{error}");
    // Without HTTP, that is what it says; with it, where nobody is.
    let error = soon(builder().connect("http://localhost:1/mcp")).await.unwrap_err();
    assert!(error.to_string().contains("http"), "{error}");
}

#[tokio::test]
async fn what_a_session_did_not_declare_is_not_asked_for() {
    // S-079, S-080
    let (client, mut far) = connect_to(builder().limits(quick()), async |far: &mut Far| {
        let probe = far.expect("server/discover").await;
        far.fail(&probe, -32601, Value::Null).await;
        let opening = far.expect("initialize").await;
        let result = json!({ "protocolVersion": Revision::LATEST_LEGACY.as_str(), "capabilities": {},
            "serverInfo": { "name": "bare", "version": "0" } });
        far.answer(&opening, result).await;
        far.expect("notifications/initialized").await;
    })
    .await;
    let client: Client = client.unwrap();
    assert_eq!(soon(client.tools()).await.unwrap(), []);
    assert_eq!(soon(client.read("file:///a")).await.unwrap_err().kind(), ErrorKind::Unsupported);
    // Methods of the server's own are its own matter.
    let (answer, ()) = soon(async {
        tokio::join!(async { client.request::<Value>("own/method", ()).await }, async {
            let asked = far.expect("own/method").await;
            far.answer(&asked, json!({ "n": 1 })).await;
        })
    })
    .await;
    assert_eq!(answer.unwrap(), json!({ "n": 1 }));
}
