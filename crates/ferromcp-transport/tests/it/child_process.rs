//! Tests of child processes: shutdown, signals, stderr and limits.

use std::{
    io,
    os::unix::process::ExitStatusExt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use ferromcp_transport::{
    Frame, FrameRx, FrameTx, Outbound, Transport,
    child::{Child, ChildHandle, ChildRx, ChildTx, MAX_STDERR_LINE, MAX_STDERR_TAIL, Stderr},
};
use rustix::process::{Pid, Signal, test_kill_process};
use tokio::process::Command;

/// A timeout that exceeds every shutdown in these tests, even on a busy machine.
const LONG: Duration = Duration::from_secs(20);

fn sh(script: &str) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Child::new(command)
        .grace(Duration::from_millis(200))
        .term_grace(Duration::from_millis(200))
        .stderr(Stderr::discard())
}

fn start(child: Child) -> (ChildRx, ChildTx, ChildHandle) {
    let (pipe, handle) = child.spawn().unwrap();
    assert_eq!(pipe.name(), "child");
    let (rx, tx) = pipe.split().unwrap();
    (rx, tx, handle)
}

async fn send(tx: &mut impl FrameTx, frame: &str) -> io::Result<()> {
    let mut out = Outbound::new();
    out.frame(|line| line.extend_from_slice(frame.as_bytes()));
    while !out.is_empty() {
        tx.write(&mut out).await?;
    }
    Ok(())
}

/// The next frame as text.
async fn next(rx: &mut impl FrameRx) -> Option<String> {
    match tokio::time::timeout(LONG, rx.recv()).await.expect("a frame or the end").unwrap()? {
        Frame::Complete(frame) => Some(String::from_utf8(frame.to_vec()).unwrap()),
        Frame::TooLong { limit } => panic!("frame exceeds {limit} bytes"),
    }
}

fn is_alive(id: &str) -> bool {
    let pid = Pid::from_raw(id.parse().unwrap()).unwrap();
    // A killed orphan remains a zombie until the init process reaps it.
    let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    test_kill_process(pid).is_ok() && !status.contains(") Z ")
}

