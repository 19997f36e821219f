//! HTTP clients that misbehave: the server still responds to other clients and frees the resources.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The timeout of each operation; long, because the machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(30);
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// The server and its stderr.
struct Server {
    child: Child,
    stderr: BufReader<ChildStderr>,
    address: SocketAddr,
}

impl Server {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_conformance-short-timeouts"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let address = line.trim().trim_start_matches("http://").trim_end_matches("/mcp").parse().unwrap();
        Self { child, stderr, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        stream
    }

    /// Asserts that the server responds to another client within the timeout.
    fn assert_responsive(&self) {
        let began = Instant::now();
        let mut stream = self.connect();
        stream.write_all(&modern("tools/call", r#""name":"add","arguments":{"a":1,"b":2}"#, "close")).unwrap();
        let answer = read_all(&mut stream);
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#""text":"3""#), "{answer}");
        assert!(began.elapsed() < Duration::from_secs(10), "the response to another client took {:?}", began.elapsed());
    }

    /// Returns the resident memory in KiB; `None` on platforms without `/proc`.
    fn memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn post(headers: &str, body: &str) -> Vec<u8> {
    format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn modern(method: &str, params: &str, connection: &str) -> Vec<u8> {
    let name = params.strip_prefix(r#""name":""#).and_then(|rest| rest.split('"').next());
    let name = name.map_or_else(String::new, |name| format!("Mcp-Name: {name}\r\n"));
    let headers =
        format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\n{name}Connection: {connection}\r\n");
    post(&headers, &format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params},{META}}}}}"#))
}

/// Reads until the connection is closed or fails.
fn read_all(stream: &mut TcpStream) -> String {
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        all.extend_from_slice(&piece[..read]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until the input contains `text`.
fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let (mut all, mut piece) = (String::new(), [0; 4096]);
    while !all.contains(text) {
        let read = stream.read(&mut piece).unwrap_or_else(|error| panic!("{error} after {all}"));
        assert!(read > 0, "the connection was closed after {all}");
        all.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    all
}

#[test]
fn slow_requests_time_out() {
    let server = Server::start();
    for request in [modern("tools/list", r#""x":1"#, "close"), post("", "{                    ")] {
        let head_end = request.windows(4).position(|at| at == b"\r\n\r\n").unwrap() + 4;
        // The whole request byte by byte; then only the body byte by byte.
        for (at_once, slowly) in [(0, &request[..]), (head_end, &request[head_end..])] {
            let (mut stream, began) = (server.connect(), Instant::now());
            stream.write_all(&request[..at_once]).unwrap();
            for byte in slowly {
                if stream.write_all(&[*byte]).is_err() || began.elapsed() > Duration::from_secs(3) {
                    break;
                }
                thread::sleep(Duration::from_millis(250));
            }
            let answer = read_all(&mut stream);
            let is_timeout = answer.is_empty() || answer.starts_with("HTTP/1.1 408");
            assert!(is_timeout, "{answer}");
            assert!(began.elapsed() < Duration::from_secs(10), "the connection was open for {:?}", began.elapsed());
        }
        server.assert_responsive();
    }
}

#[test]
fn disconnects_and_cancels_when_client_stops_reading() {
    let mut server = Server::start();
    let mut stalled = server.connect();
    let before = server.memory();
    let meta = META.replace(r#""_meta":{"#, r#""_meta":{"progressToken":1,"#);
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"flood",{meta}}}}}"#);
    let headers = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: flood\r\n";
    stalled.write_all(&post(headers, &body)).unwrap();
    server.assert_responsive();
    let mut line = String::new();
    server.stderr.read_line(&mut line).unwrap();
    assert_eq!(line, "flood was dropped\n");
    if let (Some(before), Some(after)) = (before, server.memory()) {
        eprintln!("a stalled flood: {} KiB more", after.saturating_sub(before));
        assert!(after < before + (64 << 10), "{before} KiB became {after}");
    }
    server.assert_responsive();
}

#[test]
fn responds_when_client_half_closes() {
    let server = Server::start();
    let mut stream = server.connect();
    stream.write_all(&modern("tools/call", r#""name":"add","arguments":{"a":1,"b":2}"#, "close")).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(read_all(&mut stream).contains(r#""text":"3""#));
    server.assert_responsive();
}

#[test]
fn rejects_oversized_body_before_reading_it() {
    let server = Server::start();
    let before = server.memory();
    // Rejected by its `Content-Length`.
    let mut stream = server.connect();
    let head = String::from_utf8(post("", "")).unwrap().replace("Content-Length: 0", "Content-Length: 1073741824");
    stream.write_all(head.as_bytes()).unwrap();
    assert!(read_until(&mut stream, "\r\n\r\n").starts_with("HTTP/1.1 413"));
    // Rejected while reading a chunked body.
    let mut stream = server.connect();
    let head = String::from_utf8(post("", "")).unwrap().replace("Content-Length: 0", "Transfer-Encoding: chunked");
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
    let sent = (0..1024).take_while(|_| stream.write_all(&chunk).is_ok()).count();
    assert!(sent < 64, "the server accepted {sent} MiB");
    if let (Some(before), Some(after)) = (before, server.memory()) {
        eprintln!("a GiB: {} KiB more, {sent} MiB sent", after.saturating_sub(before));
        assert!(after < before + (32 << 10), "{before} KiB became {after}");
    }
    server.assert_responsive();
}

#[test]
fn rejects_deeply_nested_json() {
    let server = Server::start();
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = open.repeat(100_000) + "1" + &close.repeat(100_000);
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{deep}}}"#);
        let mut stream = server.connect();
        stream.write_all(&post("Connection: close\r\n", &body)).unwrap();
        let answer = read_all(&mut stream);
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("-32600"), "{answer}");
        server.assert_responsive();
    }
}

