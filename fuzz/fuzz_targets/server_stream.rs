//! Serves an arbitrary byte stream: each line of output is a message, and a ping at the end is answered.
//!
//! Covers line framing, decoding, batches, arguments, URIs, completions, request states, and answers of clients to
//! elicitation, sampling and roots. `cargo +nightly fuzz run server_stream`. The first byte selects the handshake and the
//! read size. Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>.
#![no_main]

use ferromcp_fuzz::{Input, Output, SERVER, assert_message, run};
use ferromcp_transport::streams;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const PING: &str = "\n{\"jsonrpc\":\"2.0\",\"id\":\"last\",\"method\":\"ping\"}\n";

const READ_SIZES: [usize; 4] = [5, 64, 512, 8192];

/// The maximum length of the output: a constant for each message of the input, which has at least one byte.
const MAX_OUTPUT_PER_BYTE: usize = 256;
const MAX_OUTPUT: usize = 32 << 10;

fuzz_target!(|input: &[u8]| {
    let Some((&first, input)) = input.split_first() else { return };
    let mut bytes = handshake(first & 3).into_bytes();
    bytes.extend_from_slice(input);
    bytes.extend_from_slice(PING.as_bytes());
    let read_size = READ_SIZES[usize::from(first >> 2 & 3)];
    let max_output = bytes.len() * MAX_OUTPUT_PER_BYTE + MAX_OUTPUT;
    let output = Output::default();
    let served = run(SERVER.clone().serve(streams(Input::new(bytes, read_size), output.clone())));
    served.expect("the transport does not fail");
    let output = output.take();
    assert!(output.len() <= max_output, "{} bytes of output", output.len());
    let lines = output.strip_suffix(b"\n").expect("the output ends with a line feed").split(|byte| *byte == b'\n');
    let messages: Vec<Value> = lines.map(assert_message).collect();
    assert!(messages.iter().any(|message| message["id"] == "last"), "the ping is not answered");
});

/// Returns the messages with which a client of a handshake revision starts, or nothing.
fn handshake(index: u8) -> String {
    let revision = match index {
        0 => return String::new(),
        1 => "2025-03-26",
        2 => "2025-06-18",
        _ => "2025-11-25",
    };
    format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{{\"protocolVersion\":\"{revision}\",\
         \"capabilities\":{{\"elicitation\":{{\"form\":{{}},\"url\":{{}}}},\"sampling\":{{\"tools\":{{}}}},\"roots\":{{}}}},\
         \"clientInfo\":{{\"name\":\"c\",\"version\":\"0\"}}}}}}\n\
         {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}}\n"
    )
}
