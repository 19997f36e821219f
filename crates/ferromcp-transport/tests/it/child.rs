//! A process to look at from outside: this binary run again, echoing frames over its stdio.

use std::{
    io::Read,
    process::{Command, exit},
};

use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound, Transport, stdio};

/// Set for the child, so that running all ignored tests by hand does not serve anything.
const IS_CHILD: &str = "FERROMCP_TRANSPORT_TEST_CHILD";

/// What the test harness prints before the child starts.
pub(crate) const HARNESS: &str = "\nrunning 1 test\n";

/// What the child prints when its pipe is closed.
pub(crate) const AFTER: &str = "after serving\n";

/// The longest line the child takes.
pub(crate) const MAX_LINE: usize = 4 << 20;

/// The child's command line.
pub(crate) fn command() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child::child", "--ignored", "--nocapture", "--test-threads=2"]);
    command.env(IS_CHILD, "1");
    command
}

#[test]
#[ignore = "is the child of other tests"]
#[expect(clippy::print_stdout, reason = "stray prints are what is tested")]
fn child() {
    if std::env::var_os(IS_CHILD).is_none() {
        return;
    }
    print!("buffered "); // no line end: `std` holds it back until the pipe is open
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
    // A second time, with nothing left to read: the first must have put everything back.
    let reopened = runtime.block_on(async { stdio().split().map(drop) });
    eprintln!("reopened: {}", reopened.is_ok());
    exit(0); // before the harness prints more
}

async fn serve(mut rx: impl FrameRx, mut tx: impl FrameTx) {
    let mut out = Outbound::new();
    while let Some(frame) = rx.recv().await.unwrap() {
        out.frame(|line| match frame {
            Frame::Whole(frame) => line.extend_from_slice(&frame),
            Frame::TooLong { limit } => line.extend_from_slice(format!("over {limit}").as_bytes()),
        });
        while !out.is_empty() {
            tx.write(&mut out).await.unwrap();
        }
    }
    tx.finish().await.unwrap();
}
