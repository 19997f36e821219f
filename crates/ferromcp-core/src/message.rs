//! JSON-RPC messages: requests, notifications and responses, typed by direction.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#messages>.

use std::fmt;

use serde::Deserializer;

use crate::error::Error;
use crate::id::RequestId;
use crate::json::RawJson;
use crate::methods::{ClientNotification, ClientRequest, ServerNotification, ServerRequest};
use crate::shared_str::Str;

/// The direction of the messages to decode: [`FromClient`] or [`FromServer`].
///
/// This trait is sealed.
pub trait Direction: sealed::Sealed + Sized {
    /// The requests sent in this direction.
    type Request: std::fmt::Debug;
    /// The notifications sent in this direction.
    type Notification: std::fmt::Debug + serde::Serialize;

    #[doc(hidden)]
    const IS_CLIENT: bool;
    #[doc(hidden)]
    fn is_request(method: &str) -> bool;
    #[doc(hidden)]
    fn is_notification(method: &str) -> bool;
    #[doc(hidden)]
    fn decode<'de, D: Deserializer<'de>>(method: &str, params: D, frame: &Str)
    -> Result<DecodedParams<Self>, D::Error>;
    #[doc(hidden)]
    fn custom_request(method: String, params: RawJson) -> Self::Request;
    #[doc(hidden)]
    fn custom_notification(method: String, params: RawJson) -> Self::Notification;
}

/// Messages sent by a client and decoded by a server.
#[derive(Debug, Clone, Copy)]
pub struct FromClient;

/// Messages sent by a server and decoded by a client.
#[derive(Debug, Clone, Copy)]
pub struct FromServer;

/// Parameters decoded by method name, before it is known whether the message has an id.
#[doc(hidden)]
#[derive(Debug)]
pub enum DecodedParams<S: Direction> {
    Request(S::Request),
    Notification(S::Notification),
    Unknown(RawJson),
}

macro_rules! direction {
    ($direction:ident, $request:ident, $notification:ident, $is_client:literal) => {
        impl Direction for $direction {
            type Request = $request;
            type Notification = $notification;

            const IS_CLIENT: bool = $is_client;

            fn is_request(method: &str) -> bool {
                $request::knows(method)
            }

            fn is_notification(method: &str) -> bool {
                $notification::knows(method) && !$request::knows(method)
            }

            fn decode<'de, D: Deserializer<'de>>(
                method: &str,
                params: D,
                frame: &Str,
            ) -> Result<DecodedParams<Self>, D::Error> {
                if $request::knows(method) {
                    $request::decode(method, params, frame).map(DecodedParams::Request)
                } else if $notification::knows(method) {
                    $notification::decode(method, params, frame).map(DecodedParams::Notification)
                } else {
                    crate::wire::params::WireParams::read(params, frame).map(DecodedParams::Unknown)
                }
            }

            fn custom_request(method: String, params: RawJson) -> $request {
                $request::Custom(crate::methods::Custom::new(method, params))
            }

            fn custom_notification(method: String, params: RawJson) -> $notification {
                $notification::Custom(crate::methods::Custom::new(method, params))
            }
        }

        impl sealed::Sealed for $direction {}
    };
}

direction!(FromClient, ClientRequest, ClientNotification, true);
direction!(FromServer, ServerRequest, ServerNotification, false);

mod sealed {
    pub trait Sealed {}
}

/// A JSON-RPC message.
#[derive(Debug)]
pub enum Message<S: Direction> {
    /// A request, which expects a response.
    Request {
        /// The request id, which the response repeats.
        id: RequestId,
        /// The method and its parameters.
        request: S::Request,
    },
    /// A notification, which has no response.
    Notification(S::Notification),
    /// A response.
    Response {
        /// The id of the request. Some error responses have no id.
        id: Option<RequestId>,
        /// The result or the error. The result is decoded according to the method of the request.
        outcome: Result<RawJson, Error>,
    },
}

/// The contents of a frame: one message or a batch.
#[derive(Debug)]
pub enum Incoming<S: Direction> {
    /// A JSON-RPC message.
    One(Message<S>),
    /// A batch of messages (2025-03-26 only). Each message is decoded separately and can fail on its own.
    Batch(Vec<Result<Message<S>, DecodeError>>),
}

/// A frame or message that could not be decoded, with the error to respond with.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DecodeError {
    /// The request id, if it could be decoded.
    pub id: Option<RequestId>,
    /// The error to send in the response.
    pub error: Error,
    /// Whether no response must be sent, because the message is a notification or a response.
    pub suppress_response: bool,
}

impl DecodeError {
    /// Creates an error for a message without a readable id.
    pub fn new(error: Error) -> Self {
        Self { id: None, error, suppress_response: false }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for DecodeError {}
