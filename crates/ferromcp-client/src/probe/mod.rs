//! Version negotiation: detects the era and revision of a server with as few requests as the specification allows.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning>.

mod classify;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::model::DiscoverResult;
use ferromcp_core::{ClientRequest, Era, Error, RawJson, Revision};
use tokio::time::timeout;

use crate::channel::{BoxFuture, Channel, ChannelError, Outgoing, RequestIds, TransportKind};
use crate::connect::Connector;
use crate::era::{ServerInfo, legacy, modern};
use crate::error::{ClientError, ErrorKind};
use crate::inbound_dispatcher::InboundDispatcher;
use crate::negotiated::Negotiated;
use crate::notification_router::NotificationRouter;
use crate::patient_timeout::patient_timeout;
use crate::settings::Settings;
use classify::{Classification, Context, Legacy, ProbeResult, classify};

/// Context of a negotiation.
pub(crate) struct Negotiation<'a> {
    pub(crate) connector: &'a dyn Connector,
    pub(crate) settings: &'a Settings,
    pub(crate) router: &'a Arc<NotificationRouter>,
    pub(crate) ids: &'a RequestIds,
}

/// An open channel with its negotiated revision.
pub(crate) struct NegotiatedChannel {
    pub(crate) channel: Arc<dyn Channel>,
    pub(crate) negotiated: Negotiated,
    pub(crate) server_info: ServerInfo,
}

/// An open channel whose server is not classified yet.
struct Candidate {
    channel: Arc<dyn Channel>,
    dispatcher: Arc<InboundDispatcher>,
}

type PendingResult = BoxFuture<'static, Result<RawJson, ChannelError>>;

