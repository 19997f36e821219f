//! Ctrl-C.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::process::{HttpServer, command, mcp, server, wait_until};

/// Sends the signal of Ctrl-C.
pub(crate) fn interrupt(child: &Child) {
    let pid = Pid::from_child(child);
    kill_process(pid, Signal::INT).unwrap();
}

#[test]
fn call_is_cancelled_when_interrupted() {
    for era in ["legacy", "modern"] {
        let mut command = command(&["call", "-v", "--era", era, "sleep", "--", server(), "stdio"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        assert_eq!(line, "[stderr] sleeping\n");
        interrupt(&child);
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
        assert!(rest.contains("cancelled"), "{era}: {rest}");
    }
}

#[test]
fn watch_prints_changes_until_interrupted() {
    let http = HttpServer::start("http");
    let url = http.url();
    for era in ["legacy", "modern"] {
        for (args, expected) in [
            (&["watch", "--era", era, &url][..], "tools changed"),
            (&["watch", "--era", era, &url, "note://today"], "resource changed: note://today"),
            (&["watch", "--era", era, "--json", &url, "note://today"], r#"{"change":"resource","uri":"note://today"}"#),
        ] {
            let mut child = command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let mut stdout = BufReader::new(child.stdout.take().unwrap());
            let reader = std::thread::spawn(move || {
                let mut line = String::new();
                stdout.read_line(&mut line).unwrap();
                (line, stdout)
            });
            // The subscription may start after the first changes.
            wait_until("a change", || {
                assert_eq!(mcp(&["call", &url, "touch"]).stdout, "touched\n");
                reader.is_finished()
            });
            let (line, _stdout) = reader.join().unwrap();
            assert_eq!(line, format!("{expected}\n"));
            interrupt(&child);
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}
