//! Whole conversations, pinned to the byte: what a server says is an interface of its own.
//!
//! `>` is what the client says, `<` what the server says, `#` what happens beside. `"_meta":{…}` stands for what every
//! request of the modern era carries. Each line of the server is also held to the official schema of the revision. Spec:
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>.

use std::collections::HashMap;
use std::fmt::Write;

use insta::assert_snapshot;
use serde_json::Value;

use crate::official::Official;
use crate::peer::{EVERYTHING, Peer};

/// A conversation under way.
struct Transcript {
    peer: Peer,
    text: String,
    official: Option<Official>,
    /// The methods asked for, by id.
    asked: HashMap<String, String>,
    /// What every request carries in its `_meta` in the modern era.
    meta: Option<&'static str>,
    id: u32,
}

impl Transcript {
    fn legacy(revision: &'static str) -> Self {
        Self {
            peer: Peer::start(EVERYTHING, &[]),
            text: String::new(),
            official: Official::of(revision),
            asked: HashMap::new(),
            meta: None,
            id: 0,
        }
    }

    fn modern() -> Self {
        let meta = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"probe","version":"0"}"#;
        Self { meta: Some(meta), ..Self::legacy("2026-07-28") }
    }

    /// A note of what follows.
    fn chapter(&mut self, title: &str) {
        let _ = writeln!(self.text, "\n# {title}");
    }

    /// The client says a line; nothing needs to come back.
    fn say(&mut self, line: &str) {
        let shown = self.meta.map_or_else(|| line.to_owned(), |meta| line.replace(meta, "…"));
        let _ = writeln!(self.text, "> {shown}");
        if let Ok(Value::Object(message)) = serde_json::from_str(line) {
            if let (Some(id), Some(Value::String(method))) = (message.get("id"), message.get("method")) {
                self.asked.insert(id.to_string(), method.clone());
            }
        }
        self.peer.say(line);
    }

    /// The server says a line.
    fn hear(&mut self) {
        let line = self.peer.hear();
        let _ = writeln!(self.text, "< {line}");
        let message: Value = serde_json::from_str(&line).expect("the server speaks JSON");
        let method = message.get("id").and_then(|id| self.asked.get(&id.to_string()));
        if let Some(official) = &mut self.official {
            official.hold(&message, method.map(String::as_str));
        }
    }

    /// A line that brings a line.
    fn ask(&mut self, line: &str) {
        self.say(line);
        self.hear();
    }

    /// A request of the next id, with what `params` has besides the era's own; `lines` come back.
    fn request(&mut self, method: &str, params: &str, lines: usize) {
        self.request_with(method, params, "", lines);
    }

    /// The same, with more in `_meta`.
    fn request_with(&mut self, method: &str, params: &str, meta: &str, lines: usize) {
        self.id += 1;
        let metas: Vec<&str> = self.meta.into_iter().chain(Some(meta).filter(|meta| !meta.is_empty())).collect();
        let meta = (!metas.is_empty()).then(|| format!(r#""_meta":{{{}}}"#, metas.join(",")));
        let parts: Vec<&str> = meta.as_deref().into_iter().chain(Some(params).filter(|it| !it.is_empty())).collect();
        let params = if parts.is_empty() { String::new() } else { format!(r#","params":{{{}}}"#, parts.join(",")) };
        self.say(&format!(r#"{{"jsonrpc":"2.0","id":{},"method":"{method}"{params}}}"#, self.id));
        for _ in 0..lines {
            self.hear();
        }
    }

    /// Lists, and one of everything that can be asked for, rightly and wrongly.
    fn body(&mut self) {
        self.chapter("lists");
        for list in ["tools/list", "resources/list", "resources/templates/list", "prompts/list"] {
            self.request(list, "", 1);
        }
        self.request("tools/list", r#""cursor":"made up""#, 1);
        self.chapter("calls");
        self.request("tools/call", r#""name":"add","arguments":{"a":2,"b":3}"#, 1);
        self.request("tools/call", r#""name":"weather","arguments":{"city":"Zürich\n\u2028"}"#, 1);
        self.chapter("calls with wrong arguments, which the model is told of");
        self.request("tools/call", r#""name":"add","arguments":{"a":"two","b":3}"#, 1);
        self.request("tools/call", r#""name":"add","arguments":{"b":3,"c":4}"#, 1);
        self.request("tools/call", r#""name":"weather","arguments":{"city":""}"#, 1);
        self.request("tools/call", r#""name":"fail""#, 1);
        self.chapter("calls that are protocol errors");
        self.request("tools/call", r#""name":"no_such_tool""#, 1);
        self.request("tools/call", r#""name":7"#, 1);
        self.request("tools/call", r#""name":"crash""#, 1);
        self.request("no/such/method", "", 1);
        self.chapter("resources");
        self.request("resources/read", r#""uri":"greeting://Ada%20L""#, 1);
        self.request("resources/read", r#""uri":"config://app""#, 1);
        self.request("resources/read", r#""uri":"bytes://few""#, 1);
        self.request("resources/read", r#""uri":"nowhere://nothing""#, 1);
        self.chapter("prompts");
        self.request("prompts/get", r#""name":"review_code","arguments":{"code":"x = 1","language":"ruby"}"#, 1);
        self.request("prompts/get", r#""name":"review_code","arguments":{}"#, 1);
        self.request("prompts/get", r#""name":"no_such_prompt""#, 1);
        self.chapter("completion");
        let reference = r#""ref":{"type":"ref/prompt","name":"review_code"}"#;
        let typed = r#""argument":{"name":"language","value":"ru"}"#;
        self.request("completion/complete", &format!("{reference},{typed}"), 1);
        let unknown = r#""argument":{"name":"colour","value":""}"#;
        self.request("completion/complete", &format!("{reference},{unknown}"), 1);
        self.chapter("stray output goes nowhere near the wire");
        self.request("tools/call", r#""name":"shout""#, 1);
    }

    /// Cancels a call that has reported progress; nothing of it must follow.
    fn cancellation(&mut self) {
        self.chapter("cancellation: no answer to the cancelled call, nor to a cancellation of nothing");
        self.request_with("tools/call", r#""name":"wait""#, r#""progressToken":"w""#, 1);
        let reason = r#""reason":"enough""#;
        let cancelled = r#""jsonrpc":"2.0","method":"notifications/cancelled""#;
        let id = self.id;
        self.say(&format!(r#"{{{cancelled},"params":{{"requestId":{id},{reason}}}}}"#));
        self.peer.complains("wait was dropped\n");
        self.say(&format!(r#"{{{cancelled},"params":{{"requestId":"never asked"}}}}"#));
        self.say(&format!(r#"{{{cancelled},"params":{{"requestId":[]}}}}"#));
    }

    /// Lines that are no messages.
    fn broken(&mut self) {
        self.chapter("lines that are no messages");
        self.ask("{not json");
        self.ask(r#"{"jsonrpc":"1.0","id":"old","method":"tools/list"}"#);
        self.ask(r#"{"jsonrpc":"2.0","id":"twice","method":"tools/list","params":[]}"#);
    }

    /// Hangs up, insists on an end in good order, and gives the text.
    fn end(mut self) -> String {
        self.chapter("the client hangs up");
        let end = self.peer.hang_up();
        end.is_clean();
        for words in ["stray line\n", "stray words without an end"] {
            assert!(end.stderr.contains(words), "{words} is not in: {}", end.stderr);
        }
        assert!(!self.text.contains("a secret of the inside"), "a panic's words are for the log only");
        let _ = writeln!(self.text, "# exit code {}", end.status.code().unwrap_or(-1));
        self.text
    }
}

const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// From the handshake to the end, in one revision of the legacy era. Only the last has errors without an id.
fn session(revision: &'static str, answers_the_unreadable: bool) -> String {
    let mut it = Transcript::legacy(revision);
    it.chapter("before the handshake only pings are answered");
    it.ask(r#"{"jsonrpc":"2.0","id":"early","method":"ping"}"#);
    it.ask(r#"{"jsonrpc":"2.0","id":"too early","method":"tools/list"}"#);
    it.chapter("the handshake");
    let hello = r#""capabilities":{"roots":{"listChanged":true}},"clientInfo":{"name":"probe","version":"0"}"#;
    it.request("initialize", &format!(r#""protocolVersion":"{revision}",{hello}"#), 1);
    it.say(INITIALIZED);
    it.request("initialize", &format!(r#""protocolVersion":"{revision}",{hello}"#), 1);
    it.request("ping", "", 1);
    it.body();
    it.chapter("logs from `info` on, as long as the client says nothing of it");
    it.request("tools/call", r#""name":"long_task""#, 2);
    it.chapter("all logs, and progress as well");
    it.request("logging/setLevel", r#""level":"loud""#, 1);
    it.request("logging/setLevel", r#""level":"debug""#, 1);
    it.request_with("tools/call", r#""name":"long_task""#, r#""progressToken":"p""#, 6);
    it.request("logging/setLevel", r#""level":"error""#, 1);
    it.request("tools/call", r#""name":"long_task""#, 1);
    it.cancellation();
    it.request("ping", "", 1);
    if answers_the_unreadable {
        it.broken();
        it.chapter("no batches in this revision");
        it.ask(r#"[{"jsonrpc":"2.0","id":"b1","method":"ping"}]"#);
    }
    it.request("ping", "", 1);
    it.end()
}

#[test]
fn the_last_legacy_revision() {
    // S-001, S-002, S-007, S-009, S-011, S-014, S-018, S-019, S-021, S-063, S-070, S-082, S-085, S-086, S-105, S-106,
    // S-112, S-188, S-199, S-200, S-203, S-206, S-209, S-216, S-217, S-218, S-224, S-229, S-232, S-233, S-234, S-243,
    // S-250, S-251, S-252, S-254, S-255, S-257, S-269, S-280, S-284, S-288, S-289, S-292, S-298, S-299, S-305, S-309,
    // S-310, S-324, S-326, S-329, S-344
    assert_snapshot!("session_2025-11-25", session("2025-11-25", true));
}

#[test]
fn the_first_revision() {
    // S-008, S-010, S-070, S-106, S-188, S-200, S-209, S-217, S-244, S-280, S-298, S-326
    assert_snapshot!("session_2024-11-05", session("2024-11-05", false));
}

#[test]
fn the_revisions_between() {
    // S-008, S-010, S-070, S-106, S-200, S-209, S-217, S-245, S-246, S-250, S-252, S-280, S-298, S-305
    assert_snapshot!("session_2025-03-26", session("2025-03-26", false));
    assert_snapshot!("session_2025-06-18", session("2025-06-18", false));
}

#[test]
fn the_stateless_revision() {
    // M26-002, M26-006, M26-007, M26-008, M26-014, M26-015, M26-016, M26-019, M26-020, M26-023, M26-029, M26-033,
    // M26-034, M26-054, M26-057, M26-058, M26-066, M26-067, M26-070, M26-076, M26-084, M26-086, M26-088, M26-123,
    // M26-124, M26-131, M26-132, M26-134, M26-282, M26-285, M26-289, M26-295, M26-301, M26-312, M26-313, M26-319,
    // M26-320, M26-332, M26-336, M26-337, M26-339, M26-340, M26-353, M26-354, M26-366, M26-369, M26-371, M26-379,
    // M26-380, M26-389, M26-390, M26-396, M26-400, M26-415, M26-416, M26-417, M26-419, M26-439, M26-440, M26-450
    let mut it = Transcript::modern();
    it.chapter("discovery");
    it.request("server/discover", "", 1);
    it.chapter("requests that lack what they must carry, or ask for what is not there");
    let capabilities = r#""io.modelcontextprotocol/clientCapabilities":{}"#;
    let version = |version: &str| format!(r#""io.modelcontextprotocol/protocolVersion":"{version}""#);
    let list = |id: &str, meta: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"tools/list","params":{{"_meta":{{{meta}}}}}}}"#)
    };
    it.ask(&list("no version", capabilities));
    it.ask(&list("no capabilities", &version("2026-07-28")));
    it.ask(&list("a day later", &format!("{},{capabilities}", version("2026-07-29"))));
    it.ask(r#"{"jsonrpc":"2.0","id":"nothing","method":"server/discover"}"#);
    it.request("ping", "", 1);
    it.request("logging/setLevel", r#""level":"debug""#, 1);
    it.body();
    it.chapter("no logs unless the request asks for them");
    it.request("tools/call", r#""name":"long_task""#, 1);
    let level = |level: &str| format!(r#""io.modelcontextprotocol/logLevel":"{level}""#);
    it.request_with("tools/call", r#""name":"long_task""#, &level("warning"), 1);
    it.request_with("tools/call", r#""name":"long_task""#, &level("info"), 2);
    it.request_with("tools/call", r#""name":"long_task""#, &level("loud"), 1);
    it.chapter("all logs, and progress as well");
    it.request_with("tools/call", r#""name":"long_task""#, &format!(r#"{},"progressToken":7"#, level("debug")), 6);
    it.cancellation();
    it.request("server/discover", "", 1);
    it.broken();
    it.request("server/discover", "", 1);
    assert_snapshot!("stateless_2026-07-28", it.end());
}
