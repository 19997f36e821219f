//! Reads the body of a request, within limits of size and time.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use http::header::EXPECT;
use http_body::Body;
use tokio::time::timeout;

use super::body_budget::{BodyLease, SMALL_BODY_BYTES};
use super::connection::Client;
use super::endpoint::Endpoint;
use super::limits::AUTHORIZATION_BODY_BYTES;

/// The maximum number of bytes reserved for data that has not arrived.
const MAX_RESERVE: u64 = 16 << 10;

/// The maximum number of bytes of a rejected body that are discarded, so that the client can read the response.
pub(crate) const DISCARD_BYTES: usize = 16 << 20;
/// How long the rest of a rejected body is discarded.
pub(crate) const DISCARD_TIMEOUT: Duration = Duration::from_secs(1);

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    TimedOut,
    /// Other bodies use all permits.
    NoCapacity,
    /// The client disconnected, or violated HTTP.
    Incomplete,
}

/// Reads a whole body. A body in a single frame is not copied. The rest of a body that is too large is discarded, because
/// many clients read the response only after they have sent the body.
pub(crate) async fn read<B: Body>(
    body: B,
    headers: &HeaderMap,
    endpoint: &Endpoint,
    client: &Client<'_>,
) -> Result<(Bytes, BodyLease), BodyError> {
    let limit = endpoint.options.limits.body_bytes;
    let mut body = pin!(body);
    let mut reader = Reader::new(limit);
    let declared = body.size_hint().lower();
    let is_small = declared <= SMALL_BODY_BYTES as u64;
    let mut error = (declared > limit as u64).then_some(BodyError::TooLarge);
    // Most bodies are small and have arrived already. They need neither a permit nor a timer.
    if is_small && error.is_none() {
        match poll_fn(|cx| Poll::Ready(reader.poll(body.as_mut(), cx))).await {
            Poll::Ready(Ok(Read::Whole(bytes))) => return Ok((bytes, BodyLease::default())),
            Poll::Ready(Err(failed)) => error = Some(failed),
            Poll::Ready(Ok(Read::NeedsPermit)) | Poll::Pending => {}
        }
    }
    // Every connection holds this future, so the rare branches are boxed.
    if error.is_none() {
        match Box::pin(read_with_permit(body.as_mut(), reader, is_small, endpoint, client)).await {
            Ok(read) => return Ok(read),
            Err(failed) => error = Some(failed),
        }
    }
    let error = error.unwrap_or(BodyError::Incomplete);
    if error == BodyError::TooLarge && !headers.contains_key(EXPECT) {
        Box::pin(discard(body)).await;
    }
    Err(error)
}

/// Reads the body of a request for a path of the authorization. Its client is not authenticated, so that the body must be
/// small and never uses the permits of other requests.
pub(crate) async fn read_for_authorization<B: Body>(
    body: B,
    endpoint: &Endpoint,
    client: &Client<'_>,
) -> Result<(Bytes, BodyLease), BodyError> {
    let mut body = pin!(body);
    if body.size_hint().lower() > AUTHORIZATION_BODY_BYTES as u64 {
        return Err(BodyError::TooLarge);
    }
    let mut reader = Reader::new(AUTHORIZATION_BODY_BYTES);
    let arrived = match poll_fn(|cx| Poll::Ready(reader.poll(body.as_mut(), cx))).await {
        Poll::Ready(Ok(Read::Whole(bytes))) if bytes.len() <= SMALL_BODY_BYTES => {
            return Ok((bytes, BodyLease::default()));
        }
        Poll::Ready(Ok(Read::Whole(bytes))) => Some(bytes),
        Poll::Ready(Err(error)) => return Err(error),
        Poll::Ready(Ok(Read::NeedsPermit)) | Poll::Pending => None,
    };
    let lease = endpoint.bodies.try_acquire_for_authorization().ok_or(BodyError::NoCapacity)?;
    if let Some(bytes) = arrived {
        return Ok((bytes, lease));
    }
    reader.unpermitted = usize::MAX;
    let _receiving = client.begin_receiving();
    let reading = poll_fn(|cx| reader.poll(body.as_mut(), cx));
    match timeout(endpoint.options.limits.body_timeout, reading).await {
        Ok(Ok(Read::Whole(bytes))) => Ok((bytes, lease)),
        Ok(Ok(Read::NeedsPermit)) => Err(BodyError::Incomplete), // unreachable: every size is permitted
        Ok(Err(error)) => Err(error),
        Err(_) => Err(BodyError::TimedOut),
    }
}

