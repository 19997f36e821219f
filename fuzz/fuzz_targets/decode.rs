//! Decodes arbitrary frames from both sides; a decoded message must be printable with `Debug`.
//!
//! `cargo +nightly fuzz run decode`. Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#messages>.
#![no_main]

use ferromcp_core::wire::{Direction, FromClient, FromServer, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|frame: &[u8]| {
    decode_and_print::<FromClient>(frame);
    decode_and_print::<FromServer>(frame);
});

fn decode_and_print<S: Direction + std::fmt::Debug>(frame: &[u8]) {
    let incoming = decode::<S>(frame.to_vec().into());
    std::hint::black_box(format!("{incoming:?}"));
}
