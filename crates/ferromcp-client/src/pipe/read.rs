//! The reading half: answers to who waits for them, everything else to [`Inbound`].

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use ferromcp_core::message::{FromServer, Incoming, Message, DecodeError};
use ferromcp_core::wire::{decode, encode};
use ferromcp_core::{ClientResult, Error, RequestId, Revision};
use ferromcp_transport::{Frame, FrameRx};
use tokio::time::timeout;

use super::table::Table;
use crate::channel::{Responder, ChannelError, Inbound};
use crate::limits::ClientLimits;

/// The most frames handled in a row before others get their turn.
const BURST: usize = 64;

/// How soon the end of the pipe has to follow for a line that cannot be read to count as its torn last one.
const LAST_LINE: Duration = Duration::from_millis(50);

/// Reads until the pipe ends, and says why it did.
pub(super) async fn all<R: FrameRx>(
    table: &Arc<Table>,
    inbound: &Arc<dyn Inbound>,
    rx: &mut R,
    limits: &ClientLimits,
) -> io::Error {
    let mut torn: Option<ChannelError> = None;
    loop {
        let received = match torn.take() {
            None => rx.recv().await,
            Some(failure) => match timeout(LAST_LINE, rx.recv()).await {
                // The connection ended within a line, so that the answer in it is lost, and not wrong.
                Ok(received @ (Ok(None) | Err(_))) => received,
                should_retry => {
                    table.answered_somebody(failure);
                    let Ok(received) = should_retry else { continue };
                    received
                }
            },
        };
        match received {
            Ok(Some(frame)) => torn = take(table, inbound, frame, limits),
            Ok(None) => return io::Error::new(io::ErrorKind::UnexpectedEof, "the server ended the connection"),
            Err(error) => return error,
        }
        for _ in 0..BURST {
            let Some(frame) = rx.try_recv() else { break };
            if let Some(failure) = torn.take() {
                table.answered_somebody(failure);
            }
            torn = take(table, inbound, frame, limits);
        }
        // A flood must not keep callers from their answers, nor from giving up.
        tokio::task::yield_now().await;
    }
}

/// Handles one frame. What is left over is the failure of a call whose answer cannot be read, unless it was only torn.
fn take(table: &Arc<Table>, inbound: &Arc<dyn Inbound>, frame: Frame, limits: &ClientLimits) -> Option<ChannelError> {
    let bytes = match frame {
        Frame::Whole(bytes) => bytes,
        Frame::TooLong { limit } => {
            table.answered_somebody(ChannelError::TooLarge(limit));
            return None;
        }
    };
    match decode::<FromServer>(bytes.clone(), &limits.decode) {
        Ok(Incoming::One(message)) => deliver(table, inbound, message),
        Ok(Incoming::Batch(messages)) if table.revision() == Revision::V2025_03_26 => {
            for message in messages {
                match message {
                    Ok(message) => deliver(table, inbound, message),
                    Err(rejection) => {
                        if let Some(failure) = reject(table, rejection, &bytes) {
                            table.answered_somebody(failure);
                        }
                    }
                }
            }
        }
        Ok(Incoming::Batch(_)) => tracing::warn!("a batch, which this revision has not; ignored"),
        Err(rejection) => return reject(table, rejection, &bytes),
    }
    None
}

fn deliver(table: &Arc<Table>, inbound: &Arc<dyn Inbound>, message: Message<FromServer>) {
    match message {
        Message::Response { id: Some(id), outcome } => {
            inbound.response_received(&id);
            table.answered(&id, outcome.map_err(|error| ChannelError::Rpc { error, status: None }));
        }
        Message::Response { id: None, outcome: Err(error) } => {
            table.answered_somebody(ChannelError::Rpc { error, status: None });
        }
        Message::Response { id: None, outcome: Ok(_) } => {}
        Message::Notification(notification) => inbound.notification(notification),
        Message::Request { id, request } => inbound.request(id.clone(), request, answer(table, id)),
    }
}

/// A message that cannot be read. Where its id can, it is a broken answer or a broken question; where not, it may still
/// be the answer to something.
fn reject(table: &Arc<Table>, rejection: DecodeError, frame: &[u8]) -> Option<ChannelError> {
    let DecodeError { id, error, suppress_response, .. } = rejection;
    tracing::debug!(?id, %error, "a message of the server cannot be read");
    match id {
        Some(id) if suppress_response => table.answered(&id, Err(ChannelError::Malformed(error.message))),
        // A modern server asks nothing, so a modern client answers nothing.
        // Nor does it let itself be filled up by bad questions.
        Some(id) if !table.revision().is_modern() && table.has_room() => write(table, &id, Err(error)),
        Some(_) => {}
        None if looks_like_answer(frame) => return Some(ChannelError::Malformed(error.message)),
        None => tracing::warn!(%error, "the server wrote what is no message; ignored"),
    }
    None
}

/// Whether a broken message was meant as an answer. Programs print all sorts of things where only messages belong, and
/// those must not cost a call.
fn looks_like_answer(frame: &[u8]) -> bool {
    let frame = String::from_utf8_lossy(frame);
    frame.trim_start().starts_with('{')
        && frame.contains("\"jsonrpc\"")
        && frame.contains("\"id\"")
        && !frame.contains("\"method\"")
}

fn answer(table: &Arc<Table>, id: RequestId) -> Responder {
    let table = Arc::clone(table);
    Responder::new(move |outcome| {
        Box::pin(async move {
            if table.room().await.is_ok() {
                write(&table, &id, outcome);
            }
        })
    })
}

fn write(table: &Table, id: &RequestId, outcome: Result<ClientResult, Error>) {
    let revision = table.revision();
    let mut line = BytesMut::new();
    let failed = match outcome {
        Ok(result) => encode::client_result(&mut line, id, result, revision).err(),
        Err(error) => {
            encode::error(&mut line, Some(id), error, revision);
            None
        }
    };
    if let Some(error) = failed {
        tracing::error!(%error, "an answer cannot be JSON");
        encode::error(&mut line, Some(id), Error::internal("Internal error"), revision);
    }
    let _ = table.say(&line); // a server that is gone needs no answer
}
