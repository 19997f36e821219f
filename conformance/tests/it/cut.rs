//! A connection that is cut in the middle of a call: the client comes back for the rest, and the call ran once.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::json;

use crate::interop::{folder, run};
use crate::over_http::numbers;
use crate::peer::{HTTP, Peer};

/// What goes by last before the connection is cut.
const LAST_WORDS: &[u8] = b"step 2 of 6";

/// A TCP proxy before `server` that cuts one connection: the first whose answer has the last words in it.
fn scissors(server: SocketAddr) -> io::Result<(SocketAddr, Arc<AtomicBool>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let cut = Arc::<AtomicBool>::default();
    let has_cut = Arc::clone(&cut);
    // Ends with the test's process.
    thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else { continue };
            let (Ok(asks), Ok(is_asked)) = (client.try_clone(), server.try_clone()) else { continue };
            thread::spawn(move || pass(asks, is_asked, |_| false));
            let cut = Arc::clone(&cut);
            let mut heard = Vec::new();
            thread::spawn(move || {
                pass(server, client, |piece| {
                    heard.extend_from_slice(piece);
                    heard.windows(LAST_WORDS.len()).any(|words| words == LAST_WORDS)
                        && !cut.swap(true, Ordering::SeqCst)
                });
            });
        }
    });
    Ok((address, has_cut))
}

/// Passes on what one says to the other until either ends, or until `enough`; then both end.
fn pass(mut from: TcpStream, mut to: TcpStream, mut enough: impl FnMut(&[u8]) -> bool) {
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut piece) {
        if to.write_all(&piece[..count]).is_err() || enough(&piece[..count]) {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// Lets a client make one call whose connection is cut, and insists that it gets everything once.
fn comes_back(test: &str, program: &str, script: &str) {
    let Some(folder) = folder(test) else { return };
    let server = Peer::start(HTTP, &[]);
    let url = server.url();
    let address = url.trim_start_matches("http://").trim_end_matches("/mcp").parse().unwrap();
    let (proxy, has_cut) = scissors(address).unwrap();
    let seen = run(&folder, program, script, &["resume", &format!("http://{proxy}/mcp")]);
    assert!(has_cut.load(Ordering::SeqCst), "nothing was cut");
    assert_eq!(seen["protocol_version"], "2025-11-25");
    let http = seen["http"].as_array().unwrap();
    let resumed = http.iter().filter(|exchange| *exchange == "GET 200 text/event-stream resumed");
    assert_eq!(resumed.count(), 1, "{http:?}");
    assert_eq!(http.last(), Some(&json!("DELETE 204 -")));
    assert_eq!(seen["slow_task"], "done, slowly");
    assert_eq!(seen["runs"], json!({ "result": 1 }), "the call ran more than once");
    let step = |n: u8| json!([f64::from(n), 6.0, format!("step {n} of 6")]);
    let all: Vec<_> = (1..=6).map(step).collect();
    assert_eq!(numbers(&seen["progress"]), json!(all), "each step is heard once");
    server.signal("TERM");
    server.end().is_clean();
}

#[test]
fn python_1_comes_back_for_the_rest() {
    // S-140, S-153, S-165, S-167, S-171
    comes_back("python_1_comes_back_for_the_rest", "py1/bin/python", "http_py1.py");
}

#[test]
fn python_2_comes_back_for_the_rest() {
    // S-140, S-153, S-165, S-167, S-171
    comes_back("python_2_comes_back_for_the_rest", "py2/bin/python", "http_py2.py");
}

#[test]
fn typescript_1_comes_back_for_the_rest() {
    // S-140, S-153, S-165, S-167, S-171
    comes_back("typescript_1_comes_back_for_the_rest", "node/node_modules/.bin/node", "http_ts1.mjs");
}

#[test]
fn typescript_2_comes_back_for_the_rest() {
    // S-140, S-153, S-165, S-167, S-171
    comes_back("typescript_2_comes_back_for_the_rest", "node/node_modules/.bin/node", "http_ts2.mjs");
}
