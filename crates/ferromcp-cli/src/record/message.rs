//! Records of messages.

use std::time::{SystemTime, UNIX_EPOCH};

use ferromcp_core::{RawJson, Str};
use serde::Serialize;

/// The direction of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Direction {
    Sent,
    Received,
}

/// The kind of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum MessageKind {
    Request,
    Response,
    Notification,
}

/// The contents of a message.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Payload {
    Params(RawJson),
    Result(RawJson),
    Error(RawJson),
}

impl Payload {
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Params(json) | Self::Result(json) | Self::Error(json) => json.as_str().len(),
        }
    }
}

/// The HTTP exchange of a request. Values of headers with credentials are omitted.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpExchange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    pub(crate) request_headers: Vec<(String, String)>,
    pub(crate) response_headers: Vec<(String, String)>,
}

/// A recorded message.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageRecord {
    /// Set by the hub.
    pub(crate) seq: u64,
    pub(crate) connection: &'static str,
    /// Milliseconds since the Unix epoch.
    pub(crate) time: u64,
    pub(crate) direction: Direction,
    pub(crate) kind: MessageKind,
    pub(crate) id: Option<RawJson>,
    pub(crate) method: String,
    /// Omitted if it is too large.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payload: Option<Payload>,
    /// The record of the request that a response belongs to.
    pub(crate) request: Option<u64>,
    /// Milliseconds between a request and its response.
    pub(crate) duration: Option<f64>,
    pub(crate) call: Option<Str>,
    pub(crate) size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http: Option<HttpExchange>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) truncated: bool,
}

/// Returns the milliseconds since the Unix epoch.
pub(crate) fn unix_millis() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