async fn wait_for_end_of(id: &str) {
    let begin = Instant::now();
    while is_alive(id) {
        assert!(begin.elapsed() < LONG, "process {id} is still running");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

// M26-133, S-088
#[tokio::test]
async fn is_not_signalled_when_child_exits_at_end_of_stdin() {
    let (mut rx, mut tx, handle) = start(sh("trap 'exit 9' TERM; cat; exit 3").grace(LONG));
    send(&mut tx, r#"{"id":1}"#).await.unwrap();
    assert_eq!(next(&mut rx).await.as_deref(), Some(r#"{"id":1}"#));
    assert!(handle.id().is_some());
    let exit = handle.shutdown().await;
    assert_eq!(exit.status().unwrap().code(), Some(3));
    assert_eq!(handle.id(), None);
    assert_eq!(next(&mut rx).await, None);
    assert_eq!(send(&mut tx, "{}").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

// M26-133
#[tokio::test]
async fn closes_stdin_when_sending_half_is_finished() {
    let (mut rx, mut tx, handle) = start(sh("cat; echo '\"bye\"'"));
    tx.finish().await.unwrap();
    assert_eq!(next(&mut rx).await.as_deref(), Some("\"bye\""));
    assert_eq!(next(&mut rx).await, None);
    assert!(handle.exited().await.status().unwrap().success());
}

// M26-133, S-088
#[tokio::test]
async fn sends_sigterm_when_child_ignores_end_of_stdin() {
    let (mut rx, _tx, handle) =
        start(sh("trap 'echo '\"'term'\"'; exit 4' TERM; echo up; while :; do sleep 0.05; done"));
    assert_eq!(next(&mut rx).await.as_deref(), Some("up"));
    assert_eq!(handle.shutdown().await.status().unwrap().code(), Some(4));
    assert_eq!(next(&mut rx).await.as_deref(), Some("term"), "the remaining output can be read");
    assert_eq!(next(&mut rx).await, None);
}

// M26-133, S-088
#[tokio::test]
async fn kills_child_when_it_ignores_sigterm() {
    let (mut rx, _tx, handle) = start(sh("trap '' TERM; echo up; while :; do sleep 0.05; done"));
    assert_eq!(next(&mut rx).await.as_deref(), Some("up"));
    let begin = Instant::now();
    let exit = handle.shutdown().await;
    assert_eq!(exit.status().unwrap().signal(), Some(Signal::KILL.as_raw()));
    assert!(begin.elapsed() >= Duration::from_millis(400), "both grace periods elapsed");
}

// M26-133
#[tokio::test]
async fn kills_grandchild_when_shutting_down() {
    // The shell exits on `TERM`; the grandchild in the same group does not.
    let (mut rx, _tx, handle) = start(sh("sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.05; done' & wait"));
    let grandchild = next(&mut rx).await.unwrap();
    assert!(is_alive(&grandchild));
    handle.shutdown().await;
    wait_for_end_of(&grandchild).await;
    assert_eq!(next(&mut rx).await, None);
}

#[tokio::test]
async fn terminates_remaining_group_when_child_exits() {
    let (mut rx, _tx, handle) = start(sh("sh -c 'echo $$; sleep 1000' & sleep 0.1; exit 5"));
    let grandchild = next(&mut rx).await.unwrap();
    assert_eq!(handle.exited().await.status().unwrap().code(), Some(5));
    assert_eq!(next(&mut rx).await, None);
    wait_for_end_of(&grandchild).await;
}

#[tokio::test]
async fn ends_input_when_process_outside_group_keeps_stdout_open() {
    let (mut rx, _tx, handle) = start(sh("setsid sleep 5 & sleep 0.1; echo '{}'"));
    handle.exited().await;
    let begin = Instant::now();
    assert_eq!(next(&mut rx).await.as_deref(), Some("{}"));
    assert_eq!(next(&mut rx).await, None);
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
}

// M26-136
#[tokio::test]
async fn reports_stderr_when_child_exits_immediately() {
    let (mut rx, mut tx, handle) = start(sh("echo 'no config' >&2; exit 7").stderr(Stderr::lines(|_| {})));
    assert_eq!(next(&mut rx).await, None);
    let exit = handle.exited().await;
    assert_eq!(exit.stderr(), "no config\n");
    assert_eq!(exit.to_string(), "the process exited (exit status: 7); last stderr output: no config");
    assert!(send(&mut tx, "{}").await.is_err());
    assert_eq!(handle.shutdown().await, exit, "shutting down an exited process has no effect");
}

#[tokio::test]
async fn error_omits_arguments_when_program_is_not_found() {
    let mut command = std::process::Command::new("no-such-server");
    command.arg("--token=secret").env("KEY", "secret");
    let child = Child::from(command);
    assert_eq!(format!("{child:?}"), "Child { program: \"no-such-server\", .. }");
    let error = child.split().err().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    let text = error.to_string();
    assert!(text.contains("cannot start `no-such-server`") && text.contains("PATH"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

// M26-127, M26-128, S-109, S-110
#[tokio::test]
async fn stderr_is_bounded_and_does_not_block_when_output_is_large() {
    const LINES: usize = 200_000;
    let script = format!(
        "yes 'a line of stderr that is not short' | head -n {LINES} >&2; head -c 50000 /dev/zero >&2; printf 'löve' >&2; read x; echo \"$x\""
    );
    let (lines, longest) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, measure) = (Arc::clone(&lines), Arc::clone(&longest));
    let stderr = Stderr::lines(move |line| {
        count.fetch_add(1, Ordering::Relaxed);
        measure.fetch_max(line.len(), Ordering::Relaxed);
    });
    let (mut rx, mut tx, handle) = start(sh(&script).stderr(stderr));
    send(&mut tx, "{}").await.unwrap();
    assert_eq!(next(&mut rx).await.as_deref(), Some("{}"));
    let exit = handle.exited().await;
    assert!(exit.status().unwrap().success());
    assert!(exit.stderr().len() <= MAX_STDERR_TAIL && exit.stderr().ends_with("löve"), "{:?}", exit.stderr());
    assert_eq!(lines.load(Ordering::Relaxed), LINES + 1);
    assert_eq!(longest.load(Ordering::Relaxed), MAX_STDERR_LINE + '…'.len_utf8());
}

#[tokio::test]
async fn memory_is_bounded_when_line_is_huge() {
    let script = "head -c 1073741824 /dev/zero; echo; echo '{}'; head -c 3000000 /dev/zero";
    let (mut rx, _tx, _handle) = start(sh(script).max_line(1 << 20));
    let too_long = Some(Frame::TooLong { limit: 1 << 20 });
    assert_eq!(rx.recv().await.unwrap(), too_long);
    assert_eq!(next(&mut rx).await.as_deref(), Some("{}"));
    assert_eq!(rx.recv().await.unwrap(), too_long, "a line without line ending");
    assert_eq!(rx.recv().await.unwrap(), None);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
    assert!(peak.unwrap_or(0_u64) < 512 << 10, "peak memory was {peak:?} KiB");
}

#[tokio::test]
async fn preserves_incomplete_utf8_at_end_of_input() {
    let (mut rx, _tx, _handle) = start(sh("printf '{}\\n\"\\342\\202'"));
    assert_eq!(next(&mut rx).await.as_deref(), Some("{}"));
    assert_eq!(rx.recv().await.unwrap(), Some(Frame::Complete("\"\u{20AC}".as_bytes()[..3].to_vec().into())));
    assert_eq!(rx.recv().await.unwrap(), None);
}

#[tokio::test]
async fn pending_write_fails_when_child_is_shut_down() {
    let (_rx, mut tx, handle) = start(sh("trap '' TERM; while :; do sleep 0.05; done"));
    let writing = tokio::spawn(async move { send(&mut tx, &"x".repeat(1 << 20)).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!writing.is_finished());
    let ending = tokio::spawn(async move { handle.shutdown().await });
    let error = tokio::time::timeout(LONG, writing).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    ending.await.unwrap();
}

// M26-133
#[tokio::test]
async fn shuts_down_child_when_transport_is_dropped() {
    let (mut rx, tx, handle) = start(sh("trap '' TERM; echo $$; while :; do sleep 0.05; done"));
    let id = next(&mut rx).await.unwrap();
    assert_eq!(handle.id().unwrap().to_string(), id);
    drop(tx);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(is_alive(&id), "the child runs while the receiving half exists");
    drop(rx);
    wait_for_end_of(&id).await;
    assert_eq!(handle.exited().await.status().unwrap().signal(), Some(Signal::KILL.as_raw()));
}

#[test]
fn kills_group_when_runtime_is_dropped() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let script = "sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.05; done' & trap '' TERM; wait";
    let (grandchild, halves) = runtime.block_on(async {
        let (mut rx, tx, handle) = start(sh(script).grace(LONG));
        (next(&mut rx).await.unwrap(), (rx, tx, handle))
    });
    drop(runtime);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        wait_for_end_of(&grandchild).await;
        assert_eq!(halves.2.shutdown().await.status(), None);
        assert_eq!(halves.2.id(), None);
    });
}

#[test]
fn returns_error_when_no_runtime_exists() {
    let error = sh("true").spawn().err().unwrap();
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}
