//! Sends requests over the current connection, and retries them when that is safe.

use std::time::Duration;

use ferromcp_core::model::ToolDefinition;
use ferromcp_core::text::excerpt;
use ferromcp_core::{ClientRequest, ErrorCode, RawJson, Revision};
use tokio::time::sleep;

use super::connection::Connection;
use super::timeout::CallDeadline;
use super::{Engine, Options};
use crate::backoff::Backoff;
use crate::channel::{BoxFuture, ChannelError, Outgoing, TransportKind, is_permanent};
use crate::decode::decode_server_result;
use crate::era::features::has_header_arguments;
use crate::era::modern;
use crate::error::{ClientError, ErrorKind};
use crate::pagination::{Page, Pages};

/// Retries made so far for one request.
struct RetryState {
    retries: u32,
    /// Attempts that were not sent.
    unsent: Backoff,
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
        let deadline = CallDeadline::start(options, &self.settings.limits);
        deadline.run(self, request.method(), self.send_before(request, options, &deadline)).await
    }

    /// Sends a request of a call whose deadline is `deadline`. The caller applies the deadline.
    ///
    /// # Errors
    /// See [`send`](Self::send).
    pub(crate) async fn send_before(
        &self,
        request: &ClientRequest,
        options: &Options,
        deadline: &CallDeadline,
    ) -> Result<(RawJson, Revision), ClientError> {
        let _permit = self.permits.acquire().await.map_err(|_| ClientError::closed("the client was closed"))?;
        self.attempts(request, options, deadline).await
    }

    /// Sends a request with retries. The caller holds a permit, which also covers the requests of a refresh.
    async fn attempts(
        &self,
        request: &ClientRequest,
        options: &Options,
        deadline: &CallDeadline,
    ) -> Result<(RawJson, Revision), ClientError> {
        let mut retry_state = RetryState {
            retries: 0,
            unsent: Backoff::for_restarts(&self.settings.limits),
            version_corrected: false,
            reconnected: false,
            tools_refreshed: false,
        };
        // Whether the server rejected the session of an earlier attempt.
        let mut session_gone = false;
        loop {
            let connection = self.connection_before(Some(deadline)).await?;
            connection.ensure_supported(request)?;
            let failure = match self.send_once(&connection, request, options, deadline).await? {
                Ok(result) => return Ok((result, connection.revision())),
                Err(failure) => failure,
            };
            if !self.should_retry(&connection, request, options, &failure, &mut retry_state, deadline).await {
                return Err(match failure {
                    ChannelError::SessionGone { in_flight: false } if session_gone => {
                        ClientError::rejected_sessions(request.method())
                    }
                    ChannelError::Status { status: 404 | 405, .. } => {
                        ClientError::of(request.method(), failure).and("check that the URL is the MCP endpoint")
                    }
                    failure => ClientError::of(request.method(), failure),
                });
            }
            session_gone |= matches!(failure, ChannelError::SessionGone { in_flight: false });
            tracing::debug!(method = request.method(), ?failure, "retrying a request");
        }
    }

    /// Sends the request once, over `connection`.
    async fn send_once(
        &self,
        connection: &Connection,
        request: &ClientRequest,
        options: &Options,
        deadline: &CallDeadline,
    ) -> Result<Result<RawJson, ChannelError>, ClientError> {
        let id = self.ids.next();
        // Progress is requested for tool calls, which may take long, and for callers with a listener.
        let wants_progress = options.progress.is_some() || matches!(request, ClientRequest::CallTool(_));
        let token = wants_progress.then(|| id.clone());
        let mut outgoing = connection.outgoing(id, request.clone(), token)?;
        self.annotate(connection, &mut outgoing)?;
        Ok(self.wait_for_response(connection, outgoing, options, deadline).await)
    }

    /// Sets the arguments that are mirrored in headers, if the transport is HTTP.
    fn annotate(&self, connection: &Connection, outgoing: &mut Outgoing) -> Result<(), ClientError> {
        let ClientRequest::CallTool(call) = &outgoing.request else { return Ok(()) };
        if self.transport_kind() != TransportKind::Post || !has_header_arguments(connection.revision()) {
            return Ok(());
        }
        let Some(tool) = self.tool_cache.get(&call.name) else { return Ok(()) };
        let header_annotations = tool.header_annotations.as_ref().map_err(|error| {
            let message = format!("cannot call tool `{}` over HTTP: {error}", excerpt(&call.name));
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
        deadline: &CallDeadline,
    ) -> bool {
        match failure {
            ChannelError::Lost(_) => self.is_idempotent(request, options) && self.retries(connection, retry_state),
            ChannelError::Unsent(error) => {
                !is_permanent(error) && self.retries_unsent(connection, retry_state, deadline).await
            }
            ChannelError::SessionGone { .. }
            | ChannelError::SessionRejected { .. }
            | ChannelError::Status { status: 400 | 404 | 405, .. } => {
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
                    !std::mem::replace(&mut retry_state.tools_refreshed, true)
                        && Box::pin(self.refresh_tools(deadline)).await
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

    /// Returns whether to retry a request that was not sent. Over HTTP, waits first, because a server that restarts refuses
    /// connections for a while. Other connections are reopened, which waits as well.
    async fn retries_unsent(
        &self,
        connection: &Connection,
        retry_state: &mut RetryState,
        deadline: &CallDeadline,
    ) -> bool {
        if self.transport_kind() == TransportKind::Pipe {
            return self.retries(connection, retry_state);
        }
        if self.is_closed() {
            return true; // the next attempt fails with the reason
        }
        if !self.connector.can_reopen() {
            return false;
        }
        let delay = retry_state.unsent.next_delay(Some(Duration::ZERO));
        let Some(delay) = delay.filter(|delay| deadline.allows(*delay)) else { return false };
        sleep(delay).await;
        true
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
    async fn refresh_tools(&self, deadline: &CallDeadline) -> bool {
        self.tool_cache.clear();
        let list_version = self.router.list_version();
        let mut pages = Pages::new();
        while let Some(page) = pages.next(&self.settings.limits, |cursor| self.fetch_tools(cursor, deadline)).await {
            match page {
                Ok(tools) => tools.iter().for_each(|tool| drop(self.tool_cache.insert(tool, list_version))),
                Err(error) => return error.kind() == ErrorKind::Limit, // the tools within the limit are cached
            }
        }
        true
    }

    fn fetch_tools<'a>(
        &'a self,
        cursor: Option<String>,
        deadline: &'a CallDeadline,
    ) -> BoxFuture<'a, Result<Page<ToolDefinition>, ClientError>> {
        Box::pin(async move {
            let request = Page::<ToolDefinition>::request(cursor);
            let (raw, _) = self.attempts(&request, &Options::default(), deadline).await?;
            let result = decode_server_result(request.method(), &raw).map_err(ClientError::malformed)?;
            Page::from_result(result, raw.as_str().len())
        })
    }
}
