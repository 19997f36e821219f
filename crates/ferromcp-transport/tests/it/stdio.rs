//! Tests of stdio in a real process, with each kind of descriptor.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek, Write},
    net::Shutdown,
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Output, Stdio},
    thread,
    time::Duration,
};

use rustix::{
    fd::AsFd,
    fs::{OFlags, fcntl_getfl},
};

use crate::child::{AFTER, HARNESS, MAX_LINE, command};

const STRAY: &str = "buffered stray print\nstray child\nstray read of 0\n\
    second pipe: stdio is already in use by another transport of this process\n";

/// Asserts that stdout has only protocol output, and that stray output went to stderr.
#[track_caller]
fn assert_private(output: &Output, protocol: &str) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(out == format!("{HARNESS}{protocol}{AFTER}"), "stdout: {out}\nstderr: {err}");
    assert_eq!(err, format!("{STRAY}reopened: true\n"));
    assert!(output.status.success());
}

fn non_blocking(fd: impl AsFd) -> bool {
    fcntl_getfl(fd).unwrap().contains(OFlags::NONBLOCK)
}

/// Creates a close-on-exec pipe, and returns its reading and writing end.
fn pipe() -> (OwnedFd, OwnedFd) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _entered = runtime.enter();
    let (writer, reader) = tokio::net::unix::pipe::pipe().unwrap();
    (reader.into_blocking_fd().unwrap(), writer.into_blocking_fd().unwrap())
}

/// Opens an unlinked temporary file.
fn scratch(name: &str) -> File {
    let path = std::env::temp_dir().join(format!("ferromcp-it-{}-{name}", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file
}

// M26-123, M26-124, M26-134, S-105, S-106
#[test]
fn isolates_pipes_and_restores_them() {
    let ((stdin, to_child), (from_child, stdout)) = (pipe(), pipe());
    let (stdin_too, stdout_too) = (stdin.try_clone().unwrap(), stdout.try_clone().unwrap());
    let mut command = command();
    command.stdin(stdin).stdout(stdout).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    drop(command); // closes the child's ends in this process

    let (mut to_child, mut from_child) = (File::from(to_child), BufReader::new(File::from(from_child)));
    to_child.write_all(b"{\"id\":1}\r\n").unwrap();
    let mut text = String::new();
    for _ in 0..=HARNESS.lines().count() {
        from_child.read_line(&mut text).unwrap();
    }
    assert_eq!(text, format!("{HARNESS}{{\"id\":1}}\n"));
    assert!(non_blocking(&stdin_too), "the child's stdin is on the reactor");
    assert!(non_blocking(&stdout_too), "the child's stdout is on the reactor");

    to_child.write_all(b"\n{\"id\":2}").unwrap();
    drop(to_child);
    let mut output = child.wait_with_output().unwrap();
    assert!(!non_blocking(&stdin_too));
    assert!(!non_blocking(&stdout_too));
    drop(stdout_too);
    from_child.read_to_string(&mut text).unwrap();
    output.stdout = text.into_bytes();
    assert_private(&output, "{\"id\":1}\n{\"id\":2}\n");
}

// M26-123, S-105
#[test]
fn discards_lines_when_they_exceed_limit() {
    let mut command = command();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (long, too_long) = ("x".repeat(MAX_LINE), "y".repeat(MAX_LINE + 1));
    let input = format!("{too_long}\n{long}\r\n{too_long}\n{{}}\n{too_long}");
    let mut to_child = child.stdin.take().unwrap();
    let writing = thread::spawn(move || to_child.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    let over = format!("over {MAX_LINE}\n");
    assert_private(&output, &format!("{over}{long}\n{over}{{}}\n{over}"));
}

// M26-124, S-106
#[test]
fn reads_and_writes_files() {
    let (mut input, mut stdout) = (scratch("in"), scratch("out"));
    let lines = "{\"jsonrpc\":\"2.0\"}\n".repeat(20_000);
    input.write_all(lines.as_bytes()).unwrap();
    input.rewind().unwrap();
    let mut command = command();
    command.stdin(input).stdout(stdout.try_clone().unwrap()).stderr(Stdio::piped());
    let mut output = command.spawn().unwrap().wait_with_output().unwrap();
    stdout.rewind().unwrap();
    stdout.read_to_end(&mut output.stdout).unwrap();
    assert_private(&output, &lines);
}

// M26-134
#[test]
fn exits_immediately_when_input_is_empty() {
    let output = command().stdin(Stdio::null()).output().unwrap();
    assert_private(&output, "");
}

// M26-124, S-106
#[test]
fn supports_one_socket_for_both_directions() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut command = command();
    command.stdin(OwnedFd::from(theirs.try_clone().unwrap()));
    command.stdout(OwnedFd::from(theirs.try_clone().unwrap())).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    drop(command);
    (&ours).write_all(b"[1]\n[2]\n").unwrap();
    ours.shutdown(Shutdown::Write).unwrap();
    let mut output = child.wait_with_output().unwrap();
    assert!(!non_blocking(&theirs));
    drop(theirs);
    (&ours).read_to_end(&mut output.stdout).unwrap();
    assert_private(&output, "[1]\n[2]\n");
}

#[test]
fn keeps_pipe_blocking_when_shared_with_stderr() {
    let (from_child, stdout) = pipe();
    let too = stdout.try_clone().unwrap();
    let mut command = command();
    command.stdin(Stdio::piped()).stdout(stdout.try_clone().unwrap()).stderr(stdout);
    let mut child = command.spawn().unwrap();
    drop(command);
    let (mut lines, mut text) = (BufReader::new(File::from(from_child)), String::new());
    child.stdin.as_mut().unwrap().write_all(b"{}\n").unwrap();
    while !text.ends_with("{}\n") {
        assert!(lines.read_line(&mut text).unwrap() > 0, "{text}");
    }
    assert!(!non_blocking(&too), "`eprintln!` panics on a non-blocking pipe");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn input_ends_when_the_reader_of_stdout_is_gone() {
    let mut child = command().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stdout, stderr) = (BufReader::new(child.stdout.take().unwrap()), child.stderr.take().unwrap());
    for _ in HARNESS.lines() {
        stdout.read_line(&mut String::new()).unwrap();
    }
    let mut lines = BufReader::new(stderr).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("second pipe")), "the transport is open");
    let stdin = child.stdin.take(); // stays open
    drop(stdout);
    for _ in 0..1000 {
        if child.try_wait().unwrap().is_some() {
            return drop(stdin);
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    panic!("the input does not end");
}

#[test]
fn opening_fails_when_stdout_is_closed() {
    let direct = command();
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "exec \"$@\" >&-", "sh"]).arg(direct.get_program()).args(direct.get_args());
    for (name, value) in direct.get_envs() {
        shell.env(name, value.unwrap());
    }
    let mut child = shell.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    child.wait().unwrap();
    assert!(stderr.contains("stdout is closed; start the server"), "{stderr}");
}