#[test]
fn abandoned_sessions_expire() {
    // S-152
    let server = Server::start();
    let before = server.memory();
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
    let mut stream = server.connect();
    let mut ids = Vec::new();
    for _ in 0..1000 {
        stream.write_all(&post("", body)).unwrap();
        let answer = read_until(&mut stream, r#"{"jsonrpc""#);
        let id = answer.lines().find_map(|line| line.strip_prefix("mcp-session-id: ")).unwrap();
        ids.push(id.trim().to_owned());
        assert!(answer.ends_with('}'), "head and body are sent in one write: {answer}");
    }
    if let (Some(before), Some(after)) = (before, server.memory()) {
        eprintln!("1,000 sessions: {} KiB more", after.saturating_sub(before));
    }
    let is_gone = |id: &String| {
        let mut stream = server.connect();
        let headers = format!("Mcp-Session-Id: {id}\r\nConnection: close\r\n");
        stream.write_all(&post(&headers, r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)).unwrap();
        read_all(&mut stream).starts_with("HTTP/1.1 404")
    };
    // A request would extend the session, so each session gets only one.
    thread::sleep(Duration::from_secs(3));
    assert!(ids.iter().step_by(100).all(is_gone));
    server.assert_responsive();
}

/// The number of file descriptors reserved for concurrent tests.
const OTHER_FILES: usize = 300;

/// Returns the maximum number of open files, with a low default. It limits the number of subscribers.
fn files_at_once() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(1024)
}

#[test]
fn notifies_ten_thousand_subscribers() {
    // M26-273
    let listeners = files_at_once().saturating_sub(OTHER_FILES).min(10_000);
    let server = Server::start();
    let before = server.memory();
    let began = Instant::now();
    let mut streams = Vec::new();
    for _ in 0..listeners {
        let mut stream = server.connect();
        let filter = r#""notifications":{"toolsListChanged":true}"#;
        stream.write_all(&modern("subscriptions/listen", filter, "keep-alive")).unwrap();
        streams.push(stream);
        if streams.len() % 100 == 0 {
            if let Some(stream) = streams.last_mut() {
                read_until(stream, "acknowledged"); // limits the number of pending connections
            }
        }
    }
    let opened = began.elapsed();
    let opened_streams = streams.len();
    for (place, stream) in streams.iter_mut().enumerate() {
        if (place + 1) % 100 != 0 {
            read_until(stream, "acknowledged");
        }
    }
    let listening = server.memory();
    server.assert_responsive();
    let mut stream = server.connect();
    let sent_at = Instant::now();
    stream.write_all(&modern("tools/call", r#""name":"change""#, "close")).unwrap();
    assert!(read_all(&mut stream).starts_with("HTTP/1.1 200"));
    for stream in &mut streams {
        read_until(stream, "notifications/tools/list_changed");
    }
    eprintln!("{opened_streams} subscribers opened in {opened:?}, notified in {:?}", sent_at.elapsed());
    if let (Some(before), Some(listening)) = (before, listening) {
        let each = listening.saturating_sub(before) * 1024 / opened_streams.max(1) as u64;
        eprintln!("{each} bytes of resident memory per subscriber");
        assert!(each < 64 << 10, "{each} bytes per idle subscriber");
    }
    drop(streams);
    server.assert_responsive();
}
