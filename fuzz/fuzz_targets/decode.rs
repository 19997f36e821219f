//! Any frame, from either side: it is read or refused, and what was read can be looked at.
//!
//! `cargo +nightly fuzz run decode`. Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#messages>.
#![no_main]

use ferromcp_core::message::Sender;
use ferromcp_core::wire::{DecodeLimits, decode};
use ferromcp_core::{FromClient, FromServer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|frame: &[u8]| {
    read::<FromClient>(frame);
    read::<FromServer>(frame);
});

fn read<S: Sender + std::fmt::Debug>(frame: &[u8]) {
    let incoming = decode::<S>(frame.to_vec().into(), &DecodeLimits::default());
    std::hint::black_box(format!("{incoming:?}"));
}
