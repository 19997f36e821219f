//! Classifies a server by its response to the probe, following the tables for stdio and HTTP of the specification.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio#backward-compatibility>
//! and <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#backward-compatibility>.

use ferromcp_core::model::DiscoverResult;
use ferromcp_core::text::excerpt;
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
    /// Reason for the classification, used in the error if the handshake fails too, and of clients that allow modern
    /// revisions only.
    pub(super) because: String,
}

/// The earlier observations of a server, before its response to the probe.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    pub(super) transport_kind: TransportKind,
    pub(super) version_policy: VersionPolicy,
    /// Whether the server was modern before, so that only a clear response makes it legacy.
    pub(super) was_modern: bool,
}

impl Context {
    fn allows_legacy(self) -> bool {
        self.version_policy.newest(Era::Legacy, None).is_some()
    }

    /// Returns whether a failure that may also be an outage can be followed by a handshake.
    fn may_try_handshake(self) -> bool {
        !self.was_modern && self.allows_legacy()
    }
}

/// Classifies a server by its response to `server/discover`.
pub(super) fn classify(result: ProbeResult, context: Context) -> Classification {
    let Context { transport_kind, version_policy, .. } = context;
    let classification = match result {
        ProbeResult::Response(result) => classify_response(&result, version_policy),
        ProbeResult::Failed(failure) => classify_failure(failure, context),
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

fn classify_failure(failure: ChannelError, context: Context) -> Classification {
    let Context { transport_kind, version_policy, .. } = context;
    match failure {
        ChannelError::Rpc { status: Some(status), .. } if is_unavailable(status, context) => fail(failure),
        ChannelError::Rpc { error, .. } if error.code == ErrorCode::UNSUPPORTED_REVISION => {
            classify_unsupported_revision(error, version_policy)
        }
        ChannelError::Rpc { ref error, .. } if modern::is_modern_error(error) => fail(failure),
        ChannelError::Rpc { error, .. } => legacy(&format!("the server responded to `server/discover` with {error}")),
        ChannelError::Status { status, .. } if !is_unavailable(status, context) => {
            legacy(&format!("the server responded to `server/discover` with HTTP status {status}"))
        }
        ChannelError::SessionGone { .. } => legacy("the server requires a session"),
        ChannelError::Malformed(why) if transport_kind == TransportKind::Pipe || context.allows_legacy() => {
            legacy(&format!("the response to `server/discover` is invalid: {why}"))
        }
        // Some servers disconnect on a method that they do not know. The handshake opens another connection.
        ChannelError::Lost(error) if transport_kind == TransportKind::Post && context.may_try_handshake() => {
            legacy(&format!("the connection was lost while waiting for the response to `server/discover`: {error}"))
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

/// Returns whether a status is independent of the protocol version. Frameworks respond with 500 if a handler fails, for
/// example on a method that it does not know, so 500 is conclusive only if the server was modern before.
fn is_unavailable(status: u16, context: Context) -> bool {
    match status {
        500 | 501 => !context.may_try_handshake(),
        status => status >= 500 || matches!(status, 408 | 425 | 429),
    }
}

fn fail(failure: ChannelError) -> Classification {
    Classification::Fail(ClientError::connecting("server/discover", failure))
}

fn legacy(because: &str) -> Classification {
    Classification::Legacy(Legacy { offered: None, reconnect: false, because: because.to_owned() })
}

fn legacy_offering(offered: &[String]) -> Classification {
    let because = format!("the server supports {}", excerpt(&offered.join(", ")));
    Classification::Legacy(Legacy { offered: Some(offered.to_vec()), reconnect: false, because })
}

fn no_common_revision(offered: &[String]) -> Classification {
    let message = format!(
        "client and server have no common revision: the server supports [{}]; update the older one",
        excerpt(&offered.join(", "))
    );
    Classification::Fail(ClientError::new(ErrorKind::Negotiation, message))
}

#[cfg(test)]
mod tests;
