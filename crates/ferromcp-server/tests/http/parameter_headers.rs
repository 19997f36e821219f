//! Arguments that are mirrored in headers.

use ferromcp_core::header::{self, field};
use serde_json::{Value, json};

use crate::client::modern_call;
use crate::fixture::Host;
use crate::message::Request;

/// Returns a call of `place` with these parameter headers.
fn place(arguments: Value, headers: &[(&str, &str)]) -> Request {
    let call = modern_call("place", arguments);
    headers.iter().fold(call, |call, (name, value)| call.add(&format!("{}{name}", field::PARAM_PREFIX), value))
}

#[tokio::test]
async fn accepts_parameter_headers_when_they_match_the_body() {
    // M26-180, M26-187, M26-191, M26-210, M26-213, M26-215, M26-219, M26-221
    let host = Host::new().await;
    let cases: &[(Value, &[(&str, &str)])] = &[
        (json!({ "region": "eu" }), &[("Region", "eu")]),
        (json!({ "region": "eu" }), &[("REGION", "  eu\t")]),
        (json!({ "region": "eu" }), &[("region", "=?base64?ZXU=?=")]),
        (json!({ "region": "Grüße" }), &[("Region", "=?base64?R3LDvMOfZQ==?=")]),
        (json!({ "region": "" }), &[("Region", "")]),
        (json!({ "region": "" }), &[("Region", "=?base64??=")]),
        (json!({ "region": "=?base64?=" }), &[("Region", "=?base64?=")]),
        (json!({ "region": "eu", "zone": 42 }), &[("Region", "eu"), ("Zone", "42")]),
        (json!({ "region": "eu", "zone": 42 }), &[("Region", "eu"), ("Zone", "42.0")]),
        (json!({ "region": "eu", "zone": 42 }), &[("Region", "eu"), ("Zone", "4.2e1")]),
        (json!({ "region": "eu", "zone": 42 }), &[("Region", "eu"), ("Zone", "=?base64?NDI=?=")]),
        (json!({ "region": "eu", "zone": 0 }), &[("Region", "eu"), ("Zone", "-0")]),
        (json!({ "region": "eu", "zone": null, "dry": null }), &[("Region", "eu")]),
        (json!({ "region": "eu", "dry": true }), &[("Region", "eu"), ("Dry-Run", "true")]),
        // Headers that belong to no argument of the tool are ignored.
        (json!({ "region": "eu" }), &[("Region", "eu"), ("Other", "x"), ("Other", "y")]),
    ];
    for (arguments, headers) in cases {
        let mut response = place(arguments.clone(), headers).send(host.address).await;
        let answer = response.json().await;
        assert_eq!(response.status, 200, "{arguments} {headers:?}: {answer}");
        assert_eq!(answer["result"].get("isError"), None, "{answer}");
    }
    // A body that writes the integer as 42.0 says the same, too.
    let message = crate::client::modern_message(1, "tools/call", json!({ "name": "place", "arguments": {} }));
    let body = message.to_string().replace("\"arguments\":{}", "\"arguments\":{\"region\":\"eu\",\"zone\":42.0}");
    let request = place(json!({ "region": "eu" }), &[("Region", "eu"), ("Zone", "42")]).body(body);
    let mut response = request.send(host.address).await;
    let answer = response.json().await;
    assert_eq!(response.status, 200, "{answer}");
}

#[tokio::test]
async fn rejects_parameter_headers_when_they_differ_from_the_body() {
    // M26-182, M26-183, M26-184, M26-186, M26-214, M26-215, M26-216, M26-219, M26-220
    let host = Host::new().await;
    let cases: &[(Value, &[(&str, &str)])] = &[
        (json!({ "region": "eu" }), &[]),
        (json!({ "region": "" }), &[]),
        (json!({ "region": "eu" }), &[("Region", "EU")]),
        (json!({ "region": "eu" }), &[("Region", "us")]),
        (json!({ "region": "eu" }), &[("Region", "")]),
        (json!({ "region": "eu" }), &[("Region", "eu"), ("Region", "eu")]),
        (json!({ "region": "eu" }), &[("Region", "eu"), ("region", "us")]),
        (json!({ "region": "eu" }), &[("Region", "=?base64?ZXU?=")]),
        (json!({ "region": "Grüße" }), &[("Region", "Grüße")]),
        (json!({ "region": "eu", "zone": 42 }), &[("Region", "eu")]),
        (json!({ "region": "eu", "zone": 42 }), &[("Region", "eu"), ("Zone", "43")]),
        (json!({ "region": "eu", "zone": 42 }), &[("Region", "eu"), ("Zone", "42.5")]),
        (json!({ "region": "eu", "zone": 42 }), &[("Region", "eu"), ("Zone", "0x2a")]),
        (json!({ "region": "eu", "zone": 42 }), &[("Region", "eu"), ("Zone", "forty-two")]),
        (
            json!({ "region": "eu", "zone": 9_007_199_254_740_993_i64 }),
            &[("Region", "eu"), ("Zone", "9007199254740993")],
        ),
        (json!({ "region": "eu", "dry": true }), &[("Region", "eu"), ("Dry-Run", "True")]),
        (json!({ "region": "eu", "dry": true }), &[("Region", "eu"), ("Dry-Run", "1")]),
        // A header requires a value in the body.
        (json!({ "region": "eu" }), &[("Region", "eu"), ("Zone", "42")]),
        (json!({ "region": "eu", "zone": null }), &[("Region", "eu"), ("Zone", "null")]),
        (json!({ "region": "eu", "dry": null }), &[("Region", "eu"), ("Dry-Run", "false")]),
    ];
    for (arguments, headers) in cases {
        let mut response = place(arguments.clone(), headers).send(host.address).await;
        let answer = response.json().await;
        assert_eq!(
            (response.status, &answer["id"], &answer["error"]["code"]),
            (400, &json!(1), &json!(-32020)),
            "{arguments} {headers:?}: {answer}"
        );
        assert!(answer["error"]["message"].as_str().unwrap().contains(field::PARAM_PREFIX), "{answer}");
    }
}

#[tokio::test]
async fn checks_only_the_parameters_of_the_called_tool() {
    // M26-213, M26-219
    let host = Host::new().await;
    let call = modern_call("add", json!({ "a": 1, "b": 2 })).add("Mcp-Param-Region", "nowhere");
    assert_eq!(call.send(host.address).await.status, 200);
    let unknown = modern_call("none", json!({ "region": "eu" }));
    assert_eq!(unknown.send(host.address).await.json().await["error"]["code"], -32602);
}

#[tokio::test]
async fn ignores_parameter_headers_in_sessions() {
    // M26-076, M26-077
    let host = Host::new().await;
    for revision in crate::client::legacy() {
        let session = crate::client::Session::open(host.address, revision).await;
        let message = crate::client::legacy_message(
            1,
            "tools/call",
            json!({ "name": "place", "arguments": { "region": "eu", "zone": 1 } }),
        );
        let request = session
            .post(&message)
            .add("Mcp-Param-Region", "us")
            .add(field::NAME, header::encode("другое").as_bytes())
            .add(field::METHOD, "x");
        let answer = request.send(host.address).await.json().await;
        assert_eq!(answer["result"]["content"][0]["text"], "eu Some(1) None", "{revision:?}: {answer}");
    }
}
