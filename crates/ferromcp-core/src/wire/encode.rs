//! Encodes messages to bytes for the peer's revision.
//!
//! A result is serialized once, directly into the outbound buffer. The fields that 2026-07-28
//! requires in each result (`resultType`, the server info) are appended to the serialized object.

use bytes::{BufMut, BytesMut};
use serde::Serialize;

use super::{apply, v2026_07_28};
use crate::error::Error;
use crate::id::RequestId;
use crate::json::{RawJson, RawMap};
use crate::meta::key;
use crate::methods::{
    ClientNotification, ClientRequest, ClientResult, ServerNotification, ServerRequest, ServerResult,
};
use crate::model::InputRequired;
use crate::revision::Revision;

/// The peer's revision and the server info, used to encode server messages.
#[derive(Debug, Clone, Copy)]
pub struct EncodeContext<'a> {
    /// The peer's revision.
    pub revision: Revision,
    /// The server's [`Implementation`](crate::model::Implementation), included in results for modern peers.
    pub server_info: Option<&'a RawJson>,
}

impl<'a> EncodeContext<'a> {
    /// Creates a context for a peer of `revision`, without server info.
    pub fn new(revision: Revision) -> Self {
        Self { revision, server_info: None }
    }

    /// Sets the server info.
    pub fn server_info(mut self, info: &'a RawJson) -> Self {
        self.server_info = Some(info);
        self
    }
}

/// Encodes a result sent by a server.
///
/// # Errors
/// Returns an error if the result cannot be serialized. `out` is unchanged in this case.
pub fn server_result(
    out: &mut BytesMut,
    id: &RequestId,
    mut result: ServerResult,
    context: EncodeContext<'_>,
) -> Result<(), serde_json::Error> {
    apply::server_result(&mut result, context.revision);
    write_or_truncate(out, |out| {
        begin_response(out, id)?;
        out.put_slice(b"\"result\":");
        if let ServerResult::Custom(result) = &result {
            write_json(out, &complete_custom(result, context)?)?;
        } else if context.revision.is_modern() {
            v2026_07_28::fill_cache_hints(&mut result);
            let server_info = insert_server_info(result.meta_mut(), context.server_info);
            write_json(out, &result)?;
            append_modern(out, "complete", server_info);
        } else {
            write_json(out, &result)?;
        }
        out.put_u8(b'}');
        Ok(())
    })
}

/// Encodes an `input_required` result (2026-07-28), which asks the client for input instead of returning a result.
///
/// # Errors
/// Returns an error if an input request cannot be serialized. `out` is unchanged in this case.
pub fn input_required(
    out: &mut BytesMut,
    id: &RequestId,
    mut required: InputRequired,
    context: EncodeContext<'_>,
) -> Result<(), serde_json::Error> {
    apply::input_required(&mut required, context.revision);
    write_or_truncate(out, |out| {
        begin_response(out, id)?;
        out.put_slice(b"\"result\":");
        let server_info = insert_server_info(Some(&mut required.meta), context.server_info);
        write_json(out, &required)?;
        append_modern(out, "input_required", server_info);
        out.put_u8(b'}');
        Ok(())
    })
}

/// Encodes an error response. `id` is `None` only if the id of the request could not be read.
pub fn error(out: &mut BytesMut, id: Option<&RequestId>, mut error: Error, revision: Revision) {
    #[derive(Serialize)]
    struct Envelope<'a> {
        jsonrpc: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a RequestId>,
        error: &'a Error,
    }
    apply::error(&mut error, revision);
    if revision.is_modern() {
        v2026_07_28::translate_error_code(&mut error);
    }
    let envelope = Envelope { jsonrpc: "2.0", id, error: &error };
    // Serializing numbers, strings and validated JSON does not fail.
    let _ = write_or_truncate(out, |out| write_json(out, &envelope));
}

/// Encodes a notification sent by a server.
///
/// # Errors
/// Returns an error if the notification cannot be serialized. `out` is unchanged in this case.
pub fn server_notification(
    out: &mut BytesMut,
    mut notification: ServerNotification,
    revision: Revision,
) -> Result<(), serde_json::Error> {
    apply::server_notification(&mut notification, revision);
    write_or_truncate(out, |out| write_method(out, None, notification.method(), &notification))
}

/// Encodes a request sent by a server (legacy era only).
///
/// # Errors
/// Returns an error if the request cannot be serialized. `out` is unchanged in this case.
pub fn server_request(
    out: &mut BytesMut,
    id: &RequestId,
    mut request: ServerRequest,
    revision: Revision,
) -> Result<(), serde_json::Error> {
    apply::server_request(&mut request, revision);
    write_or_truncate(out, |out| write_method(out, Some(id), request.method(), &request))
}

