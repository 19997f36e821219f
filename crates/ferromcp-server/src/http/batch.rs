//! Batches over HTTP, which only 2025-03-26 has.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-03-26/basic/transports#sending-messages-to-the-server>.

use std::collections::HashSet;
use std::sync::Arc;

use ferromcp_core::message::{FromClient, Message, Rejection};
use ferromcp_core::{ClientRequest, Error, Identity, RequestId, Revision};
use http::request::Parts;
use http::{Response, StatusCode};

use super::accept::Accepts;
use super::body::Body;
use super::endpoint::{Endpoint, Place};
use super::exchange::{Exchange, Held};
use super::legacy::{self, Belongs, belongs};
use super::reply;
use super::respond::{asks, outlet, respond, sink};
use super::work::{Batch, Part, Work};
use crate::call::{Call, Extensions, Reply};
use crate::dispatch::start;
use crate::era;
use crate::outlet::Outlet;
use crate::started::Started;

type Messages = Vec<Result<Message<FromClient>, Rejection>>;

/// Answers several messages at once.
pub(crate) async fn answer(
    endpoint: &Arc<Endpoint>,
    parts: &Parts,
    accepts: Accepts,
    messages: Messages,
) -> Response<Body> {
    let belongs = match belongs(endpoint, parts) {
        Ok(belongs) => belongs,
        Err(response) => return *response,
    };
    let revision = belongs.revision();
    if revision != Revision::V2025_03_26 {
        return reply::error(StatusCode::BAD_REQUEST, era::no_batches(), None, revision);
    }
    let Some(permit) = endpoint.permit(Place::Call) else { return reply::full(endpoint, Place::Call) };
    let session = belongs.session().map(|session| Arc::clone(&session.id));
    let sink = sink(endpoint, false, Some(asks(endpoint, session)));
    let shown = endpoint.shown(parts);
    let room =
        Room { endpoint, belongs: &belongs, identity: parts.extensions.get(), outlet: outlet(&sink, accepts), shown };
    let (begun, ids) = room.begin(messages);
    if begun.is_empty() {
        return reply::accepted();
    }
    let work = Work::Batch(Batch::new(&endpoint.inner, begun, revision));
    let exchange = Exchange { endpoint: Arc::clone(endpoint), work, sink, held: Held::new(permit) };
    respond(exchange, ids, belongs.manner(accepts, Extensions::default())).await
}

/// What the messages of a batch share.
struct Room<'a> {
    endpoint: &'a Endpoint,
    belongs: &'a Belongs,
    identity: Option<&'a Identity>,
    outlet: Outlet,
    shown: Extensions,
}

impl Room<'_> {
    /// Begins what there is to answer, and does what there is not.
    fn begin(&self, messages: Messages) -> (Vec<Part>, Vec<RequestId>) {
        let (mut parts, mut ids, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        for message in messages {
            match message {
                Ok(Message::Request { id, request }) => {
                    let fresh = seen.insert(id.clone()) && !self.belongs.is_under_way(&id);
                    let started = self.begin_one(&id, request, fresh, ids.len());
                    if fresh {
                        ids.push(id.clone());
                    }
                    parts.push(Part { id: Some(id), started });
                }
                Ok(Message::Notification(notification)) => legacy::notice(self.belongs, &notification),
                Ok(Message::Response { id, outcome }) => {
                    self.belongs.answers(self.endpoint, self.identity, id.as_ref(), outcome);
                }
                Err(Rejection { unanswerable: true, .. }) => {}
                Err(Rejection { id, error, .. }) => {
                    parts.push(Part { id, started: Started::Ready(Reply::Failed(error)) });
                }
            }
        }
        (parts, ids)
    }

    fn begin_one(&self, id: &RequestId, request: ClientRequest, fresh: bool, before: usize) -> Started {
        let peer = if !fresh {
            Err(era::id_in_use(id))
        } else if matches!(request, ClientRequest::Initialize(_)) {
            Err(Error::invalid_request("Invalid request: `initialize` is never part of a batch"))
        } else {
            self.belongs.has_room(self.endpoint, before).and_then(|()| self.belongs.peer(&request, self.identity))
        };
        match peer {
            Ok(peer) => {
                let mut call = Call::new(request, peer).id(id.clone()).outlet(self.outlet.clone());
                call.extensions = self.shown.clone();
                start(&self.endpoint.inner, call)
            }
            Err(error) => Started::Ready(Reply::Failed(error)),
        }
    }
}
