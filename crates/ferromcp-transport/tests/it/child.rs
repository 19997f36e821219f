//! A child process for tests: this test binary, echoing frames over its stdio.

use std::{
    io::Read,
    process::{Command, exit},
};

use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound, Transport, stdio};

/// Set for the child, so that running all ignored tests manually has no effect.
const IS_CHILD: &str = "FERROMCP_TRANSPORT_TEST_CHILD";

/// The output of the test harness before the child starts.
pub(crate) const HARNESS: &str = "\nrunning 1 test\n";

/// The output of the child after its transport is closed.
pub(crate) const AFTER: &str = "after serving\n";

/// The maximum line length of the child.
pub(crate) const MAX_LINE: usize = 4 << 20;

/// The child's command line.
pub(crate) fn command() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child::child", "--ignored", "--nocapture", "--test-threads=2"]);
    command.env(IS_CHILD, "1");
    command
}

#[test]
#[ignore = "runs as the child process of other tests"]
#[expect(clippy::print_stdout, reason = "tests stray prints")]
fn child() {
    if std::env::var_os(IS_CHILD).is_none() {
        return;
    }
    print!("buffered "); // no line ending: `std` buffers it until the transport is open
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (rx, tx) = stdio().max_line(MAX_LINE).split().unwrap();
        println!("stray print");
        Command::new("echo").arg("stray child").status().unwrap();
        let read = std::io::stdin().read(&mut [0; 9]).unwrap();
        println!("stray read of {read}");
        println!("second pipe: {}", stdio().split().err().unwrap());
        serve(rx, tx).await;
    });
    print!("{AFTER}");
    // Opening it again succeeds only if the first transport has restored the descriptors.
    let reopened = runtime.block_on(async { stdio().split().map(drop) });
    eprintln!("reopened: {}", reopened.is_ok());
    exit(0); // before the harness prints its summary
}

async fn serve(mut rx: impl FrameRx, mut tx: impl FrameTx) {
    let mut out = Outbound::new();
    while let Some(frame) = rx.recv().await.unwrap() {
        out.frame(|line| match frame {
            Frame::Complete(frame) => line.extend_from_slice(&frame),
            Frame::TooLong { limit } => line.extend_from_slice(format!("over {limit}").as_bytes()),
        });
        while !out.is_empty() {
            tx.write(&mut out).await.unwrap();
        }
    }
    tx.finish().await.unwrap();
}
