//! Killed servers and cut connections at every point of a call: only idempotent requests are retried.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_client::{Client, ClientBuilder, ClientLimits, Connector, Opened, reconnect_with};
use ferromcp_core::Revision;
use ferromcp_transport::{Frame, FrameRx, LineRx, streams};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::script::{builder, discovered, soon, text};
use crate::temp_folder::TempFolder;

/// A modern server as a shell script. It records each run of a tool in `runs`, and kills itself once at `$POINT`.
const SERVER: &str = r#"
echo $$ > pid
die() { [ "$POINT" = "$1" ] && [ ! -e died ] && : > died && kill -9 $$; }
while read -r line; do
  id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
  case "$line" in
    *'"server/discover"'*)
      printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$DISCOVERED"; die idle;;
    *'"tools/list"'*)
      printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$TOOLS";;
    *'"tools/call"'*)
      die read; sleep "$PAUSE"; echo run >> runs; die ran; sleep "$PAUSE"
      printf '{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text",' "$id"; die half
      printf '"text":"gr\303'; die char
      printf '\274n"}]}}'; die line
      printf '\n'; die answered;;
  esac
done
"#;

fn tools() -> Value {
    let schema = json!({ "type": "object" });
    json!({ "resultType": "complete", "tools": [
        { "name": "count", "inputSchema": schema },
        { "name": "look", "inputSchema": schema, "annotations": { "readOnlyHint": true } },
    ] })
}

fn fast_builder() -> ClientBuilder {
    builder().limits(ClientLimits::new().shutdown_grace(Duration::from_millis(500)))
}

/// Connects to [`SERVER`] and lists its tools.
async fn client(folder: &TempFolder, point: &str, pause: &str) -> Client {
    let mut command = folder.shell(SERVER);
    command.env("DISCOVERED", discovered(&[Revision::LATEST.as_str()]).to_string()).env("TOOLS", tools().to_string());
    command.env("POINT", point).env("PAUSE", pause);
    let client = soon(fast_builder().connect(command)).await.unwrap();
    assert_eq!(soon(client.tools()).await.unwrap().len(), 2);
    client
}

