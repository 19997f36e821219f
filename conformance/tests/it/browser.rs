//! Web pages of other origins in a browser: pages of allowed origins can use the server, other pages cannot.
//!
//! The browser is Chromium, at `/usr/bin/chromium` or at the path in `FERROMCP_CHROMIUM`.

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

use crate::server_process::{HTTP, ServerProcess, report_skipped};

/// The timeout from the start of the browser to the results of the page; long, because the machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The timeout for the browser to exit after the page has sent its results.
const EXIT_TIMEOUT: Duration = Duration::from_secs(10);

/// A page that sends requests to the server at `URL` and posts the results to the page server. The image delays the load
/// event until then.
const PAGE: &str = r#"<!doctype html><title>A page</title><img src="/picture"><script>
const message = (method, params, id) => JSON.stringify({ jsonrpc: "2.0", method, params, id });
async function post(body, more) {
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream", ...more };
  return await fetch("URL", { method: "POST", headers, body });
}
async function use_session() {
  const clientInfo = { name: "page", version: "0" };
  const hello = await post(message("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo }, 1));
  const session = hello.headers.get("mcp-session-id");
  const { protocolVersion } = (await hello.json()).result;
  const more = { "mcp-session-id": session, "mcp-protocol-version": protocolVersion };
  const ready = await post(message("notifications/initialized"), more);
  const answer = await post(message("tools/call", { name: "add", arguments: { a: 2, b: 3 } }, 2), more);
  const { structuredContent } = (await answer.json()).result;
  const asked = { name: "long_task", _meta: { progressToken: 1 } };
  const stream = await (await post(message("tools/call", asked, 3), more)).text();
  const steps = stream.match(/step \d of 3/g);
  const goodbye = await fetch("URL", { method: "DELETE", headers: more });
  const all = { ready: ready.status, structuredContent, steps, goodbye: goodbye.status };
  return { session: session?.length > 0, protocolVersion, ...all };
}
async function use_stateless() {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const more = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "add" };
  const asked = { name: "add", arguments: { a: 2, b: 3 }, _meta };
  return (await (await post(message("tools/call", asked, 4), more)).json()).result.structuredContent;
}
/** A request without a CORS preflight, like a form submission. */
async function post_no_cors() {
  return { type: (await fetch("URL", { method: "POST", mode: "no-cors", body: message("tools/list", {}, 5) })).type };
}
const result = (promise) => promise.catch((error) => ({ error: error.name }));
(async () => {
  const results = {
    origin: location.origin,
    with_session: await result(use_session()),
    without_session: await result(use_stateless()),
    no_cors: await result(post_no_cors()),
  };
  await fetch("/results", { method: "POST", body: JSON.stringify(results) });
})();
</script>"#;

/// Serves the page and receives its results.
struct PageServer {
    port: u16,
    results: Receiver<Value>,
}

/// Whether the page has sent its results.
type Done = Arc<(Mutex<bool>, Condvar)>;

impl PageServer {
    fn start() -> io::Result<(Self, Sender<String>)> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let (sender, results) = mpsc::channel();
        let (set_page, page) = mpsc::channel::<String>();
        let done = Done::default();
        // Runs until the test process exits.
        thread::spawn(move || {
            let page: Arc<str> = page.recv().unwrap_or_default().into();
            for stream in listener.incoming().flatten() {
                let (page, sender, done) = (Arc::clone(&page), sender.clone(), Arc::clone(&done));
                thread::spawn(move || answer(stream, &page, &sender, &done));
            }
        });
        Ok((Self { port, results }, set_page))
    }
}

