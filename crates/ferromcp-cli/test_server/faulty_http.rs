//! Servers over HTTP with the faults that `mcp doctor` finds.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::faulty;

/// Maximum size of a request, in bytes.
const MAX_BODY: usize = 1 << 20;

/// Serves one connection after the other. `kind` is `closes`, `misdirected`, `not-found`, `forgets-sessions` or
/// `restarts`.
pub(crate) fn serve(kind: &str, port: &str) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?))?;
    let requests = AtomicUsize::new(0);
    for stream in listener.incoming() {
        // A client that disconnects is not an error.
        let _ = respond(kind, stream?, &requests);
    }
    Ok(())
}

fn respond(kind: &str, stream: TcpStream, requests: &AtomicUsize) -> Result<(), Box<dyn Error>> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut length, mut session) = (String::new(), 0, false);
    let mut start = String::new();
    while reader.read_line(&mut line)? > 0 && !line.trim().is_empty() {
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse::<usize>()?.min(MAX_BODY);
        }
        session |= lower.starts_with("mcp-session-id:");
        if start.is_empty() {
            start.clone_from(&line);
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    if kind == "closes" {
        return Ok(());
    }
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let is_post = start.starts_with("POST");
    let is_restart = kind == "restarts" && session && requests.fetch_add(1, Ordering::Relaxed) == 2;
    let status = match kind {
        "misdirected" => "421 Misdirected Request",
        "not-found" => "404 Not Found",
        _ if !is_post => "405 Method Not Allowed",
        "forgets-sessions" if session => "404 Not Found",
        _ if is_restart => "404 Not Found",
        _ => "200 OK",
    };
    let response = faulty::respond(kind, &request).filter(|_| status == "200 OK");
    let status = if status == "200 OK" && response.is_none() { "202 Accepted" } else { status };
    let header = if request["method"] == "initialize" { "mcp-session-id: s1\r\n" } else { "" };
    let body = response.map(|response| response.to_string()).unwrap_or_default();
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{header}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    Ok(())
}
