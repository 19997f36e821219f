//! Resumption: the connection is closed during a call, the client resumes the stream, and the call runs once.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::json;

use crate::interop::{run_client, set_up_folder};
use crate::over_http::as_floats;
use crate::server_process::{HTTP, ServerProcess};

/// The proxy closes the connection after this text.
const CUT_AFTER: &[u8] = b"step 2 of 6";

/// Starts a TCP proxy for `server` that closes the first connection whose response contains [`CUT_AFTER`].
fn cutting_proxy(server: SocketAddr) -> io::Result<(SocketAddr, Arc<AtomicBool>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let cut = Arc::<AtomicBool>::default();
    let has_cut = Arc::clone(&cut);
    // Runs until the test process exits.
    thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else { continue };
            let (Ok(client_reader), Ok(server_writer)) = (client.try_clone(), server.try_clone()) else { continue };
            thread::spawn(move || forward(client_reader, server_writer, |_| false));
            let cut = Arc::clone(&cut);
            let mut received = Vec::new();
            thread::spawn(move || {
                forward(server, client, |piece| {
                    received.extend_from_slice(piece);
                    received.windows(CUT_AFTER.len()).any(|window| window == CUT_AFTER)
                        && !cut.swap(true, Ordering::SeqCst)
                });
            });
        }
    });
    Ok((address, has_cut))
}

/// Forwards bytes until one side closes or `is_done` returns `true`, then closes both sides.
fn forward(mut from: TcpStream, mut to: TcpStream, mut is_done: impl FnMut(&[u8]) -> bool) {
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut piece) {
        if to.write_all(&piece[..count]).is_err() || is_done(&piece[..count]) {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// Runs a client whose connection is closed during a call, and asserts that it receives every message once.
fn assert_resumes(test: &str, program: &str, script: &str) {
    let Some(folder) = set_up_folder(test) else { return };
    let server = ServerProcess::start(HTTP, &[]);
    let url = server.url();
    let address = url.trim_start_matches("http://").trim_end_matches("/mcp").parse().unwrap();
    let (proxy, has_cut) = cutting_proxy(address).unwrap();
    let seen = run_client(&folder, program, script, &["resume", &format!("http://{proxy}/mcp")]);
    assert!(has_cut.load(Ordering::SeqCst), "no connection was closed");
    assert_eq!(seen["protocol_version"], "2025-11-25");
    let http = seen["http"].as_array().unwrap();
    let resumed = http.iter().filter(|exchange| *exchange == "GET 200 text/event-stream resumed");
    assert_eq!(resumed.count(), 1, "{http:?}");
    assert_eq!(http.last(), Some(&json!("DELETE 204 -")));
    assert_eq!(seen["slow_task"], "done, slowly");
    assert_eq!(seen["runs"], json!({ "result": 1 }), "the call ran more than once");
    let step = |n: u8| json!([f64::from(n), 6.0, format!("step {n} of 6")]);
    let all: Vec<_> = (1..=6).map(step).collect();
    assert_eq!(as_floats(&seen["progress"]), json!(all), "each step is received once");
    server.signal("TERM");
    server.wait().assert_clean_exit();
}

#[test]
fn python_1_resumes_after_disconnect() {
    // S-140, S-153, S-165, S-167, S-171
    assert_resumes("python_1_resumes_after_disconnect", "py1/bin/python", "http_py1.py");
}

#[test]
fn python_2_resumes_after_disconnect() {
    // S-140, S-153, S-165, S-167, S-171
    assert_resumes("python_2_resumes_after_disconnect", "py2/bin/python", "http_py2.py");
}

#[test]
fn typescript_1_resumes_after_disconnect() {
    // S-140, S-153, S-165, S-167, S-171
    assert_resumes("typescript_1_resumes_after_disconnect", "node/node_modules/.bin/node", "http_ts1.mjs");
}

#[test]
fn typescript_2_resumes_after_disconnect() {
    // S-140, S-153, S-165, S-167, S-171
    assert_resumes("typescript_2_resumes_after_disconnect", "node/node_modules/.bin/node", "http_ts2.mjs");
}