impl Negotiation<'_> {
    /// Opens a channel and negotiates a revision. A saved result skips the probe, unless it is outdated.
    ///
    /// # Errors
    /// Fails if the server cannot be reached, or shares no allowed revision with the client.
    pub(crate) async fn run(&self, negotiated: Option<Negotiated>) -> Result<NegotiatedChannel, ClientError> {
        let version_policy = self.settings.version_policy;
        if version_policy.newest(Era::Modern, None).is_none() {
            return self.handshake_only(false).await;
        }
        if let Some(negotiated) = negotiated
            .filter(|negotiated| negotiated.era() == Era::Legacy && version_policy.allows(negotiated.revision))
        {
            match self.handshake_only(negotiated.http_sse).await {
                Err(error) if is_stale(&error) => {
                    tracing::debug!(%error, "the saved negotiation result is stale; probing");
                }
                result => return result,
            }
        }
        self.probe(negotiated.is_some_and(|negotiated| negotiated.era() == Era::Modern)).await
    }

    async fn handshake_only(&self, http_sse: bool) -> Result<NegotiatedChannel, ClientError> {
        let opening = if http_sse {
            self.open_http_sse().await.map(|opened| opened.map_err(http_sse_error))
        } else {
            Some(self.open().await.map_err(|failure| ClientError::connecting("initialize", failure)))
        };
        let candidate = match opening {
            Some(candidate) => candidate.map_err(|error| self.with_remedy(error))?,
            None => {
                return Err(ClientError::new(
                    ErrorKind::Negotiation,
                    "cannot use HTTP+SSE: the connector does not support it",
                ));
            }
        };
        self.handshake(candidate, None, http_sse).await.map_err(|error| self.with_remedy(error))
    }

    async fn open(&self) -> Result<Candidate, ChannelError> {
        let dispatcher = self.dispatcher();
        let opening = self.connector.open(Arc::clone(&dispatcher) as _, &self.settings.limits);
        Ok(Candidate { channel: self.opened(opening).await?, dispatcher })
    }

    async fn open_http_sse(&self) -> Option<Result<Candidate, ChannelError>> {
        let dispatcher = self.dispatcher();
        let opening = self.connector.open_http_sse(Arc::clone(&dispatcher) as _, &self.settings.limits)?;
        Some(self.opened(opening).await.map(|channel| Candidate { channel, dispatcher }))
    }

    fn dispatcher(&self) -> Arc<InboundDispatcher> {
        Arc::new(InboundDispatcher::new(Arc::clone(self.router)))
    }

    async fn opened(
        &self,
        opening: BoxFuture<'_, Result<Arc<dyn Channel>, ChannelError>>,
    ) -> Result<Arc<dyn Channel>, ChannelError> {
        let limit = self.settings.limits.connect_timeout;
        patient_timeout(self.connector, limit, opening)
            .await
            .map_err(|_| ChannelError::unsent(timed_out(limit, "opening the connection")))?
    }

    async fn probe(&self, was_modern: bool) -> Result<NegotiatedChannel, ClientError> {
        let limits = &self.settings.limits;
        // A server that was modern before is slow if the probe times out.
        let limit = if was_modern { limits.connect_timeout } else { limits.probe_timeout };
        let context = Context { was_modern, ..self.context() };
        let revision = self.settings.version_policy.newest(Era::Modern, None).unwrap_or(Revision::LATEST);
        let candidate = self.open().await.map_err(|failure| ClientError::connecting("server/discover", failure))?;
        let mut corrected = false;
        loop {
            let mut pending = self.discover(&candidate, revision)?;
            let result = match patient_timeout(self.connector, limit, &mut pending).await {
                Ok(Ok(result)) => ProbeResult::Response(result),
                Ok(Err(failure)) => ProbeResult::Failed(failure),
                Err(_) => ProbeResult::Timeout,
            };
            let silent = matches!(result, ProbeResult::Timeout);
            match classify(result, context) {
                Classification::Modern(found) => return Ok(self.modern(candidate, revision, *found)),
                // Only one retry, because a server might reject the revisions that it lists.
                Classification::RetryModern(_) if !corrected => corrected = true,
                Classification::RetryModern(error) => {
                    return self.close_with_error(candidate, ClientError::rpc_error(error)).await;
                }
                Classification::Fail(error) => {
                    return self.close_with_error(candidate, self.with_remedy(error)).await;
                }
                Classification::Legacy(found) if found.reconnect && !self.connector.can_reopen() => {
                    let message = format!("{}, and the connection cannot be reopened", found.because);
                    return Err(ClientError::new(ErrorKind::Connect, message));
                }
                Classification::Legacy(Legacy { offered, reconnect, because }) => {
                    let result = if reconnect {
                        drop(candidate);
                        self.reconnect(offered, &because).await
                    } else {
                        let result = if silent {
                            self.late_discover(candidate, offered.clone(), pending, revision).await
                        } else {
                            self.handshake(candidate, offered.clone(), false).await
                        };
                        match result {
                            Err(error) if self.may_be_due_to_probe(&error) => {
                                tracing::debug!(%error, "the handshake failed after the probe");
                                self.reconnect(offered, &because).await
                            }
                            result => result,
                        }
                    };
                    return result.map_err(|error| self.with_remedy(after_probe(error, &because)));
                }
            }
        }
    }

    fn context(&self) -> Context {
        Context {
            transport_kind: self.connector.transport_kind(),
            version_policy: self.settings.version_policy,
            was_modern: false,
        }
    }

    /// Appends a remedy to the error of a URL that responds, but not as an MCP endpoint.
    fn with_remedy(&self, error: ClientError) -> ClientError {
        let is_foreign = error.kind() == ErrorKind::InvalidResponse;
        if is_foreign && self.connector.transport_kind() == TransportKind::Post {
            return error.and("check that the URL is an MCP endpoint");
        }
        error
    }

    fn discover(&self, candidate: &Candidate, revision: Revision) -> Result<PendingResult, ClientError> {
        let mut request = modern::discover_request();
        self.request_meta_template(revision).apply(&mut request, None)?;
        Ok(candidate.channel.request(Outgoing::new(self.ids.next(), request, revision)))
    }

    /// Creates the `_meta` of modern requests.
    pub(crate) fn request_meta_template(&self, revision: Revision) -> modern::RequestMetaTemplate {
        modern::RequestMetaTemplate {
            revision,
            capabilities: Arc::new(self.settings.capabilities(&self.router.handlers, revision)),
            info: self.settings.info_json.clone(),
            log_level: self.settings.log_level,
        }
    }

    #[allow(clippy::unused_self, reason = "consistent with the other outcomes of the negotiation")]
    fn modern(&self, candidate: Candidate, revision: Revision, found: DiscoverResult) -> NegotiatedChannel {
        candidate.dispatcher.set_modern();
        candidate.channel.set_revision(revision);
        NegotiatedChannel {
            channel: candidate.channel,
            negotiated: Negotiated::new(revision),
            server_info: modern::server_info(found),
        }
    }

    /// Returns whether a handshake on the connection of the probe may have failed because of the probe, and can be repeated on
    /// another connection. Some proxies open a session with their server on the first request, and reject `initialize` in it.
    /// A slow server may exit on the probe after it timed out.
    fn may_be_due_to_probe(&self, error: &ClientError) -> bool {
        matches!(error.kind(), ErrorKind::Server | ErrorKind::Connect)
            && self.connector.transport_kind() == TransportKind::Pipe
            && self.connector.can_reopen()
    }

    /// Reconnects for a handshake. Some servers exit on any request before `initialize`.
    async fn reconnect(&self, offered: Option<Vec<String>>, because: &str) -> Result<NegotiatedChannel, ClientError> {
        tracing::debug!(because, "reconnecting for a handshake");
        let candidate = self.open().await.map_err(|failure| ClientError::connecting("initialize", failure))?;
        self.handshake(candidate, offered, false).await
    }

    /// Sends `initialize` after the probe timed out. If the server rejects it, checks for a late response to the probe.
    async fn late_discover(
        &self,
        candidate: Candidate,
        offered: Option<Vec<String>>,
        pending: PendingResult,
        revision: Revision,
    ) -> Result<NegotiatedChannel, ClientError> {
        let same_channel =
            Candidate { channel: Arc::clone(&candidate.channel), dispatcher: Arc::clone(&candidate.dispatcher) };
        let result = self.open_session(&same_channel, offered, false).await;
        let is_rejected = result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Server);
        if is_rejected {
            // The response to the probe precedes the rejection.
            if let Ok(Ok(result)) = timeout(Duration::from_millis(100), pending).await {
                if let Classification::Modern(found) = classify(ProbeResult::Response(result), self.context()) {
                    return Ok(self.modern(candidate, revision, *found));
                }
            }
        }
        match result {
            Ok(channel) => Ok(channel),
            Err(error) => self.close_with_error(candidate, error).await,
        }
    }

    async fn handshake(
        &self,
        candidate: Candidate,
        offered: Option<Vec<String>>,
        http_sse: bool,
    ) -> Result<NegotiatedChannel, ClientError> {
        match self.open_session(&candidate, offered, http_sse).await {
            Ok(channel) => Ok(channel),
            Err(error) if !http_sse && lacks_endpoint(&error) => {
                let Some(fallback) = self.open_http_sse().await else {
                    return self.close_with_error(candidate, error).await;
                };
                drop(candidate);
                match fallback {
                    Ok(candidate) => match self.open_session(&candidate, None, true).await {
                        Ok(channel) => Ok(channel),
                        Err(sse_error) => {
                            let error = sse_error.about("HTTP+SSE").and(&format!("before that, {error}"));
                            self.close_with_error(candidate, error).await
                        }
                    },
                    Err(failure) => Err(both_failed(error, failure)),
                }
            }
            Err(error) => self.close_with_error(candidate, error).await,
        }
    }

    /// Performs the handshake: `initialize`, `notifications/initialized`, and `logging/setLevel` if a level is set.
    async fn open_session(
        &self,
        candidate: &Candidate,
        offered: Option<Vec<String>>,
        http_sse: bool,
    ) -> Result<NegotiatedChannel, ClientError> {
        let version_policy = self.settings.version_policy;
        let mut offer = version_policy.newest(Era::Legacy, offered.as_deref());
        let mut corrected = false;
        let result = loop {
            let revision = offer.ok_or_else(no_common_legacy_revision)?;
            match self.initialize(candidate, revision).await? {
                Ok(result) => break result,
                Err(error) => {
                    let other = version_policy.newest(Era::Legacy, Some(&modern::supported_versions(&error)));
                    if corrected || other.is_none_or(|other| other == revision) {
                        return Err(ClientError::rpc_error(error));
                    }
                    (offer, corrected) = (other, true);
                }
            }
        };
        let (revision, server_info) = legacy::parse_initialize(&result, version_policy)?;
        candidate.channel.set_revision(revision);
        let opened = candidate.channel.notify(legacy::initialized_notification(), revision).await;
        opened.map_err(|failure| ClientError::connecting("notifications/initialized", failure))?;
        self.set_log_level(candidate, revision, &server_info).await;
        let mut negotiated = Negotiated::new(revision);
        negotiated.http_sse = http_sse;
        Ok(NegotiatedChannel { channel: Arc::clone(&candidate.channel), negotiated, server_info })
    }

    /// Sends `initialize`. The inner error is the response of the server, which may list supported revisions.
    async fn initialize(
        &self,
        candidate: &Candidate,
        revision: Revision,
    ) -> Result<Result<RawJson, Error>, ClientError> {
        let capabilities = self.settings.capabilities(&self.router.handlers, revision);
        let request = legacy::initialize_request(revision, capabilities, self.settings.info.clone());
        match self.request(candidate, request, revision).await {
            Ok(result) => Ok(Ok(result)),
            Err(ChannelError::Rpc { error, status: None | Some(200) }) => Ok(Err(error)),
            Err(ChannelError::Rpc { error, .. }) if !modern::supported_versions(&error).is_empty() => Ok(Err(error)),
            Err(ChannelError::Rpc { error, status: Some(status) }) if matches!(status, 400 | 404 | 405) => {
                let body = error.to_string();
                let is_rejected = ClientError::of("initialize", ChannelError::Status { status, body }).with_rpc(error);
                Err(is_rejected.because(NoEndpoint))
            }
            Err(failure @ ChannelError::Status { status: 400 | 404 | 405, .. }) => {
                Err(ClientError::of("initialize", failure).because(NoEndpoint))
            }
            Err(ChannelError::SessionGone { .. }) => {
                Err(ClientError::closed("the server has no session at this URL").because(NoEndpoint))
            }
            Err(failure) => Err(ClientError::connecting("initialize", failure)),
        }
    }

    async fn set_log_level(&self, candidate: &Candidate, revision: Revision, server_info: &ServerInfo) {
        let Some(level) = self.settings.log_level.filter(|_| server_info.capabilities.logging.is_some()) else {
            return;
        };
        if let Err(failure) = self.request(candidate, legacy::set_level(level), revision).await {
            tracing::warn!(?failure, "the server rejected the log level");
        }
    }

    async fn request(
        &self,
        candidate: &Candidate,
        request: ClientRequest,
        revision: Revision,
    ) -> Result<RawJson, ChannelError> {
        let request_future = candidate.channel.request(Outgoing::new(self.ids.next(), request, revision));
        let limit = self.settings.limits.connect_timeout;
        patient_timeout(self.connector, limit, request_future)
            .await
            .map_err(|_| ChannelError::lost(timed_out(limit, "waiting for the response")))?
    }

    async fn close_with_error(
        &self,
        candidate: Candidate,
        error: ClientError,
    ) -> Result<NegotiatedChannel, ClientError> {
        candidate.channel.close().await;
        Err(error)
    }
}