#[tokio::test]
async fn runs_non_idempotent_tool_at_most_once_when_server_is_killed_at_any_point() {
    // M26-136
    for point in ["idle", "read", "ran", "half", "char", "line", "answered"] {
        for tool in ["count", "look"] {
            let folder = TempFolder::new();
            let client = client(&folder, point, "0").await;
            let outcome = soon(client.call(tool, ())).await;
            let runs = folder.read("runs").lines().count();
            match (tool, outcome) {
                ("look", outcome) => {
                    outcome.unwrap_or_else(|error| panic!("{point}: {error}"));
                    assert!((1..=2).contains(&runs), "{point}: {runs}");
                }
                (_, Ok(_)) => assert_eq!(runs, 1, "{point}"),
                (_, Err(error)) => {
                    assert!(error.is_connection_lost() && !error.is_unsent(), "{point}: {error}");
                    assert_eq!(runs, usize::from(point != "read"), "{point}");
                }
            }
            // The next call reaches a new server, once the old one is dead.
            let died = async {
                while !std::fs::exists(folder.path("died")).unwrap() {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            soon(died).await;
            soon(client.call("look", ())).await.unwrap();
            soon(client.close()).await;
        }
    }
}

#[tokio::test]
async fn runs_non_idempotent_tool_at_most_once_when_server_is_killed_at_any_time() {
    let mut ran = [0; 2];
    for step in (0..80).step_by(2) {
        let folder = TempFolder::new();
        let client = client(&folder, "never", "0.03").await;
        let kill = async {
            tokio::time::sleep(Duration::from_millis(step)).await;
            let pid = folder.read("pid");
            assert!(std::process::Command::new("kill").args(["-9", pid.trim()]).status().unwrap().success());
        };
        let (outcome, ()) = soon(async { tokio::join!(async { client.call("count", ()).await }, kill) }).await;
        let runs = folder.read("runs").lines().count();
        match outcome {
            Ok(_) => assert_eq!(runs, 1, "{step}"),
            Err(error) => assert!(error.is_connection_lost(), "{step}: {error}"),
        }
        ran[runs] += 1; // never 2
        soon(client.call("look", ())).await.unwrap();
        soon(client.close()).await;
    }
    assert!(ran[0] > 0 && ran[1] > 0, "kills before and after the run: {ran:?}");
}

/// Creates a connector whose first server truncates its first tool response after `cut` bytes, and a counter of tool
/// runs.
fn truncating_connector(cut: usize, answer: &'static str) -> (impl Connector, Arc<AtomicUsize>) {
    let (runs, opened) = (Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let open = move || {
        let (near, peer) = tokio::io::duplex(1 << 16);
        let cut = (opened.fetch_add(1, Ordering::Relaxed) == 0).then_some(cut);
        tokio::spawn(serve(peer, cut, answer, Arc::clone(&counted)));
        let (reader, writer) = tokio::io::split(near);
        std::future::ready(Ok(Opened::from(streams(reader, writer))))
    };
    (reconnect_with("cutting", open), runs)
}

async fn serve(peer: tokio::io::DuplexStream, cut: Option<usize>, answer: &str, runs: Arc<AtomicUsize>) {
    let (reader, mut writer) = tokio::io::split(peer);
    let mut lines = LineRx::new(reader, 1 << 20);
    while let Ok(Some(Frame::Complete(line))) = lines.recv().await {
        let request: Value = serde_json::from_slice(&line).unwrap();
        let result = match request["method"].as_str().unwrap() {
            "server/discover" => discovered(&[Revision::LATEST.as_str()]),
            "tools/list" => tools(),
            "tools/call" => {
                runs.fetch_add(1, Ordering::Relaxed);
                text(answer)
            }
            _ => continue,
        };
        let is_call = request["method"] == "tools/call";
        let line = json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }).to_string() + "\n";
        let cut = cut.filter(|_| is_call).unwrap_or(line.len());
        writer.write_all(&line.as_bytes()[..cut.min(line.len())]).await.unwrap();
        if cut < line.len() {
            return;
        }
    }
}

#[tokio::test]
async fn rejects_truncated_response_and_does_not_rerun_tool() {
    const ANSWER: &str = "grün € 😀";
    let whole = json!({ "jsonrpc": "2.0", "id": 2, "result": text(ANSWER) }).to_string().len() + 1;
    let (mut taken, mut cuts) = (0, 0);
    for cut in 0..=whole {
        for tool in ["count", "look"] {
            let (connector, runs) = truncating_connector(cut, ANSWER);
            let client = soon(fast_builder().connect(connector)).await.unwrap();
            soon(client.tools()).await.unwrap();
            let outcome = soon(client.call_as::<String>(tool, ())).await;
            let ran = runs.load(Ordering::Relaxed);
            match outcome {
                Ok(text) => {
                    assert_eq!(text, ANSWER, "{cut}");
                    // A response that lacks only its line end is complete.
                    assert_eq!(ran, if tool == "look" && cut + 1 < whole { 2 } else { 1 }, "{tool} {cut}");
                    taken += 1;
                }
                Err(error) => {
                    assert!(error.is_connection_lost() && tool == "count" && ran == 1, "{cut}: {ran} {error}");
                    cuts += 1;
                }
            }
        }
    }
    assert_eq!((cuts, taken), (whole - 1, whole + 3), "of {whole} bytes");
}

#[cfg(unix)]
#[tokio::test]
async fn reconnects_for_next_call_when_socket_is_cut() {
    let folder = TempFolder::new();
    let path = folder.path("socket");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    tokio::spawn(async move {
        for turn in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (near, peer) = tokio::io::duplex(1 << 16);
            tokio::spawn(serve(peer, (turn == 0).then_some(10), "ok", Arc::clone(&counted)));
            let (mut reader, mut writer) = tokio::io::split(near);
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let back = async {
                    let mut bytes = [0; 1024];
                    while let Ok(count @ 1..) = reader.read(&mut bytes).await {
                        to.write_all(&bytes[..count]).await.unwrap();
                    }
                };
                tokio::select! {
                    () = back => {}
                    _ = tokio::io::copy(&mut from, &mut writer) => {}
                }
            });
        }
    });
    let client = soon(fast_builder().connect(ferromcp_client::unix_socket(&path))).await.unwrap();
    let error = soon(client.call("count", ())).await.unwrap_err();
    assert!(error.is_connection_lost(), "{error}");
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    soon(client.call("count", ())).await.unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 2);
}
