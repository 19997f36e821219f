//! Snapshots of whole sessions, so that changes of messages on the wire are visible in review.
//!
//! `>` marks lines of the client, `<` lines of the server and `#` comments. `"_meta":{…}` replaces the metadata that every
//! request of the modern era contains. Each line of the server is validated against the official schema. Spec:
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>.

use std::collections::HashMap;
use std::fmt::Write;

use insta::assert_snapshot;
use serde_json::Value;

use crate::schema_validator::SchemaValidator;
use crate::server_process::{EVERYTHING, ServerProcess};

/// A running server and the recorded session.
struct Transcript {
    server: ServerProcess,
    text: String,
    schema: Option<SchemaValidator>,
    /// The methods of sent requests, by id.
    methods: HashMap<String, String>,
    /// The required `_meta` fields of requests in the modern era.
    meta: Option<&'static str>,
    id: u32,
}

impl Transcript {
    fn legacy(revision: &'static str) -> Self {
        Self {
            server: ServerProcess::start(EVERYTHING, &[]),
            text: String::new(),
            schema: SchemaValidator::for_revision(revision),
            methods: HashMap::new(),
            meta: None,
            id: 0,
        }
    }

    fn modern() -> Self {
        let meta = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"probe","version":"0"}"#;
        Self { meta: Some(meta), ..Self::legacy("2026-07-28") }
    }

    /// Records a section title.
    fn section(&mut self, title: &str) {
        let _ = writeln!(self.text, "\n# {title}");
    }

    /// Sends a line without reading a response.
    fn send(&mut self, line: &str) {
        let shown = self.meta.map_or_else(|| line.to_owned(), |meta| line.replace(meta, "…"));
        let _ = writeln!(self.text, "> {shown}");
        if let Ok(Value::Object(message)) = serde_json::from_str(line) {
            if let (Some(id), Some(Value::String(method))) = (message.get("id"), message.get("method")) {
                self.methods.insert(id.to_string(), method.clone());
            }
        }
        self.server.send(line);
    }

    /// Reads a line of the server and validates it.
    fn receive(&mut self) {
        let line = self.server.receive();
        let _ = writeln!(self.text, "< {line}");
        let message: Value = serde_json::from_str(&line).expect("the line is valid JSON");
        let method = message.get("id").and_then(|id| self.methods.get(&id.to_string()));
        if let Some(schema) = &mut self.schema {
            schema.validate(&message, method.map(String::as_str));
        }
    }

    /// Sends a line and reads a line.
    fn exchange(&mut self, line: &str) {
        self.send(line);
        self.receive();
    }

    /// Sends a request with the next id and `params`, and reads `lines` lines.
    fn request(&mut self, method: &str, params: &str, lines: usize) {
        self.request_with(method, params, "", lines);
    }

    /// Sends a request with additional `_meta` fields.
    fn request_with(&mut self, method: &str, params: &str, meta: &str, lines: usize) {
        self.id += 1;
        let metas: Vec<&str> = self.meta.into_iter().chain(Some(meta).filter(|meta| !meta.is_empty())).collect();
        let meta = (!metas.is_empty()).then(|| format!(r#""_meta":{{{}}}"#, metas.join(",")));
        let parts: Vec<&str> = meta.as_deref().into_iter().chain(Some(params).filter(|it| !it.is_empty())).collect();
        let params = if parts.is_empty() { String::new() } else { format!(r#","params":{{{}}}"#, parts.join(",")) };
        self.send(&format!(r#"{{"jsonrpc":"2.0","id":{},"method":"{method}"{params}}}"#, self.id));
        for _ in 0..lines {
            self.receive();
        }
    }

    /// Sends list requests, and valid and invalid requests of each kind.
    fn common_requests(&mut self) {
        self.section("lists");
        for list in ["tools/list", "resources/list", "resources/templates/list", "prompts/list"] {
            self.request(list, "", 1);
        }
        self.request("tools/list", r#""cursor":"made up""#, 1);
        self.section("calls");
        self.request("tools/call", r#""name":"add","arguments":{"a":2,"b":3}"#, 1);
        self.request("tools/call", r#""name":"weather","arguments":{"city":"Zürich\n\u2028"}"#, 1);
        self.section("calls with invalid arguments: tool errors");
        self.request("tools/call", r#""name":"add","arguments":{"a":"two","b":3}"#, 1);
        self.request("tools/call", r#""name":"add","arguments":{"b":3,"c":4}"#, 1);
        self.request("tools/call", r#""name":"weather","arguments":{"city":""}"#, 1);
        self.request("tools/call", r#""name":"fail""#, 1);
        self.section("calls that are protocol errors");
        self.request("tools/call", r#""name":"no_such_tool""#, 1);
        self.request("tools/call", r#""name":7"#, 1);
        self.request("tools/call", r#""name":"crash""#, 1);
        self.request("no/such/method", "", 1);
        self.section("resources");
        self.request("resources/read", r#""uri":"greeting://Ada%20L""#, 1);
        self.request("resources/read", r#""uri":"config://app""#, 1);
        self.request("resources/read", r#""uri":"bytes://few""#, 1);
        self.request("resources/read", r#""uri":"nowhere://nothing""#, 1);
        self.section("prompts");
        self.request("prompts/get", r#""name":"review_code","arguments":{"code":"x = 1","language":"ruby"}"#, 1);
        self.request("prompts/get", r#""name":"review_code","arguments":{}"#, 1);
        self.request("prompts/get", r#""name":"no_such_prompt""#, 1);
        self.section("completion");
        let reference = r#""ref":{"type":"ref/prompt","name":"review_code"}"#;
        let typed = r#""argument":{"name":"language","value":"ru"}"#;
        self.request("completion/complete", &format!("{reference},{typed}"), 1);
        let unknown = r#""argument":{"name":"colour","value":""}"#;
        self.request("completion/complete", &format!("{reference},{unknown}"), 1);
        self.section("stray output goes to stderr");
        self.request("tools/call", r#""name":"shout""#, 1);
    }

    /// Cancels a call that has reported progress; the server must send nothing more for it.
    fn cancellation(&mut self) {
        self.section("cancellation: no response to the cancelled call or to an unknown request id");
        self.request_with("tools/call", r#""name":"wait""#, r#""progressToken":"w""#, 1);
        let reason = r#""reason":"enough""#;
        let cancelled = r#""jsonrpc":"2.0","method":"notifications/cancelled""#;
        let id = self.id;
        self.send(&format!(r#"{{{cancelled},"params":{{"requestId":{id},{reason}}}}}"#));
        self.server.wait_for_stderr("wait was dropped\n");
        self.send(&format!(r#"{{{cancelled},"params":{{"requestId":"never asked"}}}}"#));
        self.send(&format!(r#"{{{cancelled},"params":{{"requestId":[]}}}}"#));
    }

    /// Sends lines that are not valid messages.
    fn invalid_lines(&mut self) {
        self.section("invalid messages");
        self.exchange("{not json");
        self.exchange(r#"{"jsonrpc":"1.0","id":"old","method":"tools/list"}"#);
        self.exchange(r#"{"jsonrpc":"2.0","id":"twice","method":"tools/list","params":[]}"#);
    }

    /// Closes stdin, asserts a clean exit and returns the transcript.
    fn finish(mut self) -> String {
        self.section("the client closes stdin");
        let end = self.server.close_and_wait();
        end.assert_clean_exit();
        for words in ["stray line\n", "stray words without an end"] {
            assert!(end.stderr.contains(words), "missing {words} in: {}", end.stderr);
        }
        assert!(!self.text.contains("a secret of the inside"), "panic messages are not sent to the client");
        let _ = writeln!(self.text, "# exit code {}", end.status.code().unwrap_or(-1));
        self.text
    }
}

const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// Records a session of a legacy revision. Only the latest legacy revision allows errors without an id.
fn session(revision: &'static str, reports_errors_without_id: bool) -> String {
    let mut transcript = Transcript::legacy(revision);
    transcript.section("before the handshake: only ping is allowed");
    transcript.exchange(r#"{"jsonrpc":"2.0","id":"early","method":"ping"}"#);
    transcript.exchange(r#"{"jsonrpc":"2.0","id":"too early","method":"tools/list"}"#);
    transcript.section("the handshake");
    let client_info = r#""capabilities":{"roots":{"listChanged":true}},"clientInfo":{"name":"probe","version":"0"}"#;
    transcript.request("initialize", &format!(r#""protocolVersion":"{revision}",{client_info}"#), 1);
    transcript.send(INITIALIZED);
    transcript.request("initialize", &format!(r#""protocolVersion":"{revision}",{client_info}"#), 1);
    transcript.request("ping", "", 1);
    transcript.common_requests();
    transcript.section("log level `info` by default");
    transcript.request("tools/call", r#""name":"long_task""#, 2);
    transcript.section("all log messages and progress");
    transcript.request("logging/setLevel", r#""level":"loud""#, 1);
    transcript.request("logging/setLevel", r#""level":"debug""#, 1);
    transcript.request_with("tools/call", r#""name":"long_task""#, r#""progressToken":"p""#, 6);
    transcript.request("logging/setLevel", r#""level":"error""#, 1);
    transcript.request("tools/call", r#""name":"long_task""#, 1);
    transcript.cancellation();
    transcript.request("ping", "", 1);
    if reports_errors_without_id {
        transcript.invalid_lines();
        transcript.section("batches are rejected in this revision");
        transcript.exchange(r#"[{"jsonrpc":"2.0","id":"b1","method":"ping"}]"#);
    }
    transcript.request("ping", "", 1);
    transcript.finish()
}

#[test]
fn session_transcript_for_latest_legacy_revision() {
    // S-001, S-002, S-007, S-009, S-011, S-014, S-018, S-019, S-021, S-063, S-070, S-082, S-085, S-086, S-105, S-106,
    // S-112, S-188, S-199, S-200, S-203, S-206, S-209, S-216, S-217, S-218, S-224, S-229, S-232, S-233, S-234, S-243,
    // S-250, S-251, S-252, S-254, S-255, S-257, S-269, S-280, S-284, S-288, S-289, S-292, S-298, S-299, S-305, S-309,
    // S-310, S-324, S-326, S-329, S-344
    assert_snapshot!("session_2025-11-25", session("2025-11-25", true));
}

#[test]
fn session_transcript_for_first_revision() {
    // S-008, S-010, S-070, S-106, S-188, S-200, S-209, S-217, S-244, S-280, S-298, S-326
    assert_snapshot!("session_2024-11-05", session("2024-11-05", false));
}

#[test]
fn session_transcripts_for_intermediate_revisions() {
    // S-008, S-010, S-070, S-106, S-200, S-209, S-217, S-245, S-246, S-250, S-252, S-280, S-298, S-305
    assert_snapshot!("session_2025-03-26", session("2025-03-26", false));
    assert_snapshot!("session_2025-06-18", session("2025-06-18", false));
}

#[test]
fn stateless_transcript() {
    // M26-002, M26-006, M26-007, M26-008, M26-014, M26-015, M26-016, M26-019, M26-020, M26-023, M26-029, M26-033,
    // M26-034, M26-054, M26-057, M26-058, M26-066, M26-067, M26-070, M26-076, M26-084, M26-086, M26-088, M26-123,
    // M26-124, M26-131, M26-132, M26-134, M26-282, M26-285, M26-289, M26-295, M26-301, M26-312, M26-313, M26-319,
    // M26-320, M26-332, M26-336, M26-337, M26-339, M26-340, M26-353, M26-354, M26-366, M26-369, M26-371, M26-379,
    // M26-380, M26-389, M26-390, M26-396, M26-400, M26-415, M26-416, M26-417, M26-419, M26-439, M26-440, M26-450
    let mut transcript = Transcript::modern();
    transcript.section("discovery");
    transcript.request("server/discover", "", 1);
    transcript.section("requests with missing metadata or unknown methods");
    let capabilities = r#""io.modelcontextprotocol/clientCapabilities":{}"#;
    let version = |version: &str| format!(r#""io.modelcontextprotocol/protocolVersion":"{version}""#);
    let list = |id: &str, meta: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"tools/list","params":{{"_meta":{{{meta}}}}}}}"#)
    };
    transcript.exchange(&list("no version", capabilities));
    transcript.exchange(&list("no capabilities", &version("2026-07-28")));
    transcript.exchange(&list("a day later", &format!("{},{capabilities}", version("2026-07-29"))));
    transcript.exchange(r#"{"jsonrpc":"2.0","id":"nothing","method":"server/discover"}"#);
    transcript.request("ping", "", 1);
    transcript.request("logging/setLevel", r#""level":"debug""#, 1);
    transcript.common_requests();
    transcript.section("no log messages unless the request sets a log level");
    transcript.request("tools/call", r#""name":"long_task""#, 1);
    let level = |level: &str| format!(r#""io.modelcontextprotocol/logLevel":"{level}""#);
    transcript.request_with("tools/call", r#""name":"long_task""#, &level("warning"), 1);
    transcript.request_with("tools/call", r#""name":"long_task""#, &level("info"), 2);
    transcript.request_with("tools/call", r#""name":"long_task""#, &level("loud"), 1);
    transcript.section("all log messages and progress");
    transcript.request_with(
        "tools/call",
        r#""name":"long_task""#,
        &format!(r#"{},"progressToken":7"#, level("debug")),
        6,
    );
    transcript.cancellation();
    transcript.request("server/discover", "", 1);
    transcript.invalid_lines();
    transcript.request("server/discover", "", 1);
    assert_snapshot!("stateless_2026-07-28", transcript.finish());
}
