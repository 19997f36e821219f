//! Sends requests over the current connection, and retries them when that is safe.

use ferromcp_core::model::ToolDefinition;
use ferromcp_core::{ClientRequest, ErrorCode, RawJson, Revision, ServerResult};

use super::connection::Connection;
use super::{Engine, Options};
use crate::channel::{BoxFuture, ChannelError, Outgoing, TransportKind};
use crate::era::features::has_header_arguments;
use crate::era::modern;
use crate::error::{ClientError, ErrorKind};
use crate::pagination::{Page, Pages};

/// Retries made so far for one request.
#[derive(Default)]
struct RetryState {
    retries: u32,
    version_corrected: bool,
    reconnected: bool,
    tools_refreshed: bool,
}

impl Engine {
    /// Sends a request. Returns its result, not deserialized, and the revision it is serialized in.
    ///
    /// # Errors
    /// Fails on timeout, if the server responds with an error, or if the retries are exhausted.
    pub(crate) async fn send(
        &self,
        request: &ClientRequest,
        options: &Options,
    ) -> Result<(RawJson, Revision), ClientError> {
        let time_limit = options.cap.unwrap_or(self.settings.limits.request_time_limit);
        let sending = async {
            let _permit = self.permits.acquire().await.map_err(|_| ClientError::closed("the client was closed"))?;
            self.attempts(request, options).await
        };
        match tokio::time::timeout(time_limit, sending).await {
            Ok(result) => result,
            Err(_) => Err(ClientError::timeout(request.method(), time_limit)),
        }
    }

    /// Sends a request with retries. The caller holds a permit, which also covers the requests of a refresh.
    async fn attempts(&self, request: &ClientRequest, options: &Options) -> Result<(RawJson, Revision), ClientError> {
        let mut retry_state = RetryState::default();
        loop {
            let connection = self.connection().await?;
            connection.ensure_supported(request)?;
            let failure = match self.send_once(&connection, request, options).await? {
                Ok(result) => return Ok((result, connection.revision())),
                Err(failure) => failure,
            };
            if !self.should_retry(&connection, request, options, &failure, &mut retry_state).await {
                return Err(ClientError::of(request.method(), failure));
            }
            tracing::debug!(method = request.method(), ?failure, "retrying a request");
        }
    }

    /// Sends the request once, over `connection`.
    async fn send_once(
        &self,
        connection: &Connection,
        request: &ClientRequest,
        options: &Options,
    ) -> Result<Result<RawJson, ChannelError>, ClientError> {
        let id = self.ids.next();
        // Progress is requested for tool calls, which may take long, and for callers with a listener.
        let wants_progress = options.progress.is_some() || matches!(request, ClientRequest::CallTool(_));
        let token = wants_progress.then(|| id.clone());
        let mut outgoing = connection.outgoing(id, request.clone(), token)?;
        self.annotate(connection, &mut outgoing)?;
        self.wait_for_response(connection, outgoing, options).await
    }

    /// Sets the arguments that are mirrored in headers, if the transport is HTTP.
    fn annotate(&self, connection: &Connection, outgoing: &mut Outgoing) -> Result<(), ClientError> {
        let ClientRequest::CallTool(call) = &outgoing.request else { return Ok(()) };
        if self.transport_kind() != TransportKind::Post || !has_header_arguments(connection.revision()) {
            return Ok(());
        }
        let Some(tool) = self.tool_cache.get(&call.name) else { return Ok(()) };
        let header_annotations = tool.header_annotations.as_ref().map_err(|error| {
            let message = format!("cannot call tool `{}` over HTTP: {error}", call.name);
            ClientError::new(ErrorKind::InvalidRequest, message)
        })?;
        outgoing.annotations = header_annotations.clone();
        Ok(())
    }

    /// Returns whether to retry after `failure`. A request that may have been executed is retried only if it is idempotent.
    async fn should_retry(
        &self,
        connection: &Connection,
        request: &ClientRequest,
        options: &Options,
        failure: &ChannelError,
        retry_state: &mut RetryState,
    ) -> bool {
        match failure {
            ChannelError::Lost(_) => self.is_idempotent(request, options) && self.retries(connection, retry_state),
            ChannelError::Unsent(_) => self.retries(connection, retry_state),
            ChannelError::SessionGone { .. } | ChannelError::Status { status: 400 | 404 | 405, .. } => {
                connection.retire();
                let may_have_run = matches!(failure, ChannelError::SessionGone { in_flight: true });
                let retryable = !may_have_run || self.is_idempotent(request, options);
                retryable && !std::mem::replace(&mut retry_state.reconnected, true) && self.connector.can_reopen()
            }
            ChannelError::Rpc { error, .. } if connection.revision().is_modern() => match error.code {
                ErrorCode::UNSUPPORTED_REVISION => {
                    let spoken =
                        modern::supported_versions(error).iter().any(|name| name == connection.revision().as_str());
                    if !spoken {
                        connection.retire(); // the server was replaced
                    }
                    !std::mem::replace(&mut retry_state.version_corrected, true)
                        && (spoken || self.connector.can_reopen())
                }
                ErrorCode::HEADER_MISMATCH if matches!(request, ClientRequest::CallTool(_)) => {
                    !std::mem::replace(&mut retry_state.tools_refreshed, true) && Box::pin(self.refresh_tools()).await
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn retries(&self, connection: &Connection, retry_state: &mut RetryState) -> bool {
        retry_state.retries += 1;
        // Each POST uses its own connection. On an open pipe, a retry would fail again.
        let gone = connection.channel.is_closed() || self.transport_kind() == TransportKind::Post;
        retry_state.retries <= self.settings.limits.retries && gone && self.connector.can_reopen()
    }

    /// Returns whether the request is idempotent.
    fn is_idempotent(&self, request: &ClientRequest, options: &Options) -> bool {
        match (options.idempotent, request) {
            (Some(idempotent), _) => idempotent,
            (None, ClientRequest::CallTool(call)) => {
                self.tool_cache.get(&call.name).is_some_and(|tool| tool.is_idempotent())
            }
            (None, ClientRequest::Custom(_)) => false,
            (None, _) => true,
        }
    }

    /// Lists the tools again, because the cached header annotations are outdated.
    async fn refresh_tools(&self) -> bool {
        self.tool_cache.clear();
        let list_version = self.router.list_version();
        let mut pages = Pages::new();
        while let Some(page) = pages.next(&self.settings.limits, |cursor| self.fetch_tools(cursor)).await {
            match page {
                Ok(tools) => tools.iter().for_each(|tool| drop(self.tool_cache.insert(tool, list_version))),
                Err(error) => return error.kind() == ErrorKind::Limit, // the tools within the limit are cached
            }
        }
        true
    }

    fn fetch_tools(&self, cursor: Option<String>) -> BoxFuture<'_, Result<Page<ToolDefinition>, ClientError>> {
        Box::pin(async move {
            let request = Page::<ToolDefinition>::request(cursor);
            let (result, _) = self.attempts(&request, &Options::default()).await?;
            Page::from_result(ServerResult::decode(request.method(), &result).map_err(ClientError::malformed)?)
        })
    }
}
