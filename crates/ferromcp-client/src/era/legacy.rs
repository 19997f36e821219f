//! Revisions with a handshake: `initialize` negotiates a revision and capabilities for the whole session.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle>.

use ferromcp_core::model::{
    ClientCapabilities, Implementation, InitializeParams, InitializeResult, LogLevel, NotificationParams,
    SetLevelParams,
};
use ferromcp_core::text::excerpt;
use ferromcp_core::wire::{DecodeError, FromServer, Incoming, Message};
use ferromcp_core::{ClientNotification, ClientRequest, RawJson, Revision};

use super::ServerInfo;
use super::features::has_batches;
use crate::decode::decode_result;
use crate::deviations::Deviations;
use crate::error::{ClientError, ErrorKind};
use crate::settings::VersionPolicy;

/// Creates an `initialize` request that offers `revision`.
pub(crate) fn initialize_request(
    revision: Revision,
    capabilities: ClientCapabilities,
    info: Implementation,
) -> ClientRequest {
    ClientRequest::Initialize(Box::new(InitializeParams::new(revision.as_str(), capabilities, info)))
}

/// Parses the result of `initialize`. The server may choose another revision than the offered one.
///
/// # Errors
/// Fails if the chosen revision is unsupported or not allowed by `version_policy`.
pub(crate) fn parse_initialize(
    result: &RawJson,
    version_policy: VersionPolicy,
) -> Result<(Revision, ServerInfo), ClientError> {
    let result: InitializeResult = decode_result("initialize", result).map_err(|error| {
        let message = format!("cannot negotiate a revision: the result of `initialize` is invalid: {error}");
        ClientError::new(ErrorKind::Negotiation, message)
    })?;
    let chosen = Revision::parse(&result.protocol_version);
    let Some(revision) = chosen.filter(|revision| !revision.is_modern() && version_policy.allows(*revision)) else {
        let message = format!(
            "cannot negotiate a revision: the server chose `{}`, which the client does not support or allow; it allows {}",
            excerpt(&result.protocol_version),
            allowed(version_policy)
        );
        return Err(ClientError::new(ErrorKind::Negotiation, message));
    };
    let server_info = ServerInfo {
        server: Some(result.server_info),
        capabilities: result.capabilities,
        instructions: result.instructions,
    };
    Ok((revision, server_info))
}

/// Lists the revisions that `version_policy` allows for a handshake.
fn allowed(version_policy: VersionPolicy) -> String {
    let revisions =
        Revision::ALL.into_iter().filter(|revision| !revision.is_modern() && version_policy.allows(*revision));
    revisions.map(Revision::as_str).collect::<Vec<_>>().join(", ")
}

/// Creates `notifications/initialized`, which completes the handshake.
pub(crate) fn initialized_notification() -> ClientNotification {
    ClientNotification::Initialized(NotificationParams::default())
}

/// Creates a `logging/setLevel` request, sent once for each session.
pub(crate) fn set_level(level: LogLevel) -> ClientRequest {
    ClientRequest::SetLevel(SetLevelParams::new(level))
}

/// Returns the messages of a frame: one, or those of a batch. A batch is logged if the revision has no batches.
pub(crate) fn messages(
    incoming: Incoming<FromServer>,
    revision: impl FnOnce() -> Revision,
    deviations: &Deviations,
) -> impl Iterator<Item = Result<Message<FromServer>, DecodeError>> {
    let (one, batch) = match incoming {
        Incoming::One(message) => (Some(Ok(message)), Vec::new()),
        Incoming::Batch(messages) => {
            let revision = revision();
            if !has_batches(revision) {
                deviations.batch(messages.len(), revision);
            }
            (None, messages)
        }
    };
    one.into_iter().chain(batch)
}

/// Returns whether the server declared the capability that `request` requires.
pub(crate) fn supports(server_info: &ServerInfo, revision: Revision, request: &ClientRequest) -> bool {
    let capabilities = &server_info.capabilities;
    let resources = capabilities.resources.as_ref();
    match request {
        ClientRequest::ListTools(_) | ClientRequest::CallTool(_) => capabilities.tools.is_some(),
        ClientRequest::ListResources(_) | ClientRequest::ListResourceTemplates(_) | ClientRequest::ReadResource(_) => {
            resources.is_some()
        }
        ClientRequest::Subscribe(_) | ClientRequest::Unsubscribe(_) => {
            resources.is_some_and(|resources| resources.subscribe == Some(true))
        }
        ClientRequest::ListPrompts(_) | ClientRequest::GetPrompt(_) => capabilities.prompts.is_some(),
        // 2024-11-05 has the method, but no capability for it.
        ClientRequest::Complete(_) => capabilities.completions.is_some() || revision == Revision::V2024_11_05,
        ClientRequest::SetLevel(_) => capabilities.logging.is_some(),
        _ => true,
    }
}
