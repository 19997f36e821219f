//! A test client for JSON lines: starts a server as a child process and uses one era.

#![allow(clippy::needless_pass_by_value, reason = "allows `json!` without a reference in calls")]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ferromcp::core::Revision;
use ferromcp::core::meta::key;
use serde_json::{Value, json};

/// Timeout for a response. Generous, because CI machines may be slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a test in each era, with a new server each time.
pub(crate) fn in_both_eras(program: &str, test: impl Fn(&mut Peer)) {
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let mut peer = Peer::start(program, &[], revision);
        test(&mut peer);
        assert_eq!(peer.end(), "", "a healthy server writes nothing to stderr");
    }
}

/// Same as above, with a client that declares all capabilities and answers requests.
pub(crate) fn asked_in_both_eras(program: &str, test: impl Fn(&mut Peer)) {
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let mut peer = Peer::asked(&mut Command::new(program), revision);
        test(&mut peer);
        assert_eq!(peer.end(), "", "a healthy server writes nothing to stderr");
    }
}

/// Returns the capabilities of a client that supports all requests.
fn everything() -> Value {
    json!({ "elicitation": { "form": {}, "url": {} }, "sampling": { "tools": {} }, "roots": {} })
}

/// Returns an accepted form answer.
pub(crate) fn accept(content: Value) -> Value {
    json!({ "action": "accept", "content": content })
}

/// A running server and the protocol revision of the test.
pub(crate) struct Peer {
    child: Child,
    requests: Option<ChildStdin>,
    answers: Receiver<String>,
    stderr: Option<JoinHandle<String>>,
    revision: Revision,
    capabilities: Value,
    id: u64,
    asked: usize,
}

impl Peer {
    /// Starts `program` with arguments and initializes it if the revision requires a handshake.
    pub(crate) fn start(program: &str, args: &[&OsStr], revision: Revision) -> Self {
        Self::with(Command::new(program).args(args), revision)
    }

    /// Starts a prepared command.
    pub(crate) fn with(command: &mut Command, revision: Revision) -> Self {
        Self::declaring(command, revision, json!({}))
    }

    /// Starts a prepared command with a client that declares all capabilities.
    pub(crate) fn asked(command: &mut Command, revision: Revision) -> Self {
        Self::declaring(command, revision, everything())
    }

