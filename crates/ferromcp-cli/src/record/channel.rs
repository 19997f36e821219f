//! A connection that records its messages.

use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use ferromcp_client::channel::{BoxFuture, Channel, ChannelError, Inbound, Outgoing, Responder, TransportKind};
use ferromcp_client::{ClientLimits, Connector};
use ferromcp_core::wire::encode;
use ferromcp_core::{ClientNotification, Error, RawJson, RequestId, Revision, ServerNotification, ServerRequest, Str};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::call::CALL;
use super::headers::{EXCHANGE, Exchange};
use super::message::{Direction, MessageKind, MessageRecord, Payload};
use super::recorder::Recorder;

/// Opens connections that record their messages.
pub(super) struct RecordedConnector {
    inner: Box<dyn Connector>,
    recorder: Recorder,
}

impl RecordedConnector {
    pub(super) fn new(inner: Box<dyn Connector>, recorder: Recorder) -> Self {
        Self { inner, recorder }
    }

    fn inbound(&self, inner: Arc<dyn Inbound>) -> Arc<dyn Inbound> {
        Arc::new(RecordedInbound { inner, recorder: self.recorder.clone() })
    }

    fn channel(&self, inner: Arc<dyn Channel>, is_http: bool) -> Arc<dyn Channel> {
        Arc::new(RecordedChannel { inner, recorder: self.recorder.clone(), is_http })
    }
}

impl Connector for RecordedConnector {
    fn open<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, ChannelError>> {
        let is_http = self.inner.transport_kind() == TransportKind::Post;
        let opening = self.inner.open(self.inbound(inbound), limits);
        Box::pin(async move { Ok(self.channel(opening.await?, is_http)) })
    }

    fn open_http_sse<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> Option<BoxFuture<'a, Result<Arc<dyn Channel>, ChannelError>>> {
        let opening = self.inner.open_http_sse(self.inbound(inbound), limits)?;
        Some(Box::pin(async move { Ok(self.channel(opening.await?, false)) }))
    }

    fn can_reopen(&self) -> bool {
        self.inner.can_reopen()
    }

    fn transport_kind(&self) -> TransportKind {
        self.inner.transport_kind()
    }

    fn authorization(&self) -> String {
        self.inner.authorization()
    }

    fn waited_for_credentials(&self) -> Option<tokio::time::Instant> {
        self.inner.waited_for_credentials()
    }

    fn name(&self) -> String {
        self.inner.name()
    }
}

/// Records what the client sends, and the responses.
struct RecordedChannel {
    inner: Arc<dyn Channel>,
    recorder: Recorder,
    is_http: bool,
}

impl Channel for RecordedChannel {
    fn request(&self, outgoing: Outgoing) -> BoxFuture<'static, Result<RawJson, ChannelError>> {
        let recorder = self.recorder.clone();
        let params =
            params_of(|line| encode::client_request(line, &outgoing.id, outgoing.request.clone(), outgoing.revision));
        let method = outgoing.request.method().to_owned();
        let mut record = recorder.record(Direction::Sent, MessageKind::Request, &method, Payload::Params(params));
        record.id = raw(&outgoing.id);
        record.call = CALL.try_with(|call| call.id.clone()).ok();
        let (id, call, started) = (record.id.clone(), record.call.clone(), Instant::now());
        let seq = recorder.hub.message(record);
        let pending = PendingResponse { recorder, method, id, call, seq, started, is_complete: false };
        let (inner, is_http) = (self.inner.request(outgoing), self.is_http);
        Box::pin(async move {
            let exchange = Exchange::default();
            let outcome = EXCHANGE.scope(exchange.clone(), inner).await;
            if let Ok(result) = &outcome {
                let _ = CALL.try_with(|call| call.set_result(result.clone()));
            }
            pending.complete(&outcome, is_http.then_some(&exchange));
            outcome
        })
    }

    fn notify(
        &self,
        notification: ClientNotification,
        revision: Revision,
    ) -> BoxFuture<'static, Result<(), ChannelError>> {
        let params = params_of(|line| encode::client_notification(line, notification.clone(), revision));
        let payload = Payload::Params(params);
        let record = self.recorder.record(Direction::Sent, MessageKind::Notification, notification.method(), payload);
        self.recorder.hub.message(record);
        self.inner.notify(notification, revision)
    }

    fn set_revision(&self, revision: Revision) {
        self.inner.set_revision(revision);
    }

    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    fn closed(&self) -> BoxFuture<'static, ()> {
        self.inner.closed()
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        self.inner.close()
    }
}

/// A request without a response. Dropping it records that the client has cancelled it.
struct PendingResponse {
    recorder: Recorder,
    method: String,
    id: Option<RawJson>,
    call: Option<Str>,
    seq: u64,
    started: Instant,
    is_complete: bool,
}

