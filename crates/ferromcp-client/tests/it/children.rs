//! Servers as child processes.

use std::time::Duration;

use ferromcp_client::{ClientLimits, ErrorKind};
use ferromcp_core::Era;
use tokio::process::Command;

use crate::script::{builder, soon};

/// A legacy server of a few lines of shell, which ends on anything before `initialize`, and after one `ping`.
const SCRIPT: &str = r#"
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

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script);
    command
}

#[tokio::test]
async fn a_child_that_ends_on_the_probe_and_after_each_call_is_started_again() {
    // M26-136
    let mut limits = ClientLimits::default();
    limits.restart_backoff = Duration::from_millis(1);
    let client = soon(builder().limits(limits).connect(shell(SCRIPT))).await.unwrap();
    assert_eq!(client.verdict().era(), Era::Legacy);
    for _ in 0..3 {
        soon(client.ping()).await.unwrap();
    }
    soon(client.close()).await;
}

#[tokio::test]
async fn a_child_that_does_not_speak_is_an_error_that_says_how_it_ended() {
    let error = soon(builder().connect(shell("exit 7"))).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Connect | ErrorKind::Lost), "{error}");
}

#[tokio::test]
async fn a_child_that_does_not_end_is_ended() {
    let mut limits = ClientLimits::default();
    limits.shutdown_grace = Duration::from_millis(100);
    let stubborn = SCRIPT.replace("while read", "trap '' TERM; while read") + "exec sleep 1000";
    let client = soon(builder().limits(limits).only_era(Era::Legacy).connect(shell(&stubborn))).await.unwrap();
    soon(client.close()).await;
}
