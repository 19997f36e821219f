//! The cause and the fix of an error of a server.

use std::error::Error;
use std::io::{self, ErrorKind as IoKind};
use std::sync::Arc;

use ferromcp_client::{ClientError, ErrorKind};

use super::finding::Finding;
use crate::exit::{Exit, Failure};

/// Explains why a server cannot be reached, or why a request failed. `login` is the remedy for a missing login.
pub(super) fn explain(check: &str, failure: &Failure, login: &str) -> Finding {
    let text = failure.to_string();
    // A second cause is not a remedy.
    let text = text.split("; before that, ").next().unwrap_or_default().to_owned();
    let Some(error) = &failure.cause else { return Finding::of_text(failure.exit, check, &text) };
    let status = error.http_status();
    if is_rejected_host(error) {
        return Finding::problem(
            Exit::Connect,
            "host",
            format!(
                "the server rejects the host of the URL or the origin (HTTP status {})",
                status.unwrap_or_default()
            ),
            "add the host to the allowed hosts of the server (Ferromcp: `HttpServerOptions::allow_host`; Python: \
             `TransportSecuritySettings.allowed_hosts`), or connect with a host that it allows, such as localhost; if a \
             proxy or a token is used, check their permissions",
        );
    }
    match error.kind() {
        ErrorKind::Unauthorized => {
            // The challenge is long, and of use to developers of the server only.
            let text = before_remedy(&text);
            let text = error.challenge().and_then(|_| text.split_once(" (")).map_or(text, |(cause, _)| cause);
            Finding::problem(Exit::Login, "login", text, login)
        }
        ErrorKind::Timeout => Finding::problem(
            Exit::Timeout,
            check,
            before_remedy(&text),
            "move slow work after the start of the server, or raise `--timeout`; a server that waits for input or \
             buffers its stdout does not respond either",
        ),
        ErrorKind::Closed if text.contains("ended the session") => lost_session(&text),
        ErrorKind::Closed | ErrorKind::ConnectionLost => Finding::problem(
            failure.exit,
            check,
            before_remedy(&text),
            "check the logs of the server for a crash; add `-v` to print its stderr",
        ),
        _ if status == Some(404) && text.contains("in its session") => lost_session(&text),
        _ if status == Some(404) => Finding::problem(
            failure.exit,
            check,
            before_remedy(&text),
            "check the path of the URL; most servers use `/mcp`, and HTTP+SSE servers `/sse`",
        ),
        ErrorKind::Unavailable => {
            Finding::problem(failure.exit, check, before_remedy(&text), "check the logs of the server and its proxy")
        }
        ErrorKind::Connect => match connect_fix(error, &text) {
            Some(fix) => Finding::problem(Exit::Connect, check, before_remedy(&text), fix),
            None => Finding::of_text(Exit::Connect, check, &text),
        },
        ErrorKind::Negotiation => Finding::problem(
            failure.exit,
            check,
            before_remedy(&text),
            "update the server, or omit `--era`; a server must support a revision that this command supports \
             (`mcp revisions`)",
        ),
        ErrorKind::InvalidResponse | ErrorKind::Limit | ErrorKind::Output => Finding::problem(
            failure.exit,
            check,
            text.as_str(),
            "report it to the author of the server: its response violates the protocol",
        ),
        _ => Finding::of_text(failure.exit, check, &text),
    }
}

/// Creates the finding of a server that rejects its own sessions.
pub(super) fn lost_session(text: &str) -> Finding {
    Finding::problem(
        Exit::Protocol,
        "session",
        before_remedy(text),
        "the server forgets its sessions: it restarts, or a load balancer distributes the requests of one session; route \
         them to one process, share the sessions, or serve without sessions",
    )
}

/// Returns whether a server or its proxy rejected the `Host` or `Origin` header. The challenge of a login is missing then.
fn is_rejected_host(error: &ClientError) -> bool {
    error.http_status() == Some(421) || (error.http_status() == Some(403) && error.challenge().is_none())
}

/// Returns the fix for a connection that cannot be established, by the error of the network.
fn connect_fix(error: &ClientError, text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    if has(&["no response: "]) {
        return Some("check that the server speaks HTTP at this port; if it uses TLS, write `https://`");
    }
    let source = error.source()?;
    let shared = || source.downcast_ref::<Arc<io::Error>>().map(|error| &**error);
    let io = source.downcast_ref::<io::Error>().or_else(shared)?;
    if io.kind() == IoKind::ConnectionRefused {
        return Some("start the server, and check the port of the URL and the address on which the server listens");
    }
    if has(&["certificate", "unknownissuer"]) {
        return Some("the certificate is not trusted: add its issuer to the trust store of this machine, or renew it");
    }
    if has(&["corrupt message", "invalidcontenttype", "tls handshake eof"]) {
        return Some("the port does not use TLS: use `http://`, or the port of the TLS proxy");
    }
    if has(&["dns", "lookup", "not known", "name resolution", "no such host"]) {
        return Some("the host name has no address: check its spelling, the DNS and the VPN");
    }
    match io.kind() {
        IoKind::InvalidData => Some("check the TLS settings of the server, and that the port uses TLS"),
        IoKind::TimedOut | IoKind::HostUnreachable | IoKind::NetworkUnreachable => {
            Some("check the network, the VPN and the firewall")
        }
        _ => None,
    }
}

/// Removes the remedy of a text, which the fix replaces.
fn before_remedy(text: &str) -> &str {
    text.split_once("; ").map_or(text, |(cause, _)| cause)
}
