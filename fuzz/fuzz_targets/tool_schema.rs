//! Registers a tool with an arbitrary input schema: the published schema is accepted again and unchanged, host warnings are
//! bounded, and `Mcp-Param-*` headers that a client computes are valid for the server.
//!
//! `cargo +nightly fuzz run tool_schema`. The input is a schema, arguments and a header value, separated by NUL bytes. Spec:
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#schema-extension>.
#![no_main]

use ferromcp_core::header::{check, decode, encode, mirror, scan};
use ferromcp_core::model::ListParams;
use ferromcp_core::wire::{MAX_DEPTH, depth_within};
use ferromcp_core::{ClientRequest, RawJson, Revision, ServerResult};
use ferromcp_fuzz::ready;
use ferromcp_server::{Call, Peer, Reply, Server, Tool};
use libfuzzer_sys::fuzz_target;

/// The maximum number of host warnings of one tool: one for each rule.
const MAX_WARNINGS: usize = 64;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(3, |byte| *byte == 0);
    let mut text = || std::str::from_utf8(parts.next()?).ok();
    let (schema, arguments) = (text().unwrap_or_default(), text().unwrap_or_default());
    header_value(parts.next().unwrap_or_default());
    let Ok(schema) = RawJson::parse(schema) else { return };
    headers(&schema, arguments);
    if let Some(published) = publish(schema) {
        assert_eq!(
            publish(published.clone()),
            Some(published),
            "a published schema changes when it is published again"
        );
    }
});

/// Returns the schema that a server lists for a tool with this schema, or `None` if the server rejects it.
fn publish(schema: RawJson) -> Option<RawJson> {
    let tool = Tool::dynamic("tool", schema.clone(), |arguments, _| async move { arguments.as_str().to_owned() });
    let output = Tool::sync("output", || "text").output_schema(schema);
    let server = Server::new("fuzz", "0").with_tool(tool).with_tool(output);
    let warnings = server.host_warnings();
    assert!(warnings.len() <= MAX_WARNINGS);
    std::hint::black_box(warnings.iter().map(ToString::to_string).collect::<Vec<_>>());
    if let Err(error) = server.check() {
        std::hint::black_box(error.to_string());
        return None;
    }
    let request = ClientRequest::ListTools(ListParams::default());
    match ready(server.call(Call::new(request, Peer::new(Revision::LATEST)))) {
        Reply::Done(ServerResult::ListTools(list)) => Some(list.tools.first().expect("a tool").input_schema.clone()),
        other => panic!("{other:?}"),
    }
}

/// Computes the headers of a call and validates them.
fn headers(schema: &RawJson, arguments: &str) {
    let Ok(annotations) = scan(schema) else { return };
    let Ok(arguments) = RawJson::parse(arguments) else { return };
    if !depth_within(arguments.as_str().as_bytes(), MAX_DEPTH) {
        return;
    }
    let Ok(headers) = mirror(&annotations, Some(&arguments)) else { return };
    let header = |name: &str| headers.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_bytes());
    assert_eq!(check(&annotations, Some(&arguments), header), Ok(()));
}

/// Decodes a header value, and encodes the text again.
fn header_value(value: &[u8]) {
    if let Ok(text) = decode(value) {
        assert_eq!(decode(encode(&text).as_bytes()).as_deref(), Ok(&*text));
    }
    let text = String::from_utf8_lossy(value);
    let encoded = encode(&text);
    assert!(encoded.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')), "{encoded:?}");
    assert_eq!(decode(encoded.as_bytes()).as_deref(), Ok(&*text));
}
