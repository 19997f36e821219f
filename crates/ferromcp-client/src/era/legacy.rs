//! The legacy era: a handshake opens a session, and what was agreed on there holds for all of it.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle>.

use ferromcp_core::model::{
    ClientCapabilities, Implementation, InitializeParams, InitializeResult, LogLevel, NotificationParams,
    SetLevelParams,
};
use ferromcp_core::{ClientNotification, ClientRequest, RawJson, Revision};

use super::About;
use crate::error::{ClientError, ErrorKind};
use crate::settings::Pin;

/// The opening, offering `revision`.
pub(crate) fn opening(revision: Revision, capabilities: ClientCapabilities, info: Implementation) -> ClientRequest {
    ClientRequest::Initialize(Box::new(InitializeParams::new(revision.as_str(), capabilities, info)))
}

/// What was agreed on. The server may have chosen another revision; one that is not spoken here ends it.
pub(crate) fn agreement(result: &RawJson, pin: Pin) -> Result<(Revision, About), ClientError> {
    let result: InitializeResult = result.decode().map_err(ClientError::malformed)?;
    let chosen = Revision::parse(&result.protocol_version);
    let Some(revision) = chosen.filter(|revision| !revision.is_modern() && pin.allows(*revision)) else {
        let message = format!(
            "the server wants to speak `{}`, which this client does not speak or was told not to",
            result.protocol_version
        );
        return Err(ClientError::new(ErrorKind::Negotiation, message));
    };
    let about = About {
        server: Some(result.server_info),
        capabilities: result.capabilities,
        instructions: result.instructions,
    };
    Ok((revision, about))
}

/// The word that opens the session for good.
pub(crate) fn initialized() -> ClientNotification {
    ClientNotification::Initialized(NotificationParams::default())
}

/// The wish for logs, once for the session.
pub(crate) fn set_level(level: LogLevel) -> ClientRequest {
    ClientRequest::SetLevel(SetLevelParams::new(level))
}

/// Whether a session's server has what `request` needs, by its own word.
pub(crate) fn offers(about: &About, revision: Revision, request: &ClientRequest) -> bool {
    let capabilities = &about.capabilities;
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
        // The first revision has the method and no word for it.
        ClientRequest::Complete(_) => capabilities.completions.is_some() || revision == Revision::V2024_11_05,
        ClientRequest::SetLevel(_) => capabilities.logging.is_some(),
        _ => true,
    }
}
