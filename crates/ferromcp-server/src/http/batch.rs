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
use super::respond::{Manner, outlet, respond, sink};
use super::work::{self, Part};
use crate::call::{Call, Reply};
use crate::dispatch::start;
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
        let why = "Invalid request: one message at a time; batches are for sessions of the revision that had them";
        return reply::error(StatusCode::BAD_REQUEST, Error::invalid_request(why), None, revision);
    }
    let Some(permit) = endpoint.permit(Place::Call) else { return reply::full(Place::Call) };
    // What is begun must be answered in one way for all, so the manner is settled first.
    let manner = Manner { accepts, session: None, survives: true, polls: false };
    let sink = sink(endpoint, &manner);
    let outlet = outlet(&sink, &manner);
    let (parts, ids) = begin(endpoint, &belongs, parts.extensions.get(), messages, &outlet);
    if parts.is_empty() {
        return reply::accepted();
    }
    let work = work::batch(Arc::clone(&endpoint.inner), parts, revision);
    let exchange = Exchange {
        endpoint: Arc::clone(endpoint),
        work,
        sink,
        held: Held { _permit: permit, session: None, ids: Vec::new() },
    };
    respond(exchange, ids, belongs.manner(accepts)).await
}

/// Begins what there is to answer, and does what there is not.
fn begin(
    endpoint: &Endpoint,
    belongs: &Belongs,
    identity: Option<&Identity>,
    messages: Messages,
    outlet: &Outlet,
) -> (Vec<Part>, Vec<RequestId>) {
    let (mut parts, mut ids, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for message in messages {
        match message {
            Ok(Message::Request { id, request }) => {
                let fresh = seen.insert(id.clone()) && !belongs.is_under_way(&id);
                let started = begin_one(endpoint, belongs, identity, &id, request, fresh, outlet);
                if fresh {
                    ids.push(id.clone());
                }
                parts.push(Part { id: Some(id), started });
            }
            Ok(Message::Notification(notification)) => legacy::notice(belongs, &notification),
            Ok(Message::Response { id, .. }) => tracing::debug!(?id, "a response to nothing that was asked; ignored"),
            Err(Rejection { unanswerable: true, .. }) => {}
            Err(Rejection { id, error, .. }) => parts.push(Part { id, started: Started::Ready(Reply::Failed(error)) }),
        }
    }
    (parts, ids)
}

fn begin_one(
    endpoint: &Endpoint,
    belongs: &Belongs,
    identity: Option<&Identity>,
    id: &RequestId,
    request: ClientRequest,
    fresh: bool,
    outlet: &Outlet,
) -> Started {
    let peer = if !fresh {
        Err(Error::invalid_request(format!("Invalid request: the id {id:?} is in use by a call under way")))
    } else if matches!(request, ClientRequest::Initialize(_)) {
        Err(Error::invalid_request("Invalid request: `initialize` is never part of a batch"))
    } else {
        belongs.peer(&request, identity)
    };
    match peer {
        Ok(peer) => start(&endpoint.inner, Call::new(request, peer).id(id.clone()).outlet(outlet.clone())),
        Err(error) => Started::Ready(Reply::Failed(error)),
    }
}
