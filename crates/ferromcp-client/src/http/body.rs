//! Reads response bodies with a size limit.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http_body::Body as _;
use reqwest::Body;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::time::timeout;

use super::failure::Failure;

/// Maximum length of a body that is read only to reuse its connection, in bytes.
const MAX_DISCARDED: usize = 64 << 10;

/// Maximum length of a header value in an error, in characters.
const MAX_SHOWN: usize = 100;

/// Time to wait for the end of a body that is discarded. Its connection can be reused only if the body was read to its
/// end.
pub(super) const DISCARD_TIMEOUT: Duration = Duration::from_millis(5);

/// Returns the next chunk, or `None` at the end. This function is cancel-safe.
pub(super) async fn chunk(body: &mut Body) -> Result<Option<Bytes>, reqwest::Error> {
    loop {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            None => return Ok(None),
            Some(Err(error)) => return Err(error),
            Some(Ok(frame)) => {
                // Skip trailers.
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

/// Reads the whole body.
///
/// # Errors
/// Fails if the body exceeds `limit` bytes, before reading if `Content-Length` does, or if the connection is lost.
pub(super) async fn read(mut body: Body, headers: &HeaderMap, limit: usize) -> Result<Bytes, Failure> {
    let too_large = || Failure::TooLarge { what: "the response body", name: "body_bytes", limit };
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let mut buffer = BytesMut::new();
    loop {
        match chunk(&mut body).await.map_err(|error| Failure::of(error, "the response was truncated"))? {
            None => return Ok(buffer.freeze()),
            Some(data) if data.len() > limit - buffer.len() => return Err(too_large()),
            Some(data) => buffer.extend_from_slice(&data),
        }
    }
}

/// Reads the body of an error response. Returns an empty body for event streams, which may not end, for compressed
/// bodies, and for bodies that exceed `limit` bytes.
///
/// If the connection is lost, returns what was read: a server that rejects a request may respond and close the connection
/// before the request is sent to its end, and then the error of sending follows the whole response.
pub(super) async fn read_or_nothing(mut body: Body, headers: &HeaderMap, limit: usize) -> Bytes {
    if media_type(headers).eq_ignore_ascii_case("text/event-stream") {
        return Bytes::new();
    }
    if let Err(failure) = ensure_unencoded(headers) {
        tracing::warn!(%failure, "ignored the body of an error response");
        return Bytes::new();
    }
    let mut buffer = BytesMut::new();
    while let Ok(Some(data)) = chunk(&mut body).await {
        if data.len() > limit - buffer.len() {
            return Bytes::new();
        }
        buffer.extend_from_slice(&data);
    }
    buffer.freeze()
}

/// Discards a body. The connection is reused if the body is short and ends at once.
pub(super) async fn discard(mut body: Body) {
    let reading = async {
        let mut length = 0;
        while let Ok(Some(data)) = chunk(&mut body).await {
            length += data.len();
            if length > MAX_DISCARDED {
                return;
            }
        }
    };
    let _ = timeout(DISCARD_TIMEOUT, reading).await;
}

/// Checks that a body has no content coding. The client requests none, because a compressed body could expand without
/// a bound.
///
/// # Errors
/// Fails if `Content-Encoding` names a coding other than `identity`.
pub(super) fn ensure_unencoded(headers: &HeaderMap) -> Result<(), Failure> {
    let values = headers.get_all(CONTENT_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let codings = values.collect::<Vec<_>>().join(", ");
    let is_identity = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    if codings.split(',').map(str::trim).all(is_identity) {
        return Ok(());
    }
    let codings: String = codings.chars().take(MAX_SHOWN).collect();
    Err(Failure::malformed(format!(
        "unexpected `Content-Encoding: {codings}`, which the client did not accept; disable compression in the server \
         and its proxy"
    )))
}

/// Returns the media type without parameters, or an empty text.
pub(super) fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// Returns whether the body is a JSON-RPC message, not an error page of a proxy or framework.
pub(super) fn is_json_rpc(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Envelope {
        #[allow(dead_code, reason = "only its presence is checked")]
        jsonrpc: IgnoredAny,
    }
    serde_json::from_slice::<Envelope>(body).is_ok()
}
