//! Property tests: headers mirror any name and argument, and the server validates them.

use ferromcp_core::header::{encode, field};
use ferromcp_server::http::{HttpServerOptions, HttpService};
use ferromcp_server::{Arg, Resource, Server, Tool};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::client::{modern, modern_call};
use crate::in_process;
use crate::message::Request;

fn service() -> (Runtime, HttpService) {
    let server = Server::new("names", "1")
        .with_tool(Tool::sync("echo", |text: String| text).args([Arg::new("text").header("Text")]))
        .with_resource(Resource::sync("file:///a", || "a"));
    (Builder::new_current_thread().enable_all().build().unwrap(), server.http_with(HttpServerOptions::new()).unwrap())
}

/// Generates text with characters that are special in headers: blanks, controls, markers, other scripts.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ \t]{0,2}[!-~ ]{0,12}[ \t]{0,2}",
        "=\\?base64\\?[A-Za-z0-9+/=]{0,8}\\?=",
        "[\u{0}-\u{20}\u{7f}-\u{a0}é日\u{1f600}]{0,8}",
        Just("=?base64?=".to_owned()),
    ]
}

/// Sends a request, and returns the status and the body.
fn send(runtime: &Runtime, service: &HttpService, request: &Request) -> (u16, Value) {
    runtime.block_on(in_process::answer(service, request, None))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_name_round_trips_through_a_header(name in text()) {
        // M26-181, M26-187, M26-210
        let (runtime, service) = service();
        let calls = [
            modern_call(&name, json!({})),
            modern("resources/read", json!({ "uri": name })),
        ];
        for call in calls {
            // The name is unknown, which is checked after the header.
            let (status, answer) = send(&runtime, &service, &call);
            prop_assert_eq!((status, &answer["error"]["code"]), (200, &json!(-32602)), "{}", answer);
            // With one more character, the header differs.
            let other = call.set(field::NAME, encode(&format!("{name}x")).as_bytes());
            let (status, answer) = send(&runtime, &service, &other);
            prop_assert_eq!((status, &answer["error"]["code"]), (400, &json!(-32020)), "{}", answer);
        }
    }

    #[test]
    fn any_argument_round_trips_through_a_header(text in text()) {
        // M26-210, M26-215
        let (runtime, service) = service();
        let call = modern_call("echo", json!({ "text": text }));
        let (status, answer) = send(&runtime, &service, &call.clone().add("Mcp-Param-Text", encode(&text).as_bytes()));
        prop_assert_eq!(status, 200, "{}", answer);
        prop_assert_eq!(&answer["result"]["content"][0]["text"], &json!(text));
        let other = call.add("Mcp-Param-Text", encode(&format!("{text}x")).as_bytes());
        prop_assert_eq!(send(&runtime, &service, &other).0, 400);
    }

    #[test]
    fn rejects_any_header_when_it_differs_from_the_body(value in prop::collection::vec(any::<u8>(), 0..40)) {
        // M26-186, M26-214
        prop_assume!(http::HeaderValue::from_bytes(&value).is_ok());
        let (runtime, service) = service();
        let call = modern_call("echo", json!({ "text": "plain" })).add("Mcp-Param-Text", "plain");
        for header in ["Mcp-Param-Text", field::NAME, field::METHOD, field::PROTOCOL_VERSION] {
            let (status, answer) = send(&runtime, &service, &call.clone().set(header, &value));
            prop_assert!(status == 400 && answer["error"]["code"] == -32020, "{header}: {status} {answer}");
        }
    }
}
