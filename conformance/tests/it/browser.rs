//! Web pages of other origins in a real browser: one that was allowed may use the server, one that was not may not.
//!
//! The browser is Chromium, at `/usr/bin/chromium` or where `FERROMCP_CHROMIUM` says.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::peer::{HTTP, Peer, skipped};

/// The longest that a browser may take from its start to what the page has to say. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take to end when the page has said everything.
const FAREWELL: Duration = Duration::from_secs(10);

/// A page that talks to the server at `URL`, and sends what came of it home. It is loaded only then: its picture waits.
const PAGE: &str = r#"<!doctype html><title>A page</title><img src="/picture"><script>
const said = (method, params, id) => JSON.stringify({ jsonrpc: "2.0", method, params, id });
async function post(body, more) {
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream", ...more };
  return await fetch("URL", { method: "POST", headers, body });
}
async function talk() {
  const clientInfo = { name: "page", version: "0" };
  const hello = await post(said("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo }, 1));
  const session = hello.headers.get("mcp-session-id");
  const { protocolVersion } = (await hello.json()).result;
  const more = { "mcp-session-id": session, "mcp-protocol-version": protocolVersion };
  const ready = await post(said("notifications/initialized"), more);
  const answer = await post(said("tools/call", { name: "add", arguments: { a: 2, b: 3 } }, 2), more);
  const { structuredContent } = (await answer.json()).result;
  const asked = { name: "long_task", _meta: { progressToken: 1 } };
  const stream = await (await post(said("tools/call", asked, 3), more)).text();
  const steps = stream.match(/step \d of 3/g);
  const goodbye = await fetch("URL", { method: "DELETE", headers: more });
  const all = { ready: ready.status, structuredContent, steps, goodbye: goodbye.status };
  return { session: session?.length > 0, protocolVersion, ...all };
}
async function talk_without_session() {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const more = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "add" };
  const asked = { name: "add", arguments: { a: 2, b: 3 }, _meta };
  return (await (await post(said("tools/call", asked, 4), more)).json()).result.structuredContent;
}
/** What a page may do without being asked whether it may: a plain form's request. */
async function post_blindly() {
  return { type: (await fetch("URL", { method: "POST", mode: "no-cors", body: said("tools/list", {}, 5) })).type };
}
const result = (promise) => promise.catch((error) => ({ error: error.name }));
(async () => {
  const told = {
    origin: location.origin,
    talk: await result(talk()),
    without_session: await result(talk_without_session()),
    blind: await result(post_blindly()),
  };
  await fetch("/told", { method: "POST", body: JSON.stringify(told) });
})();
</script>"#;

/// Serves the page, and hears what it sends home.
struct Home {
    port: u16,
    told: Receiver<Value>,
}

/// Whether the page has said what it has to say.
type Done = Arc<(Mutex<bool>, Condvar)>;

impl Home {
    fn start() -> io::Result<(Self, Sender<String>)> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let (tell, told) = mpsc::channel();
        let (set_page, page) = mpsc::channel::<String>();
        let done = Done::default();
        // Ends with the test's process.
        thread::spawn(move || {
            let page: Arc<str> = page.recv().unwrap_or_default().into();
            for stream in listener.incoming().flatten() {
                let (page, tell, done) = (Arc::clone(&page), tell.clone(), Arc::clone(&done));
                thread::spawn(move || answer(stream, &page, &tell, &done));
            }
        });
        Ok((Self { port, told }, set_page))
    }
}

/// Answers one request, and closes.
fn answer(stream: TcpStream, page: &str, tell: &Sender<Value>, done: &Done) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (lock, bell) = &**done;
    let content = match first.split(' ').nth(1) {
        Some("/") => page,
        Some("/told") => {
            let _ = tell.send(serde_json::from_slice(&body).unwrap_or(Value::Null));
            *lock.lock().unwrap() = true;
            bell.notify_all();
            ""
        }
        Some("/picture") => {
            drop(bell.wait_timeout_while(lock.lock().unwrap(), PATIENCE, |done| !*done).unwrap());
            ""
        }
        _ => "",
    };
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length";
    write!(reader.get_mut(), "{head}: {}\r\n\r\n{content}", content.len())
}

/// A browser that shows one page, with a profile of its own; ends when dropped.
struct Browser {
    child: Child,
    profile: PathBuf,
}

impl Browser {
    /// Where it is; `None` after saying that `test` did not run.
    fn find(test: &str) -> Option<PathBuf> {
        let named = std::env::var_os("FERROMCP_CHROMIUM").map(PathBuf::from);
        let program = named.unwrap_or_else(|| PathBuf::from("/usr/bin/chromium"));
        if program.exists() {
            return Some(program);
        }
        skipped(&format!(
            "{test}: there is no {}; install Chromium (Debian: apt-get install chromium) or set FERROMCP_CHROMIUM",
            program.display()
        ));
        None
    }

    /// Opens `url`, whose host is taken to be this machine.
    fn open(program: &Path, url: &str, profile: PathBuf) -> Self {
        fs::create_dir_all(&profile).unwrap();
        let mut command = Command::new(program);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.arg("--host-resolver-rules=MAP *.test 127.0.0.1").arg("--disable-dev-shm-usage");
        command.arg(format!("--user-data-dir={}", profile.display())).args(["--dump-dom", url]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        Self { child, profile }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends by itself when the page is loaded, and only then all its processes are done with the profile.
        let started = Instant::now();
        while self.child.try_wait().is_ok_and(|end| end.is_none()) && started.elapsed() < FAREWELL {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}

/// What a page at `host` has to say of a server that lets pages at `allowed` in.
fn page_at(test: &str, host: &str, allowed: &str) -> Option<Value> {
    let program = Browser::find(test)?;
    let (home, set_page) = Home::start().unwrap();
    let server = Peer::start(HTTP, &[&format!("http://{allowed}:{}", home.port)]);
    set_page.send(PAGE.replace("URL", &server.url())).unwrap();
    let profile = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chromium-{}-{host}", std::process::id()));
    let _browser = Browser::open(&program, &format!("http://{host}:{}/", home.port), profile);
    let told = home.told.recv_timeout(PATIENCE).expect("the page said nothing");
    assert_eq!(told["origin"], format!("http://{host}:{}", home.port));
    server.signal("TERM");
    server.end().is_clean();
    Some(told)
}

#[test]
fn a_page_that_was_let_in_uses_the_server() {
    // M26-144, S-126
    let Some(told) = page_at("a_page_that_was_let_in_uses_the_server", "app.test", "app.test") else { return };
    let talk = json!({
        "session": true,
        "protocolVersion": "2025-11-25",
        "ready": 202,
        "structuredContent": { "result": 5 },
        "steps": ["step 1 of 3", "step 2 of 3", "step 3 of 3"],
        "goodbye": 204,
    });
    assert_eq!(told["talk"], talk);
    assert_eq!(told["without_session"], json!({ "result": 5 }));
}

#[test]
fn a_page_that_was_not_let_in_does_not() {
    // M26-144, M26-145, S-126, S-127
    let Some(told) = page_at("a_page_that_was_not_let_in_does_not", "foreign.test", "app.test") else { return };
    let kept_away = json!({ "error": "TypeError" });
    assert_eq!((&told["talk"], &told["without_session"]), (&kept_away, &kept_away));
    // Sent without asking, and its answer never shown; that the server refuses it is told by its own tests.
    assert_eq!(told["blind"], json!({ "type": "opaque" }));
}
