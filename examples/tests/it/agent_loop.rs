//! Several servers as one, one of which does not start.

use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn calls_are_typed_and_a_server_that_is_not_there_spoils_nothing() {
    let quickstart = format!("demo={}", env!("CARGO_BIN_EXE_quickstart"));
    let orders = format!("shop={}", env!("CARGO_BIN_EXE_orders"));
    let mut agent = Command::new(env!("CARGO_BIN_EXE_agent_loop"))
        .args([quickstart.as_str(), orders.as_str(), "gone=/no/such/server"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = agent.stdin.take().expect("stdin is piped");
    lines.write_all(b"demo_add {\"a\": 2, \"b\": 3}\ndemo_add {\"a\": true}\nnobody_knows\n").expect("it reads");
    drop(lines);
    let output = agent.wait_with_output().expect("it ends");
    let shown = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{shown}");
    for part in ["gone is not there: ", "demo_add: Add two numbers", "shop_", "> 5\n", "> failed: ", "nobody_knows"] {
        assert!(shown.contains(part), "{part} is missing in:\n{shown}");
    }
}