/// Discards the rest of a body, within limits.
async fn discard<B: Body>(mut body: Pin<&mut B>) {
    let mut left = DISCARD_BYTES;
    let discarding = async {
        while let Some(Ok(frame)) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            left = left.saturating_sub(frame.into_data().map_or(0, |data| data.remaining()));
            if left == 0 {
                return;
            }
        }
    };
    let _ = timeout(DISCARD_TIMEOUT, discarding).await;
}

/// Reads the rest of a body that is large or has not arrived.
async fn read_with_permit<B: Body>(
    mut body: Pin<&mut B>,
    mut reader: Reader,
    is_small: bool,
    endpoint: &Endpoint,
    client: &Client<'_>,
) -> Result<(Bytes, BodyLease), BodyError> {
    let is_waiting = AtomicBool::new(true); // for a permit, and not for the client
    let reading = async {
        if is_small && reader.len() <= SMALL_BODY_BYTES {
            let lease = endpoint.bodies.acquire_small().await;
            is_waiting.store(false, Ordering::Relaxed);
            if let Read::Whole(bytes) = poll_fn(|cx| reader.poll(body.as_mut(), cx)).await? {
                return Ok((bytes, lease));
            }
            is_waiting.store(true, Ordering::Relaxed);
        }
        let rest = body.size_hint().upper().and_then(|rest| usize::try_from(rest).ok()).unwrap_or(usize::MAX);
        let size = reader.len().saturating_add(rest).min(reader.limit);
        let lease = endpoint.bodies.acquire_large(size, client.connection.map(|connection| &connection.bodies)).await;
        is_waiting.store(false, Ordering::Relaxed);
        reader.unpermitted = usize::MAX;
        let _receiving = client.begin_receiving();
        match poll_fn(|cx| reader.poll(body.as_mut(), cx)).await? {
            Read::Whole(bytes) => Ok((bytes, lease)),
            Read::NeedsPermit => Err(BodyError::Incomplete), // unreachable: every size is permitted
        }
    };
    match timeout(endpoint.options.limits.body_timeout, reading).await {
        Ok(read) => read,
        Err(_) if is_waiting.load(Ordering::Relaxed) => Err(BodyError::NoCapacity),
        Err(_) => Err(BodyError::TimedOut),
    }
}

/// Collects the frames of a body.
struct Reader {
    first: Bytes,
    rest: BytesMut,
    limit: usize,
    /// The number of bytes from which an incomplete body needs a permit.
    unpermitted: usize,
}

/// The result of reading.
enum Read {
    Whole(Bytes),
    /// The body is incomplete, and a permit is needed to read on.
    NeedsPermit,
}

impl Reader {
    fn new(limit: usize) -> Self {
        Self { first: Bytes::new(), rest: BytesMut::new(), limit, unpermitted: SMALL_BODY_BYTES }
    }

    fn poll<B: Body>(&mut self, mut body: Pin<&mut B>, cx: &mut Context<'_>) -> Poll<Result<Read, BodyError>> {
        loop {
            match body.as_mut().poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(Ok(Read::Whole(self.take()))),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Err(BodyError::Incomplete)),
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else { continue }; // trailers are ignored
                    if !self.push(data, body.size_hint().lower()) {
                        return Poll::Ready(Err(BodyError::TooLarge));
                    }
                    if body.is_end_stream() {
                        return Poll::Ready(Ok(Read::Whole(self.take())));
                    }
                    if self.len() > self.unpermitted {
                        return Poll::Ready(Ok(Read::NeedsPermit));
                    }
                }
            }
        }
    }

    fn len(&self) -> usize {
        self.first.len() + self.rest.len()
    }

    /// Appends a frame that is followed by at least `more` bytes. Returns false if the limit is exceeded.
    fn push(&mut self, mut data: impl Buf, more: u64) -> bool {
        let length = data.remaining();
        if length > self.limit - self.len() {
            return false;
        }
        if self.first.is_empty() && self.rest.is_empty() {
            self.first = data.copy_to_bytes(length); // for `Bytes` a slice, not a copy
            return true;
        }
        if self.rest.is_empty() {
            let more = usize::try_from(more.min(MAX_RESERVE)).unwrap_or_default();
            self.rest.reserve(self.first.len() + length + more);
            self.rest.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.rest.extend_from_slice(&data.copy_to_bytes(length));
        true
    }

    fn take(&mut self) -> Bytes {
        if self.rest.is_empty() { std::mem::take(&mut self.first) } else { std::mem::take(&mut self.rest).freeze() }
    }
}
