//! A tool against a web service that runs in the test.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use ferromcp::core::Revision;
use serde_json::json;

use crate::peer::Peer;

/// Starts a web service that knows two cities, one of them badly; returns its address.
fn service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || listener.incoming().for_each(|connection| serve(connection.expect("a connection"))));
    format!("http://{address}")
}

fn serve(mut connection: TcpStream) {
    let reader = BufReader::new(connection.try_clone().expect("a second handle"));
    let head: Vec<String> = reader.lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let (status, body) = match head[0].as_str() {
        "GET /weather?city=Z%C3%BCrich+West HTTP/1.1" => ("200 OK", r#"{"temperature":21.5,"sky":"clear"}"#),
        "GET /weather?city=Broken HTTP/1.1" => ("500 Oh No", ""),
        _ => ("404 Not Found", ""),
    };
    let length = body.len();
    write!(connection, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .expect("sent");
}

#[test]
fn weather_is_fetched_from_service() {
    let base = service();
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weather"));
        let mut peer = Peer::with(command.env("WEATHER_URL", &base), revision);
        let fine = peer.call("fetch_weather", json!({ "city": "Zürich West" }));
        assert_eq!(fine["structuredContent"], json!({ "temperature": 21.5, "sky": "clear" }));
        let words = peer.call_in_vain("fetch_weather", json!({ "city": "Atlantis" }));
        assert_eq!(words, "unknown city `Atlantis`; try the nearest large city");
        let words = peer.call_in_vain("fetch_weather", json!({ "city": "Broken" }));
        assert!(words.contains("500"), "{words}");
        assert_eq!(peer.end(), "");
    }
}
