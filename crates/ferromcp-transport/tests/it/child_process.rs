//! Child processes that behave, and those that do not.

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
    child::{Child, ChildHandle, ChildRx, ChildTx, MAX_STDERR_LINE, STDERR_TAIL, Stderr},
};
use rustix::process::{Pid, Signal, test_kill_process};
use tokio::process::Command;

/// Longer than any shutdown here takes, even on a busy machine.
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
        Frame::Whole(frame) => Some(String::from_utf8(frame.to_vec()).unwrap()),
        Frame::TooLong { limit } => panic!("over {limit}"),
    }
}

fn is_alive(id: &str) -> bool {
    let pid = Pid::from_raw(id.parse().unwrap()).unwrap();
    // A killed orphan stays a zombie until whoever is process 1 here looks after it.
    let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    test_kill_process(pid).is_ok() && !status.contains(") Z ")
}

async fn wait_for_end_of(id: &str) {
    let begin = Instant::now();
    while is_alive(id) {
        assert!(begin.elapsed() < LONG, "process {id} is still there");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

// M26-133, S-088
#[tokio::test]
async fn a_child_that_ends_with_its_stdin_is_not_signalled() {
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
async fn finishing_the_writing_half_closes_stdin() {
    let (mut rx, mut tx, handle) = start(sh("cat; echo '\"bye\"'"));
    tx.finish().await.unwrap();
    assert_eq!(next(&mut rx).await.as_deref(), Some("\"bye\""));
    assert_eq!(next(&mut rx).await, None);
    assert!(handle.exited().await.status().unwrap().success());
}

// M26-133, S-088
#[tokio::test]
async fn a_child_that_ignores_the_end_of_its_stdin_is_asked_by_a_signal() {
    let (mut rx, _tx, handle) =
        start(sh("trap 'echo '\"'term'\"'; exit 4' TERM; echo up; while :; do sleep 0.05; done"));
    assert_eq!(next(&mut rx).await.as_deref(), Some("up"));
    assert_eq!(handle.shutdown().await.status().unwrap().code(), Some(4));
    assert_eq!(next(&mut rx).await.as_deref(), Some("term"), "what it said last can still be read");
    assert_eq!(next(&mut rx).await, None);
}

// M26-133, S-088
#[tokio::test]
async fn a_child_that_ignores_signals_is_killed() {
    let (mut rx, _tx, handle) = start(sh("trap '' TERM; echo up; while :; do sleep 0.05; done"));
    assert_eq!(next(&mut rx).await.as_deref(), Some("up"));
    let begin = Instant::now();
    let exit = handle.shutdown().await;
    assert_eq!(exit.status().unwrap().signal(), Some(Signal::KILL.as_raw()));
    assert!(begin.elapsed() >= Duration::from_millis(400), "both graces were given");
}

// M26-133
#[tokio::test]
async fn a_grandchild_is_ended_too() {
    // The shell dies by `TERM`; the grandchild, in the same group, does not.
    let (mut rx, _tx, handle) = start(sh("sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.05; done' & wait"));
    let grandchild = next(&mut rx).await.unwrap();
    assert!(is_alive(&grandchild));
    handle.shutdown().await;
    wait_for_end_of(&grandchild).await;
    assert_eq!(next(&mut rx).await, None);
}

#[tokio::test]
async fn what_a_dead_child_leaves_behind_is_ended_and_with_it_the_pipe() {
    let (mut rx, _tx, handle) = start(sh("sh -c 'echo $$; sleep 1000' & sleep 0.1; exit 5"));
    let grandchild = next(&mut rx).await.unwrap();
    assert_eq!(handle.exited().await.status().unwrap().code(), Some(5));
    assert_eq!(next(&mut rx).await, None);
    wait_for_end_of(&grandchild).await;
}

#[tokio::test]
async fn the_pipe_ends_although_somebody_outside_of_the_group_holds_it() {
    let (mut rx, _tx, handle) = start(sh("setsid sleep 5 & sleep 0.1; echo '{}'"));
    handle.exited().await;
    let begin = Instant::now();
    assert_eq!(next(&mut rx).await.as_deref(), Some("{}"));
    assert_eq!(next(&mut rx).await, None);
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
}

// M26-136
#[tokio::test]
async fn a_child_that_dies_at_once_says_why() {
    let (mut rx, mut tx, handle) = start(sh("echo 'no config' >&2; exit 7").stderr(Stderr::lines(|_| {})));
    assert_eq!(next(&mut rx).await, None);
    let exit = handle.exited().await;
    assert_eq!(exit.stderr(), "no config\n");
    assert_eq!(exit.to_string(), "the process ended (exit status: 7); its last words on stderr: no config");
    assert!(send(&mut tx, "{}").await.is_err());
    assert_eq!(handle.shutdown().await, exit, "to end what has ended does no harm");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named_without_its_arguments() {
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
async fn a_flood_of_stderr_blocks_nothing_and_is_bounded() {
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
    assert!(exit.stderr().len() <= STDERR_TAIL && exit.stderr().ends_with("löve"), "{:?}", exit.stderr());
    assert_eq!(lines.load(Ordering::Relaxed), LINES + 1);
    assert_eq!(longest.load(Ordering::Relaxed), MAX_STDERR_LINE + '…'.len_utf8());
}

#[tokio::test]
async fn a_line_of_a_gigabyte_is_skipped_in_bounded_memory() {
    let script = "head -c 1073741824 /dev/zero; echo; echo '{}'; head -c 3000000 /dev/zero";
    let (mut rx, _tx, _handle) = start(sh(script).max_line(1 << 20));
    let too_long = Some(Frame::TooLong { limit: 1 << 20 });
    assert_eq!(rx.recv().await.unwrap(), too_long);
    assert_eq!(next(&mut rx).await.as_deref(), Some("{}"));
    assert_eq!(rx.recv().await.unwrap(), too_long, "a line without end");
    assert_eq!(rx.recv().await.unwrap(), None);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
    assert!(peak.unwrap_or(0_u64) < 512 << 10, "peak memory was {peak:?} KiB");
}

#[tokio::test]
async fn half_a_character_at_the_end_is_handed_on_as_it_is() {
    let (mut rx, _tx, _handle) = start(sh("printf '{}\\n\"\\342\\202'"));
    assert_eq!(next(&mut rx).await.as_deref(), Some("{}"));
    assert_eq!(rx.recv().await.unwrap(), Some(Frame::Whole("\"\u{20AC}".as_bytes()[..3].to_vec().into())));
    assert_eq!(rx.recv().await.unwrap(), None);
}

#[tokio::test]
async fn a_writer_that_waits_for_room_is_woken_by_the_end() {
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
async fn dropping_the_pipe_ends_the_child() {
    let (mut rx, tx, handle) = start(sh("trap '' TERM; echo $$; while :; do sleep 0.05; done"));
    let id = next(&mut rx).await.unwrap();
    assert_eq!(handle.id().unwrap().to_string(), id);
    drop(tx);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(is_alive(&id), "as long as it can be heard it lives");
    drop(rx);
    wait_for_end_of(&id).await;
    assert_eq!(handle.exited().await.status().unwrap().signal(), Some(Signal::KILL.as_raw()));
}

#[test]
fn the_end_of_the_runtime_kills_the_group_at_once() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let script = "sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.05; done' & trap '' TERM; wait";
    let (grandchild, kept) = runtime.block_on(async {
        let (mut rx, tx, handle) = start(sh(script).grace(LONG));
        (next(&mut rx).await.unwrap(), (rx, tx, handle))
    });
    drop(runtime);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        wait_for_end_of(&grandchild).await;
        assert_eq!(kept.2.shutdown().await.status(), None);
        assert_eq!(kept.2.id(), None);
    });
}

#[test]
fn without_a_runtime_the_error_says_so() {
    let error = sh("true").spawn().err().unwrap();
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}
