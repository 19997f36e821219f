//! What a hostile server can make a client's memory grow by, measured in a process of its own.
#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use ferromcp_client::{Client, ClientLimits, Interest};
use ferromcp_core::model::{LogLevel, LogMessageParams};
use ferromcp_core::{Era, Revision};
use ferromcp_transport::{Frame, FrameRx, LineRx, streams};
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::Notify;

const MIB: usize = 1 << 20;

/// The longest line this client takes.
const MAX_LINE: usize = 4 * MIB;

/// The most that memory may grow, whatever comes: a few times the longest line, with room for the allocator.
const GROWTH: usize = 32 * MIB;

/// How long one attack may take; they are large, and builds for tests slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// The server's end.
struct Foe {
    lines: LineRx<ReadHalf<DuplexStream>>,
    writer: WriteHalf<DuplexStream>,
}

impl Foe {
    /// The next request of `method`; everything else is passed over.
    async fn expect(&mut self, method: &str) -> Value {
        loop {
            let Ok(Some(Frame::Whole(line))) = self.lines.recv().await else { panic!("the client is gone") };
            let message: Value = serde_json::from_slice(&line).unwrap();
            if message["method"] == method {
                return message;
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).await.unwrap();
    }

    async fn answer(&mut self, request: &Value, result: Value) {
        let line = json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }).to_string() + "\n";
        self.write(line.as_bytes()).await;
    }

    /// Writes lines that `make` makes of their number.
    async fn lines(&mut self, count: usize, make: impl Fn(usize, &mut String)) {
        let mut block = String::new();
        for n in 0..count {
            make(n, &mut block);
            block.push('\n');
            if block.len() > MIB || n + 1 == count {
                self.write(block.as_bytes()).await;
                block.clear();
            }
        }
    }
}

/// A client in `era` with a foe at the other end, and what tells that the client has heard the log `over`.
async fn meet(era: Era) -> (Client, Foe, Arc<Notify>) {
    let (near, far) = tokio::io::duplex(MIB);
    let (reader, writer) = tokio::io::split(near);
    let (far_reader, far_writer) = tokio::io::split(far);
    let mut foe = Foe { lines: LineRx::new(far_reader, MAX_LINE), writer: far_writer };
    let mut limits = ClientLimits::default();
    limits.outbound_bytes = MIB;
    let over = Arc::new(Notify::new());
    let heard = Arc::clone(&over);
    let listening = move |log: LogMessageParams| {
        if log.data.as_str() == "\"over\"" {
            heard.notify_one();
        }
    };
    let builder = Client::new("victim", "1").limits(limits).only_era(era).on_log(LogLevel::Debug, listening);
    let connecting = builder.connect(streams(reader, writer).max_line(MAX_LINE));
    let script = async {
        let capabilities = json!({ "tools": { "listChanged": true }, "resources": { "subscribe": true } });
        if era == Era::Modern {
            let probe = foe.expect("server/discover").await;
            let found = json!({ "supportedVersions": [Revision::LATEST.as_str()], "capabilities": capabilities });
            foe.answer(&probe, found).await;
        } else {
            let opening = foe.expect("initialize").await;
            let session = json!({ "protocolVersion": Revision::LATEST_LEGACY.as_str(), "capabilities": capabilities,
                "serverInfo": { "name": "foe", "version": "1" } });
            foe.answer(&opening, session).await;
            foe.expect("notifications/initialized").await;
        }
    };
    let (client, ()) = tokio::join!(connecting, script);
    (client.unwrap(), foe, over)
}

/// How much memory the process has had at most since the last [`forget`].
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

fn forget() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