/// Creates the error of a step that exceeded the connect timeout.
fn timed_out(limit: Duration, step: &str) -> io::Error {
    let text = format!("timed out after {limit:?} ({step}); raise `ClientLimits::connect_timeout`");
    io::Error::new(io::ErrorKind::TimedOut, text)
}

/// Adds the outcome of the probe to the error of the handshake, which is the more likely cause.
fn after_probe(error: ClientError, because: &str) -> ClientError {
    let is_same = because.split_once(": ").is_some_and(|(_, cause)| error.to_string().contains(cause));
    if is_same {
        return error.and("before that, `server/discover` failed in the same way");
    }
    error.and(&format!("before that, {because}"))
}

/// Combines the errors of a handshake and of the fallback to HTTP+SSE. A stream that violates the protocol and missing
/// credentials are more likely causes than a URL without Streamable HTTP.
fn both_failed(handshake: ClientError, http_sse: ChannelError) -> ClientError {
    let is_cause = matches!(
        http_sse,
        ChannelError::Malformed(_) | ChannelError::Unauthorized { .. } | ChannelError::Credentials(_)
    );
    let http_sse = http_sse_error(http_sse);
    if is_cause {
        return http_sse.and(&format!("before that, {handshake}"));
    }
    handshake.and(&format!("HTTP+SSE failed as well: {http_sse}"))
}

/// Converts a failure to open the stream of HTTP+SSE.
fn http_sse_error(failure: ChannelError) -> ClientError {
    match failure {
        ChannelError::Malformed(why) => {
            ClientError::new(ErrorKind::InvalidResponse, format!("cannot use HTTP+SSE: {why}"))
        }
        failure => ClientError::connecting("GET", failure),
    }
}

/// Marker error: the HTTP status indicates that the URL is not a Streamable HTTP endpoint.
#[derive(Debug)]
struct NoEndpoint;

impl std::fmt::Display for NoEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the URL is not a Streamable HTTP endpoint")
    }
}

impl std::error::Error for NoEndpoint {}

fn lacks_endpoint(error: &ClientError) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<NoEndpoint>)
}

/// Returns whether an error shows that a saved result is stale. Unreachable servers and authorization errors are
/// inconclusive.
fn is_stale(error: &ClientError) -> bool {
    let inconclusive = [ErrorKind::Unauthorized, ErrorKind::Unavailable, ErrorKind::Connect];
    error.is_disconnected() || !inconclusive.contains(&error.kind())
}

fn no_common_legacy_revision() -> ClientError {
    ClientError::new(ErrorKind::Negotiation, "client and server have no common revision with a handshake")
}
