//! Bodies that are no streams: read whole, within their bound.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body::Body as _;
use reqwest::Body;

use super::failure::Failure;

/// The next bytes; `None` at the proper end. Cancel-safe.
pub(super) async fn chunk(body: &mut Body) -> Result<Option<Bytes>, reqwest::Error> {
    loop {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            None => return Ok(None),
            Some(Err(error)) => return Err(error),
            Some(Ok(frame)) => {
                // Trailers are no bytes of it.
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

/// The whole body. A length that says too much is believed before anything is read.
pub(super) async fn read(mut body: Body, headers: &HeaderMap, limit: usize) -> Result<Bytes, Failure> {
    let too_large = || Failure::TooLarge { what: "the body of the answer", name: "body_bytes", limit };
    let said = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|said| said > limit as u64) {
        return Err(too_large());
    }
    let mut whole = BytesMut::new();
    loop {
        match chunk(&mut body).await.map_err(|error| Failure::of(error, "the answer broke off"))? {
            None => return Ok(whole.freeze()),
            Some(piece) if piece.len() > limit - whole.len() => return Err(too_large()),
            Some(piece) => whole.extend_from_slice(&piece),
        }
    }
}

/// The whole body, or nothing of it: where the status says enough. A stream has no end that could be waited for.
pub(super) async fn read_or_nothing(body: Body, headers: &HeaderMap, limit: usize) -> Bytes {
    if media_type(headers).eq_ignore_ascii_case("text/event-stream") {
        return Bytes::new();
    }
    read(body, headers, limit).await.unwrap_or_default()
}

/// The media type, without parameters; empty if there is none.
pub(super) fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}