/// Encodes a request sent by a client.
///
/// # Errors
/// Returns an error if the request cannot be serialized. `out` is unchanged in this case.
pub fn client_request(
    out: &mut BytesMut,
    id: &RequestId,
    mut request: ClientRequest,
    revision: Revision,
) -> Result<(), serde_json::Error> {
    apply::client_request(&mut request, revision);
    write_or_truncate(out, |out| write_method(out, Some(id), request.method(), &request))
}

/// Encodes a notification sent by a client.
///
/// # Errors
/// Returns an error if the notification cannot be serialized. `out` is unchanged in this case.
pub fn client_notification(
    out: &mut BytesMut,
    mut notification: ClientNotification,
    revision: Revision,
) -> Result<(), serde_json::Error> {
    apply::client_notification(&mut notification, revision);
    write_or_truncate(out, |out| write_method(out, None, notification.method(), &notification))
}

/// Encodes a result sent by a client (legacy era only).
///
/// # Errors
/// Returns an error if the result cannot be serialized. `out` is unchanged in this case.
pub fn client_result(
    out: &mut BytesMut,
    id: &RequestId,
    mut result: ClientResult,
    revision: Revision,
) -> Result<(), serde_json::Error> {
    apply::client_result(&mut result, revision);
    write_or_truncate(out, |out| {
        begin_response(out, id)?;
        out.put_slice(b"\"result\":");
        write_json(out, &result)?;
        out.put_u8(b'}');
        Ok(())
    })
}

fn begin_response(out: &mut BytesMut, id: &RequestId) -> Result<(), serde_json::Error> {
    out.put_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    write_json(out, id)?;
    out.put_u8(b',');
    Ok(())
}

/// Writes a request or notification. `params` serializes to the parameters.
fn write_method<T: Serialize>(
    out: &mut BytesMut,
    id: Option<&RequestId>,
    method: &str,
    params: &T,
) -> Result<(), serde_json::Error> {
    out.put_slice(b"{\"jsonrpc\":\"2.0\",");
    if let Some(id) = id {
        out.put_slice(b"\"id\":");
        write_json(out, id)?;
        out.put_u8(b',');
    }
    out.put_slice(b"\"method\":");
    write_json(out, method)?;
    out.put_slice(b",\"params\":");
    write_json(out, params)?;
    out.put_u8(b'}');
    Ok(())
}

/// Completes the result of a custom method, an object that may already have `resultType` and `_meta`.
fn complete_custom(result: &RawJson, context: EncodeContext<'_>) -> Result<RawMap, serde_json::Error> {
    let mut result: RawMap = result.decode()?;
    if context.revision.is_modern() {
        if result.get("resultType").is_none() {
            result.insert("resultType", RawJson::new("complete")?);
        }
        if let Some(info) = context.server_info {
            let mut meta: RawMap = result.get("_meta").map(RawJson::decode).transpose()?.unwrap_or_default();
            if meta.get(key::SERVER_INFO).is_none() {
                meta.insert(key::SERVER_INFO, info.clone());
                result.insert("_meta", RawJson::new(&meta)?);
            }
        }
    }
    Ok(result)
}

/// Inserts the server info into a `_meta` that has other keys. Returns the server info if `_meta` is empty, so that
/// [`append_modern`] writes it.
fn insert_server_info<'a>(meta: Option<&mut crate::Meta>, info: Option<&'a RawJson>) -> Option<&'a RawJson> {
    match meta {
        Some(meta) if !meta.is_empty() => {
            if let Some(info) = info.filter(|_| meta.get(key::SERVER_INFO).is_none()) {
                meta.insert(key::SERVER_INFO, info.clone());
            }
            None
        }
        Some(_) => info,
        None => None,
    }
}

/// Appends `resultType`, and `_meta` with the server info, to the object at the end of `out`.
fn append_modern(out: &mut BytesMut, result_type: &str, server_info: Option<&RawJson>) {
    debug_assert_eq!(out.last(), Some(&b'}'), "a result is an object");
    out.truncate(out.len() - 1);
    if out.last() != Some(&b'{') {
        out.put_u8(b',');
    }
    out.put_slice(b"\"resultType\":\"");
    out.put_slice(result_type.as_bytes());
    out.put_u8(b'"');
    if let Some(info) = server_info {
        out.put_slice(b",\"_meta\":{\"");
        out.put_slice(key::SERVER_INFO.as_bytes());
        out.put_slice(b"\":");
        out.put_slice(info.as_str().as_bytes());
        out.put_u8(b'}');
    }
    out.put_u8(b'}');
}

/// Runs `write` and truncates `out` to its previous length on error.
fn write_or_truncate(
    out: &mut BytesMut,
    write: impl FnOnce(&mut BytesMut) -> Result<(), serde_json::Error>,
) -> Result<(), serde_json::Error> {
    let start = out.len();
    write(out).inspect_err(|_| out.truncate(start))
}

fn write_json<T: Serialize + ?Sized>(out: &mut BytesMut, value: &T) -> Result<(), serde_json::Error> {
    serde_json::to_writer(out.writer(), value)
}
