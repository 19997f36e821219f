//! HTTP as a channel: each request is a POST, and its response brings the answer and whatever belongs to it.
//!
//! At 2026-07-28 dropping a request closes its response, which cancels it. In the legacy era hanging up says nothing, so
//! `notifications/cancelled` is posted.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ferromcp_core::header::Annotation;
use ferromcp_core::model::CancelledParams;
use ferromcp_core::wire::encode;
use ferromcp_core::{ClientNotification, ClientRequest, RawJson, RequestId, Revision};
use tokio::time::timeout;

use super::endpoint::Endpoint;
use super::head::Head;
use super::hear::{Context, hear};
use super::lasting;
use super::post::Content;
use super::stream::EventStream;
use super::talk::Talk;
use crate::channel::{BoxFuture, Channel, Failure, Inbound, Outgoing};
use crate::limits::ClientLimits;

/// A channel to one endpoint.
pub(super) struct Posts {
    talk: Arc<Talk>,
}

impl Posts {
    pub(super) fn new(endpoint: Endpoint, inbound: Arc<dyn Inbound>, limits: &ClientLimits) -> Self {
        Self { talk: Arc::new(Talk::new(endpoint, inbound, limits)) }
    }
}

impl Channel for Posts {
    fn request(&self, outgoing: Outgoing) -> BoxFuture<'static, Result<RawJson, Failure>> {
        let talk = Arc::clone(&self.talk);
        Box::pin(async move {
            talk.usable()?;
            tokio::select! {
                biased;
                outcome = request(&talk, outgoing) => outcome,
                () = talk.closed() => Err(Failure::lost(io::Error::other("the client was closed"))),
            }
        })
    }

    fn notify(&self, notification: ClientNotification, revision: Revision) -> BoxFuture<'static, Result<(), Failure>> {
        let talk = Arc::clone(&self.talk);
        Box::pin(async move {
            talk.usable()?;
            if revision.is_modern() {
                return Err(Failure::Unfit(format!("{revision} has no notifications of clients over HTTP")));
            }
            let opens = matches!(notification, ClientNotification::Initialized(_));
            let mut message = BytesMut::new();
            encode::client_notification(&mut message, notification, revision).map_err(unwritable)?;
            // On a pipe this is a word in a buffer; here somebody has to take it.
            let taken = timeout(talk.limits.request_timeout, talk.say(revision, message.freeze())).await;
            taken.map_err(|_| Failure::lost(io::Error::new(io::ErrorKind::TimedOut, "it was not taken in time")))??;
            if opens {
                lasting::begin(&talk, revision).await;
            }
            Ok(())
        })
    }

    fn agreed(&self, revision: Revision) {
        self.talk.agreed(revision);
    }

    fn is_over(&self) -> bool {
        self.talk.is_over()
    }

    fn over(&self) -> BoxFuture<'static, ()> {
        let talk = Arc::clone(&self.talk);
        Box::pin(async move { talk.over().await })
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        let talk = Arc::clone(&self.talk);
        Box::pin(async move { talk.close().await })
    }
}

impl Drop for Posts {
    fn drop(&mut self) {
        self.talk.abandon();
    }
}

impl fmt::Debug for Posts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Posts(..)")
    }
}

async fn request(talk: &Arc<Talk>, outgoing: Outgoing) -> Result<RawJson, Failure> {
    let Outgoing { id, request, revision, annotations } = outgoing;
    let opens = matches!(request, ClientRequest::Initialize(_));
    let head = head(talk, &request, revision, &annotations)?;
    let mut message = BytesMut::new();
    encode::client_request(&mut message, &id, request, revision).map_err(unwritable)?;
    // `initialize` may not be cancelled, and a modern request is by hanging up.
    let cancellable = !opens && !revision.is_modern();
    let elsewhere = cancellable.then(|| talk.expect(&id));
    let mut asked = Asked { talk, id: &id, revision, cancellable };
    let context = Context { wanted: Some(&id), status: 200, modern: revision.is_modern() };
    let outcome = tokio::select! {
        biased;
        outcome = exchange(talk, &head, message.freeze(), context, opens) => outcome,
        Some(outcome) = async { elsewhere?.await.ok() } => outcome,
    };
    asked.cancellable = false;
    talk.inbound.answered(&id);
    outcome
}

/// Posts a request and reads what comes back.
async fn exchange(
    talk: &Arc<Talk>,
    head: &Head,
    message: Bytes,
    mut context: Context<'_>,
    opens: bool,
) -> Result<RawJson, Failure> {
    let reply = talk.endpoint.post(head, message).await.map_err(|failure| talk.sort(failure))?;
    if opens {
        talk.begin(reply.session);
    }
    context.status = reply.status;
    match reply.content {
        Content::Nothing => Err(Failure::Malformed("it took the request and gave no answer".to_owned())),
        Content::Json(json) => answer(talk, &json, &context),
        Content::Events(events) => read(talk, *events, &context).await,
    }
}

/// What the request says in headers.
fn head(talk: &Talk, request: &ClientRequest, revision: Revision, annotations: &[Annotation]) -> Result<Head, Failure> {
    if revision.is_modern() {
        let head = Head::modern(revision, request, annotations);
        return head.map_err(|mismatch| Failure::Unfit(mismatch.to_string()));
    }
    if matches!(request, ClientRequest::Initialize(_)) {
        return Ok(Head::initialize());
    }
    Ok(Head::legacy(revision, talk.session()))
}

/// The answer that is the whole body.
fn answer(talk: &Arc<Talk>, json: &Bytes, context: &Context<'_>) -> Result<RawJson, Failure> {
    let (status, body) = (context.status, json.len());
    let refused = !(200..300).contains(&status);
    match hear(talk, json, context) {
        Some(Err(Failure::Malformed(_)) | Ok(_)) | None if refused => {
            tracing::debug!(status, body, "the body of a refusal is no error of JSON-RPC");
            Err(Failure::Status { status, body: String::new() })
        }
        Some(outcome) => outcome,
        None => Err(Failure::Malformed("it does not answer the request".to_owned())),
    }
}

/// Reads until the answer has come and no further: a legacy stream would be resumed.
async fn read(talk: &Arc<Talk>, mut events: EventStream, context: &Context<'_>) -> Result<RawJson, Failure> {
    loop {
        let Some(message) = events.next().await.map_err(|failure| talk.sort(failure))? else {
            let why = "the stream ended without the answer";
            return Err(Failure::lost(io::Error::new(io::ErrorKind::UnexpectedEof, why)));
        };
        if let Some(outcome) = hear(talk, &message, context) {
            events.let_go().await;
            return outcome;
        }
    }
}

/// A request that is under way; a legacy one that is dropped before its answer is cancelled.
struct Asked<'a> {
    talk: &'a Arc<Talk>,
    id: &'a RequestId,
    revision: Revision,
    cancellable: bool,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.talk.forget(self.id);
        if !self.cancellable || self.talk.is_over() {
            return;
        }
        let mut params = CancelledParams::new(self.id.clone());
        params.reason = Some("The client does not wait any longer".to_owned());
        let mut message = BytesMut::new();
        let cancelled = ClientNotification::Cancelled(params);
        if encode::client_notification(&mut message, cancelled, self.revision).is_ok() {
            self.talk.mention(self.revision, message.freeze());
        }
    }
}

fn unwritable(error: serde_json::Error) -> Failure {
    Failure::unsent(io::Error::new(io::ErrorKind::InvalidInput, error))
}