impl PendingResponse {
    fn complete(mut self, outcome: &Result<RawJson, ChannelError>, exchange: Option<&Exchange>) {
        self.is_complete = true;
        let mut record = match outcome {
            Ok(result) => self.response(Direction::Received, Payload::Result(result.clone())),
            Err(ChannelError::Rpc { error, .. }) => {
                self.response(Direction::Received, Payload::Error(error_json(error)))
            }
            Err(error) => self.response(Direction::Received, local_error(&describe(error))),
        };
        record.http = exchange.map(|exchange| exchange.take(status(outcome)));
        self.recorder.hub.message(record);
    }

    fn response(&self, direction: Direction, payload: Payload) -> MessageRecord {
        let mut record = self.recorder.record(direction, MessageKind::Response, &self.method, payload);
        record.id.clone_from(&self.id);
        record.call.clone_from(&self.call);
        record.request = Some(self.seq);
        record.duration = Some(self.started.elapsed().as_secs_f64() * 1000.0);
        record
    }
}

impl Drop for PendingResponse {
    fn drop(&mut self) {
        if !self.is_complete {
            let record = self.response(Direction::Sent, local_error("cancelled by the client"));
            self.recorder.hub.message(record);
        }
    }
}

/// Returns the HTTP status of a response, as far as it is known.
fn status(outcome: &Result<RawJson, ChannelError>) -> Option<u16> {
    match outcome {
        Ok(_) => Some(200),
        Err(ChannelError::Rpc { status, .. }) => *status,
        Err(
            ChannelError::Status { status, .. }
            | ChannelError::Unauthorized { status, .. }
            | ChannelError::SessionRejected { status, .. },
        ) => Some(*status),
        Err(_) => None,
    }
}

fn describe(error: &ChannelError) -> String {
    match error {
        ChannelError::Status { status, body } => format!("HTTP status {status}: {body}"),
        ChannelError::Unauthorized { status, .. } => format!("HTTP status {status}: the server requires a login"),
        ChannelError::Credentials(error) => format!("cannot obtain credentials: {error}"),
        ChannelError::SessionGone { .. } => "the session has expired".to_owned(),
        ChannelError::SessionRejected { error, .. } => error.message.clone(),
        ChannelError::Unsendable(text) | ChannelError::Malformed(text) => text.clone(),
        ChannelError::Unsent(error) => format!("cannot send the request: {error}"),
        ChannelError::Lost(error) => format!("the connection was lost: {error}"),
        ChannelError::TooLarge(limit) => format!("the response is larger than {limit} bytes"),
        _ => "the request failed".to_owned(),
    }
}

/// Returns the error of a request that has no JSON-RPC error.
fn local_error(text: &str) -> Payload {
    Payload::Error(RawJson::from(json!({ "code": null, "message": text })))
}

/// Records what the server sends on its own.
struct RecordedInbound {
    inner: Arc<dyn Inbound>,
    recorder: Recorder,
}

impl Inbound for RecordedInbound {
    fn notification(&self, notification: ServerNotification) {
        let payload = Payload::Params(raw(&notification).unwrap_or_else(RawJson::empty_object));
        let method = notification.method();
        let record = self.recorder.record(Direction::Received, MessageKind::Notification, method, payload);
        self.recorder.hub.message(record);
        self.inner.notification(notification);
    }

    fn response_received(&self, id: &RequestId) {
        self.inner.response_received(id);
    }

    fn request(&self, id: RequestId, request: ServerRequest, responder: Responder) {
        let payload = Payload::Params(raw(&request).unwrap_or_else(RawJson::empty_object));
        let method = request.method().to_owned();
        let mut record = self.recorder.record(Direction::Received, MessageKind::Request, &method, payload);
        record.id = raw(&id);
        let (recorded_id, recorder, started) = (record.id.clone(), self.recorder.clone(), Instant::now());
        let seq = recorder.hub.message(record);
        let responder = Responder::new(move |outcome| {
            let payload = match &outcome {
                Ok(result) => Payload::Result(raw(result).unwrap_or_else(RawJson::empty_object)),
                Err(error) => Payload::Error(error_json(error)),
            };
            let mut record = recorder.record(Direction::Sent, MessageKind::Response, &method, payload);
            (record.id, record.request) = (recorded_id, Some(seq));
            record.duration = Some(started.elapsed().as_secs_f64() * 1000.0);
            recorder.hub.message(record);
            Box::pin(responder.send(outcome))
        });
        self.inner.request(id, request, responder);
    }
}

fn raw(value: &impl Serialize) -> Option<RawJson> {
    RawJson::new(value).ok()
}

fn error_json(error: &Error) -> RawJson {
    raw(error).unwrap_or_else(RawJson::empty_object)
}

/// The parameters of an encoded message.
#[derive(Deserialize)]
struct Encoded {
    params: Option<RawJson>,
}

/// Returns the parameters of a message as they are sent.
fn params_of(encode: impl FnOnce(&mut BytesMut) -> Result<(), serde_json::Error>) -> RawJson {
    let mut line = BytesMut::new();
    let encoded = encode(&mut line).and_then(|()| serde_json::from_slice::<Encoded>(&line));
    encoded.ok().and_then(|encoded| encoded.params).unwrap_or_else(RawJson::empty_object)
}
