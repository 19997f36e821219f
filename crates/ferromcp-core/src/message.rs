//! JSON-RPC messages: requests, notifications and responses, by direction.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#messages>.

use serde::Deserializer;

use crate::error::Error;
use crate::id::RequestId;
use crate::json::{RawJson, Str};
use crate::methods::{ClientNotification, ClientRequest, ServerNotification, ServerRequest};

/// Who sent the messages to be decoded.
pub trait Sender: sealed::Sealed + Sized {
    /// The requests of this sender.
    type Request: std::fmt::Debug;
    /// The notifications of this sender.
    type Notification: std::fmt::Debug + serde::Serialize;

    #[doc(hidden)]
    fn decode<'de, D: Deserializer<'de>>(method: &str, params: D, frame: &Str) -> Result<Said<Self>, D::Error>;
    #[doc(hidden)]
    fn other_request(method: String, params: RawJson) -> Self::Request;
    #[doc(hidden)]
    fn other_notification(method: String, params: RawJson) -> Self::Notification;
}

/// Messages from a client, as a server reads them.
#[derive(Debug, Clone, Copy)]
pub struct FromClient;

/// Messages from a server, as a client reads them.
#[derive(Debug, Clone, Copy)]
pub struct FromServer;

/// What a method's name said, before the presence of an id is known.
#[doc(hidden)]
#[derive(Debug)]
pub enum Said<S: Sender> {
    Request(S::Request),
    Notification(S::Notification),
    Unknown(RawJson),
}

macro_rules! sender {
    ($sender:ident, $request:ident, $notification:ident) => {
        impl Sender for $sender {
            type Request = $request;
            type Notification = $notification;

            fn decode<'de, D: Deserializer<'de>>(method: &str, params: D, frame: &Str) -> Result<Said<Self>, D::Error> {
                if $request::knows(method) {
                    $request::decode(method, params, frame).map(Said::Request)
                } else if $notification::knows(method) {
                    $notification::decode(method, params, frame).map(Said::Notification)
                } else {
                    crate::wire::params::WireParams::read(params, frame).map(Said::Unknown)
                }
            }

            fn other_request(method: String, params: RawJson) -> $request {
                $request::Other(crate::methods::Other::new(method, params))
            }

            fn other_notification(method: String, params: RawJson) -> $notification {
                $notification::Other(crate::methods::Other::new(method, params))
            }
        }

        impl sealed::Sealed for $sender {}
    };
}

sender!(FromClient, ClientRequest, ClientNotification);
sender!(FromServer, ServerRequest, ServerNotification);

mod sealed {
    pub trait Sealed {}
}

/// One message.
#[derive(Debug)]
pub enum Message<S: Sender> {
    /// It wants an answer.
    Request {
        /// What the answer will be known by.
        id: RequestId,
        /// What is asked.
        request: S::Request,
    },
    /// It wants none.
    Notification(S::Notification),
    /// It is one.
    Response {
        /// The request it answers; absent from some errors.
        id: Option<RequestId>,
        /// The result, to be read by the request's method, or the error.
        outcome: Result<RawJson, Error>,
    },
}

/// What a frame held.
#[derive(Debug)]
pub enum Incoming<S: Sender> {
    /// One message.
    One(Message<S>),
    /// Several at once, which only 2025-03-26 has; each by itself good or bad.
    Batch(Vec<Result<Message<S>, Rejection>>),
}

/// A frame or message that could not be read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Rejection {
    /// The id, where it could be read.
    pub id: Option<RequestId>,
    /// What to answer.
    pub error: Error,
    /// Whether it is never answered: a notification, or a response itself.
    pub unanswerable: bool,
}

impl Rejection {
    /// A rejection of something whose id could not be read.
    pub fn new(error: Error) -> Self {
        Self { id: None, error, unanswerable: false }
    }
}
