//! A terminal for example clients: input lines and output.

use std::io::Write;
use std::process::{Command, Stdio};

/// Runs `program` with these input lines and returns its output after it exits successfully.
pub(crate) fn typed(program: &str, args: &[&str], lines: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the example starts");
    let mut input = child.stdin.take().expect("stdin is piped");
    let text = [&lines.join("\n"), "\n"].concat();
    input.write_all(text.as_bytes()).expect("a few lines fit into a pipe");
    drop(input);
    let output = child.wait_with_output().expect("the example ends");
    let shown = String::from_utf8(output.stdout).expect("text");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}\n{shown}", output.status);
    shown
}
