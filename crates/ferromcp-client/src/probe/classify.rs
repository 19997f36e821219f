//! Classifies a server by its response to the probe, following the tables for stdio and HTTP of the specification.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio#backward-compatibility>
//! and <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#backward-compatibility>.

use ferromcp_core::model::DiscoverResult;
use ferromcp_core::{Era, Error, ErrorCode, RawJson};

use crate::channel::{ChannelError, TransportKind};
use crate::era::modern;
use crate::error::{ClientError, ErrorKind};
use crate::settings::VersionPolicy;

/// Outcome of the probe.
pub(super) enum ProbeResult {
    Response(RawJson),
    Failed(ChannelError),
    Timeout,
}

/// Next step of the negotiation.
#[derive(Debug)]
pub(super) enum Classification {
    /// The server is modern.
    Modern(Box<DiscoverResult>),
    /// The server is modern; retry with a supported revision.
    RetryModern(Error),
    /// The server requires a handshake.
    Legacy(Legacy),
    /// The era is unknown, or there is no common revision.
    Fail(ClientError),
}

/// Properties of a server that requires a handshake.
#[derive(Debug)]
pub(super) struct Legacy {
    /// Revisions that the server lists, if it does.
    pub(super) offered: Option<Vec<String>>,
    /// Whether the connection closed on the probe, so that the client has to reconnect.
    pub(super) reconnect: bool,
    /// Reason for the classification, used in the error of clients that allow modern revisions only.
    pub(super) because: String,
}

/// Classifies a server by its response to `server/discover`.
pub(super) fn classify(
    result: ProbeResult,
    transport_kind: TransportKind,
    version_policy: VersionPolicy,
) -> Classification {
    let classification = match result {
        ProbeResult::Response(result) => classify_response(&result, version_policy),
        ProbeResult::Failed(failure) => classify_failure(failure, transport_kind, version_policy),
        ProbeResult::Timeout if transport_kind == TransportKind::Pipe => {
            legacy("the server did not respond to `server/discover`")
        }
        ProbeResult::Timeout => {
            let message = "timed out waiting for the server; its protocol version is unknown";
            Classification::Fail(ClientError::new(ErrorKind::Timeout, message))
        }
    };
    match classification {
        Classification::Legacy(Legacy { because, offered, .. })
            if version_policy.newest(Era::Legacy, offered.as_deref()).is_none() =>
        {
            let message = format!(
                "client and server have no common revision: {because}; allow older revisions in the client, or update \
                 the server"
            );
            Classification::Fail(ClientError::new(ErrorKind::Negotiation, message))
        }
        classification => classification,
    }
}

fn classify_response(result: &RawJson, version_policy: VersionPolicy) -> Classification {
    let Some(discovered) = modern::parse_discover(result) else {
        return legacy("the result of `server/discover` is invalid");
    };
    let offered = &discovered.supported_versions;
    if version_policy.newest(Era::Modern, Some(offered)).is_some() {
        return Classification::Modern(Box::new(discovered));
    }
    if version_policy.newest(Era::Legacy, Some(offered)).is_some() {
        legacy_offering(offered)
    } else {
        no_common_revision(offered)
    }
}

fn classify_failure(
    failure: ChannelError,
    transport_kind: TransportKind,
    version_policy: VersionPolicy,
) -> Classification {
    match failure {
        ChannelError::Rpc { status: Some(status), .. } if is_unavailable(status) => fail(failure),
        ChannelError::Rpc { error, .. } if error.code == ErrorCode::UNSUPPORTED_REVISION => {
            classify_unsupported_revision(error, version_policy)
        }
        ChannelError::Rpc { ref error, .. } if modern::is_modern_error(error) => fail(failure),
        ChannelError::Rpc { error, .. } => legacy(&format!("the server responded to `server/discover` with {error}")),
        ChannelError::Status { status, .. } if (400..500).contains(&status) && !is_unavailable(status) => {
            legacy(&format!("the server responded to `server/discover` with HTTP status {status}"))
        }
        ChannelError::SessionGone { .. } => legacy("the server requires a session"),
        ChannelError::Malformed(why) if transport_kind == TransportKind::Pipe => {
            legacy(&format!("the response cannot be decoded: {why}"))
        }
        ChannelError::Lost(error) | ChannelError::Unsent(error) if transport_kind == TransportKind::Pipe => {
            Classification::Legacy(Legacy {
                offered: None,
                reconnect: true,
                because: format!("the connection closed on `server/discover`: {error}"),
            })
        }
        failure => fail(failure),
    }
}

/// Classifies -32022, which only modern servers send.
fn classify_unsupported_revision(error: Error, version_policy: VersionPolicy) -> Classification {
    let offered = modern::supported_versions(&error);
    if version_policy.newest(Era::Modern, Some(&offered)).is_some() {
        Classification::RetryModern(error)
    } else if version_policy.newest(Era::Legacy, Some(&offered)).is_some() {
        legacy_offering(&offered)
    } else {
        no_common_revision(&offered)
    }
}

/// Returns whether a status is independent of the protocol version.
fn is_unavailable(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 425 | 429)
}

fn fail(failure: ChannelError) -> Classification {
    Classification::Fail(ClientError::of("server/discover", failure))
}

fn legacy(because: &str) -> Classification {
    Classification::Legacy(Legacy { offered: None, reconnect: false, because: because.to_owned() })
}

fn legacy_offering(offered: &[String]) -> Classification {
    let because = format!("the server supports {}", offered.join(", "));
    Classification::Legacy(Legacy { offered: Some(offered.to_vec()), reconnect: false, because })
}

fn no_common_revision(offered: &[String]) -> Classification {
    let message = format!(
        "client and server have no common revision: the server supports [{}]; update the older one",
        offered.iter().take(16).map(String::as_str).collect::<Vec<_>>().join(", ")
    );
    Classification::Fail(ClientError::new(ErrorKind::Negotiation, message))
}

#[cfg(test)]
mod tests;
