//! What the answer to the first question says about a server: both negotiation tables, as one function.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio#backward-compatibility>
//! and <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#backward-compatibility>.

use ferromcp_core::model::DiscoverResult;
use ferromcp_core::{Era, Error, ErrorCode, RawJson};

use crate::channel::{Failure, Way};
use crate::era::modern;
use crate::error::{ClientError, ErrorKind};
use crate::settings::Pin;

/// How the question ended.
pub(super) enum Outcome {
    Answered(RawJson),
    Failed(Failure),
    Silence,
}

/// What follows.
#[derive(Debug)]
pub(super) enum Judgement {
    /// The server is modern.
    Modern(Box<DiscoverResult>),
    /// It is modern and wants to be asked once more.
    Again(Error),
    /// It wants a handshake.
    Legacy(Legacy),
    /// Neither can be said, or there is nothing in common.
    Fail(ClientError),
}

/// How to go on with a legacy server.
#[derive(Debug)]
pub(super) struct Legacy {
    /// What it says it speaks, where it says so.
    pub(super) offered: Option<Vec<String>>,
    /// The connection did not survive the question.
    pub(super) anew: bool,
    /// What the server said instead, for the error of who wants no handshake.
    pub(super) because: String,
}

/// Judges a server by its answer to `server/discover`.
pub(super) fn judge(outcome: Outcome, way: Way, pin: Pin) -> Judgement {
    let judgement = match outcome {
        Outcome::Answered(result) => answered(&result, pin),
        Outcome::Failed(failure) => failed(failure, way, pin),
        Outcome::Silence if way == Way::Pipe => legacy("it does not answer `server/discover`"),
        Outcome::Silence => {
            let message = "the server does not answer; that says nothing of how it speaks. Try again later";
            Judgement::Fail(ClientError::new(ErrorKind::Timeout, message))
        }
    };
    match judgement {
        Judgement::Legacy(Legacy { because, offered, .. }) if pin.newest(Era::Legacy, offered.as_deref()).is_none() => {
            let message = format!(
                "the server does not speak a revision this client may speak: {because}. Let the client speak older \
                 revisions, or update the server"
            );
            Judgement::Fail(ClientError::new(ErrorKind::Negotiation, message))
        }
        judgement => judgement,
    }
}

fn answered(result: &RawJson, pin: Pin) -> Judgement {
    let Some(discovered) = modern::discovered(result) else {
        return legacy("its answer to `server/discover` is not one");
    };
    let offered = &discovered.supported_versions;
    if pin.newest(Era::Modern, Some(offered)).is_some() {
        return Judgement::Modern(Box::new(discovered));
    }
    if pin.newest(Era::Legacy, Some(offered)).is_some() { offers(offered) } else { nothing_shared(offered) }
}

fn failed(failure: Failure, way: Way, pin: Pin) -> Judgement {
    match failure {
        Failure::Rpc { status: Some(status), .. } if is_outage(status) => fail(failure),
        Failure::Rpc { error, .. } if error.code == ErrorCode::UNSUPPORTED_REVISION => unsupported(error, pin),
        Failure::Rpc { ref error, .. } if modern::is_modern_error(error) => fail(failure),
        Failure::Rpc { error, .. } => legacy(&format!("it answered `server/discover` with {error}")),
        Failure::Status { status, .. } if (400..500).contains(&status) && !is_outage(status) => {
            legacy(&format!("it answered `server/discover` with HTTP status {status}"))
        }
        Failure::SessionGone { .. } => legacy("it wants a session"),
        Failure::Malformed(what) if way == Way::Pipe => legacy(&format!("its answer cannot be read: {what}")),
        Failure::Lost(error) | Failure::Unsent(error) if way == Way::Pipe => Judgement::Legacy(Legacy {
            offered: None,
            anew: true,
            because: format!("it ended when it was asked `server/discover`: {error}"),
        }),
        failure => fail(failure),
    }
}

/// -32022 comes from modern servers alone.
fn unsupported(error: Error, pin: Pin) -> Judgement {
    let offered = modern::supported(&error);
    if pin.newest(Era::Modern, Some(&offered)).is_some() {
        Judgement::Again(error)
    } else if pin.newest(Era::Legacy, Some(&offered)).is_some() {
        offers(&offered)
    } else {
        nothing_shared(&offered)
    }
}

/// Statuses that say nothing of how a server speaks.
fn is_outage(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 425 | 429)
}

fn fail(failure: Failure) -> Judgement {
    Judgement::Fail(ClientError::of("server/discover", failure))
}

fn legacy(because: &str) -> Judgement {
    Judgement::Legacy(Legacy { offered: None, anew: false, because: because.to_owned() })
}

fn offers(offered: &[String]) -> Judgement {
    let because = format!("it speaks {}", offered.join(", "));
    Judgement::Legacy(Legacy { offered: Some(offered.to_vec()), anew: false, because })
}

fn nothing_shared(offered: &[String]) -> Judgement {
    let message = format!(
        "client and server share no revision: the server speaks [{}]. Update whichever is older",
        offered.iter().take(16).map(String::as_str).collect::<Vec<_>>().join(", ")
    );
    Judgement::Fail(ClientError::new(ErrorKind::Negotiation, message))
}

#[cfg(test)]
mod tests;
