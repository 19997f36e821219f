//! Opens arbitrary text and arbitrary sealed plaintext as a request state, and canonicalizes arbitrary arguments.
//!
//! `cargo +nightly fuzz run unseal`. A fuzzer cannot forge authenticated data, so the plaintext is sealed first. Spec:
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr#server-requirements>.
#![no_main]

use ferromcp_server::request_state_fuzz as fuzz;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    assert!(fuzz::canonicalizes_arguments(&text));
    assert!(fuzz::rejects_arbitrary_text(&text));
    assert!(fuzz::parses_or_rejects_plaintext(input));
    assert!(fuzz::journal_round_trips(input, 1));
});
