//! Any text and any sealed text as a request state: it is refused, or read for what it is. And any text as
//! arguments: they have a form to be compared in.
//!
//! `cargo +nightly fuzz run unseal`. A fuzzer does not break seals, so what stands behind one is sealed first. Spec:
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr#server-requirements>.
#![no_main]

use ferromcp_server::asks::state::fuzz;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    assert!(fuzz::arguments_have_a_form(&text));
    assert!(fuzz::text_is_refused(&text));
    assert!(fuzz::plain_is_read_or_refused(input));
    assert!(fuzz::journal_comes_back(input, 1));
});