/// Lets `attack` run against a client that waits for an answer, and looks at what it cost. The client still works then.
async fn withstand(name: &str, era: Era, attack: impl AsyncFnOnce(&Client, &mut Foe)) {
    let (client, mut foe, over) = meet(era).await;
    forget();
    let before = peak();
    let log =
        json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": "over" } });
    let attack = async {
        attack(&client, &mut foe).await;
        foe.write(format!("{log}\n").as_bytes()).await;
        over.notified().await;
    };
    tokio::time::timeout(PATIENCE, attack).await.expect("all is read");
    let grown = peak().saturating_sub(before);
    eprintln!("{name}: grown by {} KiB", grown / 1024);
    assert!(grown < GROWTH, "{name}: grown by {grown} bytes");
    let script = async {
        let call = foe.expect("tools/call").await;
        foe.answer(&call, json!({ "content": [] })).await;
    };
    let both = async { tokio::join!(async { client.call("t", ()).await }, script) };
    tokio::time::timeout(PATIENCE, both).await.expect("it lives").0.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_server_makes_nothing_grow() {
    withstand("one line of 1 GiB", Era::Modern, async |_, foe| {
        let block = vec![b'x'; MIB];
        for _ in 0..1024 {
            foe.write(&block).await;
        }
        foe.write(b"\n").await;
    })
    .await;
    withstand("an answer of 256 MiB", Era::Modern, async |client, foe| {
        let script = async {
            let call = foe.expect("tools/call").await;
            foe.write(format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{{\"x\":\"", call["id"]).as_bytes()).await;
            let block = vec![b'x'; MIB];
            for _ in 0..256 {
                foe.write(&block).await;
            }
            foe.write(b"\"}}\n").await;
        };
        let (outcome, ()) = tokio::join!(async { client.call("t", ()).await }, script);
        assert!(outcome.is_err());
    })
    .await;
    withstand("an endless stream of prints", Era::Modern, async |_, foe| {
        foe.lines(2_000_000, |n, line| write!(line, "[{n}] a log that went astray, and does not end").unwrap()).await;
    })
    .await;
    withstand("deep JSON", Era::Modern, async |_, foe| {
        let deep = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}", "[".repeat(MIB));
        foe.lines(64, |_, line| line.push_str(&deep)).await;
    })
    .await;
    withstand("broad JSON", Era::Modern, async |_, foe| {
        let broad =
            format!("{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":[{}0]}}", "0,".repeat(MIB));
        foe.lines(8, |_, line| line.push_str(&broad)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_messages_makes_nothing_grow() {
    withstand("answers to nothing", Era::Modern, async |_, foe| {
        let answer = |n: usize, line: &mut String| {
            let id = if n % 2 == 0 { n.to_string() } else { format!("\"{n}\"") };
            write!(line, "{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{{\"n\":{n}}}}}", id.replace('0', "9")).unwrap();
        };
        foe.lines(300_000, answer).await;
    })
    .await;
    withstand("wrong types", Era::Modern, async |_, foe| {
        let wrong = [
            r#"{"jsonrpc":"2.0","id":[],"result":7}"#,
            r#"{"jsonrpc":"2.0","method":7}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":{},"progress":"x"}}"#,
            r#"{"jsonrpc":"2.0","id":null,"error":7}"#,
            r#"{"jsonrpc":2,"id":1,"result":[]}"#,
        ];
        foe.lines(300_000, |n, line| line.push_str(wrong[n % wrong.len()])).await;
    })
    .await;
    withstand("changes nobody reads", Era::Legacy, async |client, foe| {
        let subscribing = async { client.subscribe(Interest::new().tools().resource("x:")).await };
        let script = async {
            let subscribe = foe.expect("resources/subscribe").await;
            foe.answer(&subscribe, json!({})).await;
        };
        let subscription = tokio::join!(subscribing, script).0.unwrap();
        let change = |n: usize, line: &mut String| {
            let uri = format!("x:/{n}/{}", "y".repeat(200));
            let change = r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"#;
            write!(line, "{change}\"{uri}\"}}}}").unwrap();
        };
        foe.lines(300_000, change).await;
        drop(subscription);
    })
    .await;
    withstand("questions whose answers nobody reads", Era::Legacy, async |_, foe| {
        let ask = |n: usize, line: &mut String| {
            let method = ["ping", "roots/list", "elicitation/create", "sampling/createMessage"][n % 4];
            write!(line, "{{\"jsonrpc\":\"2.0\",\"id\":\"{n}\",\"method\":\"{method}\"}}").unwrap();
        };
        foe.lines(300_000, ask).await;
    })
    .await;
}
