//! A test client for HTTP/1.1 with one request per connection over any byte stream, and the example server that it
//! starts.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use ferromcp::core::Revision;
use ferromcp::core::meta::key;
use serde_json::{Value, json};

/// Timeout for a response. Generous, because CI machines may be slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
pub(crate) struct Web {
    child: Child,
    stderr: Receiver<String>,
    /// Host and port.
    pub(crate) address: String,
}

impl Web {
    /// Starts a program on a free port and waits until it prints its address.
    pub(crate) fn start(program: &str, args: &[&str]) -> Self {
        Self::start_with(program, args, &[])
    }

    /// Starts a program with environment variables.
    pub(crate) fn start_with(program: &str, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program);
        let command = command.arg("0").args(args).envs(variables.iter().copied());
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the example starts");
        let (line, stderr) = channel();
        let lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|text| line.send(text)));
        let mut web = Self { child, stderr, address: String::new() };
        let said = web.says();
        let (_, rest) = said.split_once("://").unwrap_or_else(|| panic!("no address: {said}"));
        rest.strip_suffix("/mcp").expect("the endpoint's path").clone_into(&mut web.address);
        web
    }

    /// The next line on stderr.
    pub(crate) fn says(&self) -> String {
        self.stderr.recv_timeout(PATIENCE).expect("a line on stderr within the timeout")
    }

    /// A connection.
    pub(crate) fn connect(&self) -> TcpStream {
        let connection = TcpStream::connect(&self.address).expect("the server listens");
        connection.set_read_timeout(Some(PATIENCE)).expect("a time");
        connection
    }

    /// Sends one request on a new connection and returns the response.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        exchange(self.connect(), &self.address, method, path, headers, body)
    }

    /// Sends SIGINT, waits until the process exits and returns its remaining stderr output.
    #[cfg(unix)]
    pub(crate) fn interrupt(mut self) -> Vec<String> {
        let status =
            Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().expect("`kill` is available");
        assert!(status.success());
        let status = self.child.wait().expect("the server ends");
        assert!(status.success(), "{status}");
        self.stderr.iter().collect()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a request and reads the complete response.
pub(crate) fn exchange(
    mut connection: impl Read + Write,
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response {
    let length = body.len();
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        write!(head, "Host: {host}\r\n").expect("text");
    }
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").expect("text");
    }
    write!(connection, "{head}\r\n{body}").expect("the server reads");
    let mut text = String::new();
    connection.read_to_string(&mut text).expect("the server answers in text");
    Response::read(&text)
}

/// A response.
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut response = Self { status: status.expect("a status"), headers, body: body.to_owned() };
        if response.header("transfer-encoding") == Some("chunked") {
            response.body = joined(body);
        }
        response
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(is, _)| is == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Returns the events of a stream with their ids.
    pub(crate) fn events(&self) -> Vec<(Option<String>, Value)> {
        assert_eq!(self.header("content-type"), Some("text/event-stream"), "{}", self.body);
        let field = |event: &str, name: &str| event.lines().find_map(|line| Some(line.strip_prefix(name)?.to_owned()));
        let events = self.body.split("\n\n").filter_map(|event| Some((field(event, "id: "), field(event, "data:")?)));
        events.map(|(id, data)| (id, serde_json::from_str(data.trim()).unwrap_or_default())).collect()
    }
}

/// Decodes a chunked body.
fn joined(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((length, rest)) = chunks.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).expect("a length");
        body.push_str(&rest[..length]);
        chunks = rest[length..].strip_prefix("\r\n").expect("the end of a chunk");
    }
    body
}

/// A client of one protocol revision.
pub(crate) struct Client<'w> {
    web: &'w Web,
    revision: Revision,
    session: Option<String>,
}

impl<'w> Client<'w> {
    /// Starts a session if the revision has sessions.
    pub(crate) fn new(web: &'w Web, revision: Revision) -> Self {
        let mut client = Self { web, revision, session: None };
        if !revision.is_modern() {
            let info = json!({ "name": "tests", "version": "1.0.0" });
            let params = json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": info });
            let opened = client.post("initialize", params);
            assert_eq!(opened.json()["result"]["protocolVersion"], revision.as_str());
            client.session = Some(opened.header("mcp-session-id").expect("a session").to_owned());
            let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
            assert_eq!(client.send("POST", &[], &ready.to_string()).status, 202);
        }
        client
    }

    /// Returns the session id.
    #[allow(dead_code, reason = "used only by the mounted example")]
    pub(crate) fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// Sends a request and returns the response.
    pub(crate) fn post(&self, method: &str, params: Value) -> Response {
        self.post_with(method, params, &[])
    }

    /// Sends a request with additional headers.
    pub(crate) fn post_with(&self, method: &str, mut params: Value, more: &[(&str, &str)]) -> Response {
        let name = ["name", "uri"].iter().find_map(|field| params[field].as_str().map(str::to_owned));
        let mut headers = vec![("Mcp-Method", method)];
        if self.revision.is_modern() {
            let meta = params["_meta"].take();
            let mut meta = meta.as_object().cloned().unwrap_or_default();
            meta.insert(key::PROTOCOL_VERSION.into(), json!(self.revision));
            meta.insert(key::CLIENT_CAPABILITIES.into(), json!({}));
            params["_meta"] = meta.into();
            headers.extend(name.as_deref().map(|name| ("Mcp-Name", name)));
        }
        headers.extend(more);
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        self.send("POST", &headers, &request.to_string())
    }

    /// Sends a request and returns the result of its JSON response.
    pub(crate) fn ask(&self, method: &str, params: Value) -> Value {
        let response = self.post(method, params);
        assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
        response.json()["result"].take()
    }

    /// Calls a tool and returns its result.
    pub(crate) fn call(&self, tool: &str, arguments: &Value) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// Sends a message or an empty body with the common headers.
    pub(crate) fn send(&self, method: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let mut all = vec![("Accept", "application/json, text/event-stream"), ("Content-Type", "application/json")];
        if self.revision.is_modern() || self.session.is_some() {
            all.push(("MCP-Protocol-Version", self.revision.as_str()));
        }
        all.extend(self.session.as_deref().map(|id| ("Mcp-Session-Id", id)));
        all.extend(headers);
        self.web.request(method, "/mcp", &all, body)
    }
}
