//! Revisions without a handshake: each request carries the revision, the client info and its capabilities in `_meta`.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#meta>.

use std::sync::Arc;

use ferromcp_core::model::{ClientCapabilities, DiscoverParams, DiscoverResult, LogLevel};
use ferromcp_core::{ClientRequest, Error, ErrorCode, ProgressToken, RawJson, RawMap, RequestMeta, Revision};

use super::ServerInfo;
use crate::decode::decode_result;
use crate::error::ClientError;

/// The `_meta` members that all modern requests of a client share.
#[derive(Debug, Clone)]
pub(crate) struct RequestMetaTemplate {
    pub(crate) revision: Revision,
    pub(crate) capabilities: Arc<ClientCapabilities>,
    pub(crate) info: RawJson,
    pub(crate) log_level: Option<LogLevel>,
}

impl RequestMetaTemplate {
    /// Sets the protocol keys in the `_meta` of the request. Other keys are preserved.
    pub(crate) fn apply(&self, request: &mut ClientRequest, token: Option<ProgressToken>) -> Result<(), ClientError> {
        let set_keys = |meta: &mut RequestMeta| {
            meta.protocol_version = Some(self.revision.as_str().into());
            meta.client_capabilities = Some(Arc::clone(&self.capabilities));
            meta.client_info = Some(self.info.clone());
            meta.log_level = meta.log_level.or(self.log_level);
            meta.progress_token = token;
        };
        with_meta(request, set_keys)
    }
}

/// Changes the `_meta` of a request, including requests with custom methods.
pub(crate) fn with_meta(request: &mut ClientRequest, change: impl FnOnce(&mut RequestMeta)) -> Result<(), ClientError> {
    let ClientRequest::Custom(other) = request else {
        meta_of(request).map(change);
        return Ok(());
    };
    let invalid = |error: serde_json::Error| {
        let message = format!("parameters of `{}` must serialize to a JSON object: {error}", other.method);
        ClientError::new(crate::error::ErrorKind::InvalidRequest, message)
    };
    let mut params: RawMap = other.params.decode().map_err(invalid)?;
    let mut meta: RequestMeta =
        params.get("_meta").map(RawJson::decode).transpose().map_err(invalid)?.unwrap_or_default();
    change(&mut meta);
    if meta.is_empty() {
        params.remove("_meta");
    } else {
        params.insert("_meta", RawJson::new(&meta).map_err(invalid)?);
    }
    other.params = RawJson::new(&params).map_err(invalid)?;
    Ok(())
}

/// Returns the `_meta` of a request with a standard method.
fn meta_of(request: &mut ClientRequest) -> Option<&mut RequestMeta> {
    Some(match request {
        ClientRequest::Initialize(params) => &mut params.meta,
        ClientRequest::Discover(params) | ClientRequest::Ping(params) => &mut params.meta,
        ClientRequest::ListTools(params)
        | ClientRequest::ListResources(params)
        | ClientRequest::ListResourceTemplates(params)
        | ClientRequest::ListPrompts(params)
        | ClientRequest::ListTasks(params) => &mut params.meta,
        ClientRequest::CallTool(params) => &mut params.meta,
        ClientRequest::ReadResource(params) => &mut params.meta,
        ClientRequest::Subscribe(params) | ClientRequest::Unsubscribe(params) => &mut params.meta,
        ClientRequest::GetPrompt(params) => &mut params.meta,
        ClientRequest::Complete(params) => &mut params.meta,
        ClientRequest::SetLevel(params) => &mut params.meta,
        ClientRequest::Listen(params) => &mut params.meta,
        ClientRequest::GetTask(params) | ClientRequest::GetTaskPayload(params) | ClientRequest::CancelTask(params) => {
            &mut params.meta
        }
        _ => return None,
    })
}

/// Creates a `server/discover` request, the probe for servers of unknown era. It has no side effects.
pub(crate) fn discover_request() -> ClientRequest {
    ClientRequest::Discover(DiscoverParams::default())
}

/// Parses the result of `server/discover`. Returns `None` if it is not the result of a modern server.
pub(crate) fn parse_discover(result: &RawJson) -> Option<DiscoverResult> {
    decode_result("server/discover", result).ok()
}

/// Converts the result of `server/discover`.
pub(crate) fn server_info(result: DiscoverResult) -> ServerInfo {
    ServerInfo {
        // The specification puts it in `_meta`, although some servers put it elsewhere.
        server: result.meta.server_info(),
        capabilities: result.capabilities,
        instructions: result.instructions,
    }
}

/// Returns whether only modern servers send this error. It prevents the fallback to `initialize`.
pub(crate) fn is_modern_error(error: &Error) -> bool {
    let modern = [ErrorCode::HEADER_MISMATCH, ErrorCode::MISSING_CLIENT_CAPABILITY, ErrorCode::UNSUPPORTED_REVISION];
    modern.contains(&error.code)
}

/// Returns the supported revisions listed in an error, or an empty list.
pub(crate) fn supported_versions(error: &Error) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Data {
        supported: Vec<RawJson>,
    }
    let data = error.data.as_ref().and_then(|data| data.decode::<Data>().ok());
    data.into_iter().flat_map(|data| data.supported).filter_map(|version| version.decode().ok()).collect()
}
