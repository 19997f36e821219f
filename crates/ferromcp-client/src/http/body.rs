//! Reads response bodies with a size limit.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body::Body as _;
use reqwest::Body;

use super::failure::Failure;

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

/// Reads the body of an error response. Returns an empty body for event streams, which may not end, and on errors.
pub(super) async fn read_or_nothing(body: Body, headers: &HeaderMap, limit: usize) -> Bytes {
    if media_type(headers).eq_ignore_ascii_case("text/event-stream") {
        return Bytes::new();
    }
    read(body, headers, limit).await.unwrap_or_default()
}

/// Returns the media type without parameters, or an empty text.
pub(super) fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}
