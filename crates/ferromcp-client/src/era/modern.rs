//! The modern era: every request says who asks, in which revision, and what the client can do.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#meta>.

use std::sync::Arc;

use ferromcp_core::meta::key;
use ferromcp_core::model::{ClientCapabilities, DiscoverParams, DiscoverResult, LogLevel};
use ferromcp_core::{ClientRequest, Error, ErrorCode, ProgressToken, RawJson, RawMap, RequestMeta, Revision};

use super::About;
use crate::error::ClientError;

/// What all modern requests of a client have in common.
#[derive(Debug, Clone)]
pub(crate) struct Dress {
    pub(crate) revision: Revision,
    pub(crate) capabilities: Arc<ClientCapabilities>,
    pub(crate) info: RawJson,
    pub(crate) log_level: Option<LogLevel>,
}

impl Dress {
    /// Puts the protocol's keys into the request's `_meta`; what the caller put there stays.
    pub(crate) fn put_on(&self, request: &mut ClientRequest, token: Option<ProgressToken>) -> Result<(), ClientError> {
        let dress = |meta: &mut RequestMeta| {
            meta.protocol_version = Some(self.revision.as_str().into());
            meta.client_capabilities = Some(Arc::clone(&self.capabilities));
            meta.client_info = Some(self.info.clone());
            meta.log_level = meta.log_level.or(self.log_level);
            meta.progress_token = token;
        };
        with_meta(request, dress)
    }
}

/// Changes the `_meta` of a request, one of somebody's own included.
pub(crate) fn with_meta(request: &mut ClientRequest, change: impl FnOnce(&mut RequestMeta)) -> Result<(), ClientError> {
    let ClientRequest::Other(other) = request else {
        meta_of(request).map(change);
        return Ok(());
    };
    let bad = |error: serde_json::Error| {
        let message = format!("the parameters of `{}` are to be an object: {error}", other.method);
        ClientError::new(crate::error::ErrorKind::Invalid, message)
    };
    let mut params: RawMap = other.params.decode().map_err(bad)?;
    let mut meta: RequestMeta = params.get("_meta").map(RawJson::decode).transpose().map_err(bad)?.unwrap_or_default();
    change(&mut meta);
    if meta.is_empty() {
        params.remove("_meta");
    } else {
        params.insert("_meta", RawJson::new(&meta).map_err(bad)?);
    }
    other.params = RawJson::new(&params).map_err(bad)?;
    Ok(())
}

/// The `_meta` of a request whose method is known.
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

/// The first question to a server whose era is not known: it has no side effects, and only modern servers have it.
pub(crate) fn probe() -> ClientRequest {
    ClientRequest::Discover(DiscoverParams::default())
}

/// What the answer says; `None` if it is not one of a modern server.
pub(crate) fn discovered(result: &RawJson) -> Option<DiscoverResult> {
    result.decode().ok()
}

/// What a server says of itself in the answer.
pub(crate) fn about(result: DiscoverResult) -> About {
    About {
        // Its place is `_meta`, whatever some servers do.
        server: result.meta.read(key::SERVER_INFO),
        capabilities: result.capabilities,
        instructions: result.instructions,
    }
}

/// Whether only a modern server answers so; then there is no falling back to the handshake.
pub(crate) fn is_modern_error(error: &Error) -> bool {
    let modern = [ErrorCode::HEADER_MISMATCH, ErrorCode::MISSING_CLIENT_CAPABILITY, ErrorCode::UNSUPPORTED_REVISION];
    modern.contains(&error.code)
}

/// The revisions that an error says are spoken; empty where it says nothing.
pub(crate) fn supported(error: &Error) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Data {
        supported: Vec<String>,
    }
    let data = error.data.as_ref().and_then(|data| data.decode::<Data>().ok());
    data.map(|data| data.supported).unwrap_or_default()
}
