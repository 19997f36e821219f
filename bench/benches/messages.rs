//! Decoding, dispatching and encoding of messages, without a transport: time and allocations.

mod frames;

use bytes::{Bytes, BytesMut};
use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher, black_box};
use ferromcp::core::wire::encode::{self, EncodeContext};
use ferromcp::core::wire::{FromClient, Incoming, Message, decode};
use ferromcp::core::{ClientRequest, RequestId, Revision, ServerResult};
use ferromcp::prelude::*;
use ferromcp::server::{Call, Peer, Reply};
use frames::{LEGACY, MODERN};
use tokio::runtime::{Builder, Runtime};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;

fn main() {
    divan::main();
}

fn decode_request(frame: &'static str) -> (RequestId, ClientRequest) {
    match decode::<FromClient>(Bytes::from_static(frame.as_bytes())) {
        Ok(Incoming::One(Message::Request { id, request })) => (id, request),
        _ => panic!("not a request: {frame}"),
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[divan::bench(args = [("legacy", LEGACY), ("modern", MODERN)].map(Named))]
fn decode_call(bencher: Bencher, frame: Named) {
    bencher.counter(BytesCount::of_str(frame.0.1)).bench(|| black_box(decode_request(frame.0.1)));
}

/// Dispatches a decoded request: lookup, argument deserialization, handler, result.
#[divan::bench(args = [("legacy", LEGACY, Revision::V2025_11_25), ("modern", MODERN, Revision::LATEST)].map(Versioned))]
fn dispatch(bencher: Bencher, frame: Versioned) {
    let (runtime, server) = (runtime(), ferromcp_bench::server(0));
    runtime.block_on(server.open()).expect("the lifespan opens");
    let Versioned((_, frame, revision)) = frame;
    bencher
        .with_inputs(|| Call::new(decode_request(frame).1, Peer::new(revision)))
        .bench_values(|call| runtime.block_on(server.call(call)));
}

fn result_of(server: &Server, frame: &'static str) -> ServerResult {
    let runtime = runtime();
    runtime.block_on(server.open()).expect("the lifespan opens");
    match runtime.block_on(server.call(Call::new(decode_request(frame).1, Peer::new(Revision::LATEST)))) {
        Reply::Done(result) => result,
        reply => panic!("not a result: {reply:?}"),
    }
}

fn encode_each(bencher: Bencher, result: &ServerResult) {
    let id = RequestId::from(7);
    bencher.with_inputs(|| result.clone()).bench_values(|result| {
        let mut out = BytesMut::with_capacity(512);
        encode::server_result(&mut out, &id, result, EncodeContext::new(Revision::LATEST))
            .expect("the result serializes");
        out
    });
}

#[divan::bench]
fn encode_result(bencher: Bencher) {
    encode_each(bencher, &result_of(&ferromcp_bench::server(0), LEGACY));
}

#[divan::bench]
fn encode_list_of_1000(bencher: Bencher) {
    encode_each(bencher, &result_of(&ferromcp_bench::server(998), LIST));
}

/// A frame with a name.
#[derive(Clone, Copy)]
struct Named((&'static str, &'static str));

/// A frame with a name and a revision.
#[derive(Clone, Copy)]
struct Versioned((&'static str, &'static str, Revision));

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.0)
    }
}

impl std::fmt::Display for Versioned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.0)
    }
}
