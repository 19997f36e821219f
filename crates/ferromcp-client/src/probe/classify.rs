//! What the answer to the first question says about a server: both negotiation tables, as one function.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio#backward-compatibility>
//! and <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#backward-compatibility>.

use ferromcp_core::model::DiscoverResult;
use ferromcp_core::{Era, Error, ErrorCode, RawJson};

use crate::channel::{ChannelError, TransportKind};
use crate::era::modern;
use crate::error::{ClientError, ErrorKind};
use crate::settings::VersionPolicy;

/// How the question ended.
pub(super) enum ProbeResult {
    Response(RawJson),
    Failed(ChannelError),
    Timeout,
}

/// What follows.
#[derive(Debug)]
pub(super) enum Classification {
    /// The server is modern.
    Modern(Box<DiscoverResult>),
    /// It is modern and wants to be asked once more.
    RetryModern(Error),
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
    pub(super) reconnect: bool,
    /// What the server said instead, for the error of who wants no handshake.
    pub(super) because: String,
}

/// Judges a server by its answer to `server/discover`.
pub(super) fn classify(result: ProbeResult, transport_kind: TransportKind, version_policy: VersionPolicy) -> Classification {
    let classification = match result {
        ProbeResult::Response(result) => answered(&result, version_policy),
        ProbeResult::Failed(failure) => failed(failure, transport_kind, version_policy),
        ProbeResult::Timeout if transport_kind == TransportKind::Pipe => legacy("it does not answer `server/discover`"),
        ProbeResult::Timeout => {
            let message = "the server does not answer; that says nothing of how it speaks. Try again later";
            Classification::Fail(ClientError::new(ErrorKind::Timeout, message))
        }
    };
    match classification {
        Classification::Legacy(Legacy { because, offered, .. }) if version_policy.newest(Era::Legacy, offered.as_deref()).is_none() => {
            let message = format!(
                "the server does not speak a revision this client may speak: {because}. Let the client speak older \
                 revisions, or update the server"
            );
            Classification::Fail(ClientError::new(ErrorKind::Negotiation, message))
        }
        classification => classification,
    }
}

fn answered(result: &RawJson, version_policy: VersionPolicy) -> Classification {
    let Some(discovered) = modern::parse_discover(result) else {
        return legacy("its answer to `server/discover` is not one");
    };
    let offered = &discovered.supported_versions;
    if version_policy.newest(Era::Modern, Some(offered)).is_some() {
        return Classification::Modern(Box::new(discovered));
    }
    if version_policy.newest(Era::Legacy, Some(offered)).is_some() { offers(offered) } else { nothing_shared(offered) }
}

fn failed(failure: ChannelError, transport_kind: TransportKind, version_policy: VersionPolicy) -> Classification {
    match failure {
        ChannelError::Rpc { status: Some(status), .. } if is_unavailable(status) => fail(failure),
        ChannelError::Rpc { error, .. } if error.code == ErrorCode::UNSUPPORTED_REVISION => unsupported(error, version_policy),
        ChannelError::Rpc { ref error, .. } if modern::is_modern_error(error) => fail(failure),
        ChannelError::Rpc { error, .. } => legacy(&format!("it answered `server/discover` with {error}")),
        ChannelError::Status { status, .. } if (400..500).contains(&status) && !is_unavailable(status) => {
            legacy(&format!("it answered `server/discover` with HTTP status {status}"))
        }
        ChannelError::SessionGone { .. } => legacy("it wants a session"),
        ChannelError::Malformed(what) if transport_kind == TransportKind::Pipe => legacy(&format!("its answer cannot be read: {what}")),
        ChannelError::Lost(error) | ChannelError::Unsent(error) if transport_kind == TransportKind::Pipe => Classification::Legacy(Legacy {
            offered: None,
            reconnect: true,
            because: format!("it ended when it was asked `server/discover`: {error}"),
        }),
        failure => fail(failure),
    }
}

/// -32022 comes from modern servers alone.
fn unsupported(error: Error, version_policy: VersionPolicy) -> Classification {
    let offered = modern::supported_versions(&error);
    if version_policy.newest(Era::Modern, Some(&offered)).is_some() {
        Classification::RetryModern(error)
    } else if version_policy.newest(Era::Legacy, Some(&offered)).is_some() {
        offers(&offered)
    } else {
        nothing_shared(&offered)
    }
}

/// Statuses that say nothing of how a server speaks.
fn is_unavailable(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 425 | 429)
}

fn fail(failure: ChannelError) -> Classification {
    Classification::Fail(ClientError::of("server/discover", failure))
}

fn legacy(because: &str) -> Classification {
    Classification::Legacy(Legacy { offered: None, reconnect: false, because: because.to_owned() })
}

fn offers(offered: &[String]) -> Classification {
    let because = format!("it speaks {}", offered.join(", "));
    Classification::Legacy(Legacy { offered: Some(offered.to_vec()), reconnect: false, because })
}

fn nothing_shared(offered: &[String]) -> Classification {
    let message = format!(
        "client and server share no revision: the server speaks [{}]. Update whichever is older",
        offered.iter().take(16).map(String::as_str).collect::<Vec<_>>().join(", ")
    );
    Classification::Fail(ClientError::new(ErrorKind::Negotiation, message))
}

#[cfg(test)]
mod tests;
