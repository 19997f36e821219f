//! Servers as child processes.

use std::time::Duration;

use ferromcp_client::config::Config;
use ferromcp_client::{ClientError, ClientLimits, ErrorKind, child};
use ferromcp_core::Era;
use ferromcp_transport::child::{Child, Stderr};
use tokio::process::Command;

use crate::script::{builder, soon};
use crate::temp_folder::TempFolder;

/// A legacy server as a shell script, which exits on any message before `initialize`, and after one `ping`.
pub(crate) const SCRIPT: &str = r#"
while read -r line; do
  id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
  case "$line" in
    *'"initialize"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"sh","version":"0"}}}\n' "$id";;
    *'"ping"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{}}\n' "$id"; exit 0;;
    *'"notifications/'*) ;;
    *) exit 3;;
  esac
done
"#;

pub(crate) fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script);
    command
}

#[tokio::test]
async fn restarts_child_when_it_exits_on_probe_or_after_call() {
    // M26-136
    let client = soon(builder().connect(shell(SCRIPT))).await.unwrap();
    assert_eq!(client.negotiated().era(), Era::Legacy);
    for _ in 0..3 {
        soon(client.ping()).await.unwrap();
    }
    soon(client.close()).await;
}

#[tokio::test]
async fn reports_exit_status_and_stderr_when_child_exits() {
    let error = soon(builder().connect(shell("exit 7"))).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Connect | ErrorKind::ConnectionLost), "{error}");
    assert!(error.to_string().contains("exit status: 7"), "{error}");
    let error = soon(builder().connect(shell("echo no database >&2; sleep 0.1; exit 7"))).await.unwrap_err();
    assert!(error.to_string().contains("last stderr output: no database"), "{error}");
}

#[tokio::test]
async fn terminates_child_when_it_does_not_exit_on_close() {
    let limits = ClientLimits::new().shutdown_grace(Duration::from_millis(200));
    let folder = TempFolder::new();
    // M26-133, S-088: close stdin, then SIGTERM, then SIGKILL.
    let stubborn = format!(
        "echo $$ > pid; trap 'echo asked >> log' TERM; {SCRIPT} echo closed >> log; while :; do sleep 0.01; done"
    );
    let client = soon(builder().limits(limits).only_era(Era::Legacy).connect(folder.shell(&stubborn))).await.unwrap();
    soon(client.close()).await;
    assert_eq!(folder.read("log"), "closed\nasked\n");
    assert!(!is_running(&folder.read("pid")));
}

#[tokio::test]
async fn does_not_signal_child_when_it_exits_on_close() {
    // M26-133, M26-134
    let folder = TempFolder::new();
    let tidy = format!("trap 'echo asked >> log' TERM; {SCRIPT} sleep 0.2; echo closed >> log");
    let client = soon(builder().only_era(Era::Legacy).connect(folder.shell(&tidy))).await.unwrap();
    soon(client.close()).await;
    assert_eq!(folder.read("log"), "closed\n");
}

#[tokio::test]
async fn terminates_process_group_of_child() {
    let limits = ClientLimits::new().shutdown_grace(Duration::from_millis(200));
    for dropped in [false, true] {
        let folder = TempFolder::new();
        let parent = format!("sleep 1000 & echo $! > pid; {SCRIPT}");
        let client = soon(builder().limits(limits).only_era(Era::Legacy).connect(folder.shell(&parent))).await.unwrap();
        assert!(is_running(&folder.read("pid")));
        if dropped {
            drop(client);
        } else {
            soon(client.close()).await;
            assert!(!is_running(&folder.read("pid")));
        }
        let gone = async {
            while is_running(&folder.read("pid")) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        soon(gone).await;
    }
}

#[tokio::test]
async fn restarts_child_with_same_command() {
    let folder = TempFolder::new();
    // The server exits after each `ping`.
    let mut command = folder.shell(&format!("echo \"$WHO $1 $HOME\" >> log; {SCRIPT}"));
    command.arg("sh").arg("there").env_clear().env("WHO", "me").env("PATH", std::env::var_os("PATH").unwrap());
    let client = soon(builder().only_era(Era::Legacy).connect(command)).await.unwrap();
    for _ in 0..3 {
        soon(client.ping()).await.unwrap();
    }
    soon(client.close()).await;
    assert_eq!(folder.read("log"), "me there \n".repeat(3));
}

#[tokio::test]
async fn call_error_contains_last_stderr_of_child() {
    let script = SCRIPT.replace("exit 3", "echo 'out of cheese' >&2; exit 3");
    let output = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let into = std::sync::Arc::clone(&output);
    let server = Child::new(shell(&script)).stderr(Stderr::lines(move |line| into.lock().unwrap().push_str(line)));
    let client = soon(builder().only_era(Era::Legacy).connect(child(server))).await.unwrap();
    let error = soon(client.request::<serde_json::Value>("own/method", ())).await.unwrap_err();
    assert!(error.is_connection_lost() && error.to_string().contains("out of cheese"), "{error}");
    assert_eq!(*output.lock().unwrap(), "out of cheese");
}

/// Returns whether a process with this id is running.
fn is_running(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    !matches!(stat.rsplit_once(')').map_or("Z", |(_, rest)| rest.trim_start()).chars().next(), None | Some('Z' | 'X'))
}

/// A server that writes the variable `CARGO_MANIFEST_DIR` to stderr, which Cargo sets for tests.
const SHOW_ENV: &str =
    "echo \"dir=${CARGO_MANIFEST_DIR-unset} given=${GIVEN-unset} path=${PATH:+set}\" >&2; sleep 0.1; exit 7";

#[tokio::test]
async fn child_inherits_only_default_variables() {
    // C16
    let manifest_dir = std::env::var("CARGO_MANIFEST_DIR").expect("the tests run under Cargo");
    let error = |error: ClientError| error.to_string();
    let mut command = shell(SHOW_ENV);
    command.env("GIVEN", "yes");
    let text = error(soon(builder().connect(command)).await.unwrap_err());
    assert!(text.contains("dir=unset given=yes path=set"), "{text}");
    let described = || Child::new(shell(SHOW_ENV)).stderr(Stderr::lines(|_| {}));
    let text = error(soon(builder().connect(child(described()))).await.unwrap_err());
    assert!(text.contains("dir=unset given=unset path=set"), "{text}");
    let text = error(soon(builder().connect(child(described().inherit_env()))).await.unwrap_err());
    assert!(text.contains(&format!("dir={manifest_dir} given=unset path=set")), "{text}");
    // In an entry, `${..}` would be expanded.
    let folder = TempFolder::new();
    folder.write("show.sh", SHOW_ENV);
    let script = folder.path("show.sh");
    let inherited = format!("dir={manifest_dir} given=yes");
    for (inherit, expected) in [("", "dir=unset given=yes path=set"), (r#","inheritEnv":true"#, &*inherited)] {
        let config = format!(
            r#"{{"mcpServers":{{"s":{{"command":"sh","args":[{script:?}],"env":{{"GIVEN":"yes"}}{inherit}}}}}}}"#
        );
        let server = Config::parse(&config).unwrap().server("s").unwrap();
        let text = error(soon(builder().connect(server)).await.unwrap_err());
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn removed_variable_is_not_inherited() {
    // C16
    let mut command = shell("echo \"home=${HOME-unset}\" >&2; sleep 0.1; exit 7");
    command.env_remove("HOME");
    let error = soon(builder().connect(command)).await.unwrap_err();
    assert!(error.to_string().contains("home=unset"), "{error}");
}
