//! Header validation, and whole requests through the tower service, from a buffered body to the response.

mod frames;

use bytes::Bytes;
use divan::{AllocProfiler, Bencher, black_box};
use ferromcp::core::ClientRequest;
use ferromcp::core::header::check_name;
use ferromcp::core::wire::{FromClient, Incoming, Message, decode};
use ferromcp::server::http::HttpServerOptions;
use ferromcp::server::http::HttpService;
use frames::{INITIALIZE, LEGACY, MODERN};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::Full;
use tokio::runtime::{Builder, Runtime};
use tower_service::Service;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

fn call_of(frame: &'static str) -> ClientRequest {
    match decode::<FromClient>(Bytes::from_static(frame.as_bytes())) {
        Ok(Incoming::One(Message::Request { request, .. })) => request,
        _ => panic!("not a request: {frame}"),
    }
}

/// Compares the name in a header, plain or base64-encoded, with the name in the body.
#[divan::bench(args = ["add", "=?base64?YWRk?="])]
fn compare_name(bencher: Bencher, header: &str) {
    let request = call_of(MODERN);
    bencher.bench(|| check_name(black_box(&request), Some(black_box(header.as_bytes()))).expect("the same name"));
}

/// A service and the headers of its requests.
struct HttpBench {
    runtime: Runtime,
    service: HttpService,
    headers: HeaderMap,
}

impl HttpBench {
    fn new(stateless: bool, additional: &[(&'static str, &'static str)]) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let options = HttpServerOptions::new().stateless(stateless);
        let service = ferromcp_bench::server(0).http_with(options).expect("a valid server");
        let always = [
            ("host", "127.0.0.1:8000"),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in always.iter().chain(additional) {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        Self { runtime, service, headers }
    }

    fn request(&self, frame: &'static str) -> Request<Full<Bytes>> {
        let mut request = Request::post("/mcp").body(Full::from(frame)).expect("a request");
        *request.headers_mut() = self.headers.clone();
        request
    }

    fn call(&self, request: Request<Full<Bytes>>) -> http::Response<ferromcp::server::http::Body> {
        let mut service = self.service.clone();
        match self.runtime.block_on(service.call(request)) {
            Ok(response) => response,
            Err(infallible) => match infallible {},
        }
    }

    fn bench(&self, bencher: Bencher, frame: &'static str) {
        assert_eq!(self.call(self.request(frame)).status(), StatusCode::OK);
        bencher.with_inputs(|| self.request(frame)).bench_local_values(|request| self.call(request));
    }
}

#[divan::bench]
fn stateless(bencher: Bencher) {
    HttpBench::new(true, &[("mcp-protocol-version", "2025-11-25")]).bench(bencher, LEGACY);
}

#[divan::bench]
fn session(bencher: Bencher) {
    let mut bench = HttpBench::new(false, &[]);
    let opened = bench.call(bench.request(INITIALIZE));
    let id = opened.headers().get("mcp-session-id").expect("a session").clone();
    bench.headers.insert("mcp-session-id", id);
    bench.headers.insert("mcp-protocol-version", HeaderValue::from_static("2025-11-25"));
    bench.bench(bencher, LEGACY);
}

#[divan::bench]
fn modern(bencher: Bencher) {
    let headers = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", "add")];
    HttpBench::new(false, &headers).bench(bencher, MODERN);
}
