//! Headers of requests.

use ferromcp_core::header::scan;
use ferromcp_core::model::{CallToolParams, GetPromptParams, ReadResourceParams};
use ferromcp_core::{ClientRequest, RawJson, Revision};
use proptest::prelude::*;

use super::response;
use super::wire::{ReceivedRequest, Wire, run_both};
use crate::http::request_headers::RequestHeaders;

/// Returns the request that a server receives for these headers.
async fn seen(head: &RequestHeaders) -> ReceivedRequest {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let answer = response(200, "application/json", "{}");
    run_both(async { endpoint.post(head, "{\"a\":1}".into()).await.expect("a reply") }, wire.answer(answer)).await.1
}

fn modern(request: &ClientRequest) -> RequestHeaders {
    RequestHeaders::modern(Revision::LATEST, request, &[]).expect("valid headers")
}

#[tokio::test]
async fn mirrors_method_and_name_in_headers_when_modern() {
    // M26-149, M26-150, M26-151, M26-171, M26-177, M26-178, M26-179, S-131, S-132
    let asked = seen(&modern(&ClientRequest::CallTool(CallToolParams::new("add")))).await;
    assert_eq!((&*asked.method, &*asked.target, &*asked.body), ("POST", "/mcp", "{\"a\":1}"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert_eq!(asked.header("accept"), Some("application/json, text/event-stream"));
    assert_eq!(asked.header("mcp-protocol-version"), Some(Revision::LATEST.as_str()));
    assert_eq!(asked.header("mcp-method"), Some("tools/call"));
    assert_eq!(asked.header("mcp-name"), Some("add"));
    assert_eq!((asked.header("mcp-session-id"), asked.header("last-event-id")), (None, None));
    let asked = seen(&modern(&ClientRequest::GetPrompt(GetPromptParams::new("Grüße")))).await;
    assert_eq!(asked.header("mcp-name"), Some("=?base64?R3LDvMOfZQ==?="));
    let asked = seen(&modern(&ClientRequest::ReadResource(ReadResourceParams::new("file:///a b")))).await;
    assert_eq!(asked.header("mcp-name"), Some("file:///a b"));
    let asked = seen(&modern(&ClientRequest::CallTool(CallToolParams::new("")))).await;
    assert_eq!(asked.header("mcp-name"), Some(""));
}

#[tokio::test]
async fn mirrors_annotated_arguments_in_headers_when_present() {
    // M26-192, M26-193, M26-202, M26-206, M26-207, M26-209, M26-211, M26-217, M26-218
    let schema = r#"{"properties":{"region":{"type":"string","x-mcp-header":"Region"},
        "zone":{"type":"integer","x-mcp-header":"Zone"},"dry":{"type":"boolean","x-mcp-header":"Dry"},
        "deep":{"type":"object","properties":{"x":{"type":"string","x-mcp-header":"Deep"}}},
        "none":{"type":"string","x-mcp-header":"None"},"null":{"type":"string","x-mcp-header":"Null"}}}"#;
    let marks = scan(&RawJson::parse(schema).expect("JSON")).expect("marks");
    let mut params = CallToolParams::new("place");
    let arguments = r#"{"region":" north","zone":-42,"dry":true,"deep":{"x":"=?base64?eA==?="},"null":null}"#;
    params.arguments = Some(RawJson::parse(arguments).expect("JSON"));
    let head =
        RequestHeaders::modern(Revision::LATEST, &ClientRequest::CallTool(params), &marks).expect("valid headers");
    let asked = seen(&head).await;
    assert_eq!(asked.header("mcp-param-region"), Some("=?base64?IG5vcnRo?="));
    assert_eq!(asked.header("mcp-param-zone"), Some("-42"));
    assert_eq!(asked.header("mcp-param-dry"), Some("true"));
    assert_eq!(asked.header("mcp-param-deep"), Some("=?base64?PT9iYXNlNjQ/ZUE9PT89?="));
    assert_eq!((asked.header("mcp-param-none"), asked.header("mcp-param-null")), (None, None));
    assert!(!format!("{head:?}").contains("north"), "arguments are not shown");
}

#[test]
fn request_fails_when_argument_does_not_fit_header() {
    // M26-199
    let schema = r#"{"properties":{"zone":{"type":"integer","x-mcp-header":"Zone"}}}"#;
    let marks = scan(&RawJson::parse(schema).expect("JSON")).expect("marks");
    let mut params = CallToolParams::new("place");
    params.arguments = Some(RawJson::parse(r#"{"zone":9007199254740993}"#).expect("JSON"));
    let error =
        RequestHeaders::modern(Revision::LATEST, &ClientRequest::CallTool(params), &marks).expect_err("too big");
    assert_eq!(error.header(), "Mcp-Param-Zone");
}

#[tokio::test]
async fn sends_protocol_version_header_when_revision_defines_it() {
    // S-184, S-185
    for (revision, named) in [
        (Revision::V2024_11_05, None),
        (Revision::V2025_03_26, None),
        (Revision::V2025_06_18, Some(Revision::V2025_06_18.as_str())),
        (Revision::V2025_11_25, Some(Revision::V2025_11_25.as_str())),
    ] {
        let asked = seen(&RequestHeaders::legacy(revision, None)).await;
        assert_eq!(asked.header("mcp-protocol-version"), named);
        assert_eq!((asked.header("mcp-method"), asked.header("mcp-session-id")), (None, None));
    }
    assert_eq!(seen(&RequestHeaders::initialize()).await.header("mcp-protocol-version"), None);
}

proptest! {
    // M26-178, M26-179: every name is encoded to a header that decodes to the same name.
    #[test]
    fn name_header_round_trips_when_name_is_arbitrary(name in any::<String>(), prompt in any::<bool>()) {
        let request = if prompt {
            ClientRequest::GetPrompt(GetPromptParams::new(name))
        } else {
            ClientRequest::CallTool(CallToolParams::new(name))
        };
        prop_assert!(RequestHeaders::modern(Revision::LATEST, &request, &[]).is_ok());
    }
}