/// Responds to one request and closes the connection.
fn answer(stream: TcpStream, page: &str, sender: &Sender<Value>, done: &Done) -> io::Result<()> {
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
    let (lock, loaded) = &**done;
    let content = match first.split(' ').nth(1) {
        Some("/") => page,
        Some("/results") => {
            let _ = sender.send(serde_json::from_slice(&body).unwrap_or(Value::Null));
            *lock.lock().unwrap() = true;
            loaded.notify_all();
            ""
        }
        Some("/picture") => {
            drop(loaded.wait_timeout_while(lock.lock().unwrap(), TIMEOUT, |done| !*done).unwrap());
            ""
        }
        _ => "",
    };
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length";
    write!(reader.get_mut(), "{head}: {}\r\n\r\n{content}", content.len())
}

/// A browser with a separate profile that opens one page; killed when dropped.
pub(crate) struct Browser {
    child: Child,
    profile: PathBuf,
}

impl Browser {
    /// Returns the path of the browser; reports a skipped test and returns `None` when it is missing.
    pub(crate) fn find(test: &str) -> Option<PathBuf> {
        let named = std::env::var_os("FERROMCP_CHROMIUM").map(PathBuf::from);
        let program = named.unwrap_or_else(|| PathBuf::from("/usr/bin/chromium"));
        if program.exists() {
            return Some(program);
        }
        report_skipped(&format!(
            "{test}: cannot find {}; install Chromium (Debian: apt-get install chromium) or set FERROMCP_CHROMIUM",
            program.display()
        ));
        None
    }

    /// Opens `url`; hosts below `.test` resolve to this machine.
    fn open(program: &Path, url: &str, profile: PathBuf) -> Self {
        fs::create_dir_all(&profile).unwrap();
        let mut command = Command::new(program);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.arg("--host-resolver-rules=MAP *.test 127.0.0.1").arg("--disable-dev-shm-usage");
        command.arg(format!("--user-data-dir={}", profile.display())).args(["--dump-dom", url]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        Self { child, profile }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser exits when the page is loaded; until then its processes use the profile.
        let started = Instant::now();
        while self.child.try_wait().is_ok_and(|end| end.is_none()) && started.elapsed() < EXIT_TIMEOUT {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}

/// Runs the page at `host` with a server that allows the origin `allowed`, and returns the results of the page.
fn run_page(test: &str, host: &str, allowed: &str) -> Option<Value> {
    let program = Browser::find(test)?;
    let (page_server, set_page) = PageServer::start().unwrap();
    let server = ServerProcess::start(HTTP, &[&format!("http://{allowed}:{}", page_server.port)]);
    set_page.send(PAGE.replace("URL", &server.url())).unwrap();
    let profile = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chromium-{}-{host}", std::process::id()));
    let _browser = Browser::open(&program, &format!("http://{host}:{}/", page_server.port), profile);
    let results = page_server.results.recv_timeout(TIMEOUT).expect("the page sends its results");
    assert_eq!(results["origin"], format!("http://{host}:{}", page_server.port));
    server.signal("TERM");
    server.wait().assert_clean_exit();
    Some(results)
}

#[test]
fn page_uses_server_when_origin_allowed() {
    // M26-144, S-126
    let Some(results) = run_page("page_uses_server_when_origin_allowed", "app.test", "app.test") else { return };
    let expected = json!({
        "session": true,
        "protocolVersion": "2025-11-25",
        "ready": 202,
        "structuredContent": { "result": 5 },
        "steps": ["step 1 of 3", "step 2 of 3", "step 3 of 3"],
        "goodbye": 204,
    });
    assert_eq!(results["with_session"], expected);
    assert_eq!(results["without_session"], json!({ "result": 5 }));
}

#[test]
fn page_is_rejected_when_origin_not_allowed() {
    // M26-144, M26-145, S-126, S-127
    let Some(results) = run_page("page_is_rejected_when_origin_not_allowed", "foreign.test", "app.test") else {
        return;
    };
    let rejected = json!({ "error": "TypeError" });
    assert_eq!((&results["with_session"], &results["without_session"]), (&rejected, &rejected));
    // The browser sends the request without a preflight and hides the response; tests of the server check the rejection.
    assert_eq!(results["no_cors"], json!({ "type": "opaque" }));
}