    fn declaring(command: &mut Command, revision: Revision, capabilities: Value) -> Self {
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().expect("the example starts");
        let (line, answers) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|text| line.send(text)));
        let mut stderr = child.stderr.take().expect("stderr is piped");
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).expect("stderr is text");
            text
        });
        let requests = child.stdin.take();
        let mut peer = Self { child, requests, answers, stderr: Some(stderr), revision, capabilities, id: 0, asked: 0 };
        if !revision.is_modern() {
            peer.shake_hands();
        }
        peer
    }

    fn shake_hands(&mut self) {
        let info = json!({ "name": "tests", "version": "1.0.0" });
        let params = json!({ "protocolVersion": self.revision, "capabilities": self.capabilities, "clientInfo": info });
        let result = self.ask("initialize", params);
        assert_eq!(result["protocolVersion"], self.revision.as_str());
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    }

    /// Writes one line.
    pub(crate) fn send(&mut self, message: &Value) {
        let requests = self.requests.as_mut().expect("the pipe is open");
        writeln!(requests, "{message}").expect("the server reads");
    }

    /// The next line.
    pub(crate) fn next(&mut self) -> Value {
        let line = self.answers.recv_timeout(PATIENCE).expect("the server writes in time");
        serde_json::from_str(&line).expect("the server writes JSON")
    }

    /// Returns true if no message arrives within the duration.
    pub(crate) fn is_silent(&mut self, a_while: Duration) -> bool {
        matches!(self.answers.recv_timeout(a_while), Err(RecvTimeoutError::Timeout))
    }

    /// Writes a request in the format of the era and returns its id.
    pub(crate) fn begin(&mut self, method: &str, mut params: Value) -> u64 {
        self.id += 1;
        if self.revision.is_modern() {
            let meta = params["_meta"].take();
            let mut meta = meta.as_object().cloned().unwrap_or_default();
            meta.insert(key::PROTOCOL_VERSION.into(), json!(self.revision));
            meta.insert(key::CLIENT_CAPABILITIES.into(), self.capabilities.clone());
            params["_meta"] = meta.into();
        }
        let id = self.id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// Returns the result of a request. Fails if another message arrives first.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        let mut answer = self.answer(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }

    /// Returns the error of a request.
    pub(crate) fn fail(&mut self, method: &str, params: Value) -> Value {
        let mut answer = self.answer(method, params);
        assert!(answer.get("result").is_none(), "{method}: {answer}");
        answer["error"].take()
    }

    fn answer(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params);
        let answer = self.next();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// Calls a tool and returns its result.
    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// Calls a tool and returns its error text.
    pub(crate) fn call_in_vain(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], true, "{result}");
        result["content"][0]["text"].as_str().expect("an error text").to_owned()
    }

    /// Calls a tool that sends requests to the client. `answer` receives the method and parameters of each request.
    pub(crate) fn call_answering(
        &mut self,
        tool: &str,
        arguments: Value,
        answer: impl Fn(&str, &Value) -> Value,
    ) -> Value {
        self.asked = 0;
        let first = json!({ "name": tool, "arguments": arguments });
        let mut params = first.clone();
        loop {
            let id = self.begin("tools/call", params);
            let mut reply = self.next();
            while reply.get("method").is_some() {
                assert!(!self.is_modern(), "servers do not send requests on 2026-07-28: {reply}");
                let result = self.give(&reply, &answer);
                self.send(&json!({ "jsonrpc": "2.0", "id": reply["id"], "result": result }));
                reply = self.next();
            }
            assert_eq!(reply["id"], id, "{reply}");
            assert!(reply.get("error").is_none(), "{reply}");
            let mut result = reply["result"].take();
            if result["resultType"] != "input_required" {
                return result;
            }
            let questions = result["inputRequests"].as_object().expect("questions");
            let answers = questions.iter().map(|(key, question)| (key.clone(), self.give(question, &answer)));
            let answers: serde_json::Map<_, _> = answers.collect();
            params = first.clone();
            params["inputResponses"] = answers.into();
            params["requestState"] = result["requestState"].take();
        }
    }

    fn give(&mut self, question: &Value, answer: impl Fn(&str, &Value) -> Value) -> Value {
        self.asked += 1;
        answer(question["method"].as_str().expect("a method"), &question["params"])
    }

    /// Returns the number of requests during the last call.
    pub(crate) fn questions(&self) -> usize {
        self.asked
    }

    /// Reads the resource at a URI.
    pub(crate) fn read(&mut self, uri: &str) -> Value {
        self.ask("resources/read", json!({ "uri": uri }))["contents"][0].take()
    }

    /// Returns the names in a list.
    pub(crate) fn names(&mut self, method: &str, field: &str) -> Vec<String> {
        let result = self.ask(method, json!({}));
        let items = result[field].as_array().expect("a list").iter();
        items.map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
    }

    pub(crate) fn is_modern(&self) -> bool {
        self.revision.is_modern()
    }

    /// Sends SIGTERM while stdin stays open and waits until the process exits.
    #[cfg(unix)]
    #[allow(dead_code, reason = "used only by the database example")]
    pub(crate) fn terminate(&mut self) {
        let status = Command::new("kill").arg(self.child.id().to_string()).status().expect("`kill` is available");
        assert!(status.success());
        assert!(self.answers.recv_timeout(PATIENCE).is_err_and(|error| error == RecvTimeoutError::Disconnected));
    }

    /// Closes stdin, waits until the process exits and returns its stderr output.
    pub(crate) fn end(mut self) -> String {
        self.requests = None;
        let stderr = self.stderr.take().expect("ended once").join().expect("stderr was read");
        let status = self.child.wait().expect("the server ends");
        assert!(status.success(), "{status}: {stderr}");
        stderr
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill(); // only a failed test leaves a process running
        let _ = self.child.wait();
    }
}
