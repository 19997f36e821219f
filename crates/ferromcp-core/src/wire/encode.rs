//! From messages to bytes, dressed for the peer's revision.
//!
//! A result is serialised once, straight into the outgoing buffer. What 2026-07-28 wants in each
//! result (`resultType`, the server's identity) is appended to the object that was just written.

use bytes::{BufMut, BytesMut};
use serde::Serialize;

use super::{v2026_07_28, walk};
use crate::error::Error;
use crate::id::RequestId;
use crate::json::{RawJson, RawMap};
use crate::meta::key;
use crate::methods::{
    ClientNotification, ClientRequest, ClientResult, ServerNotification, ServerRequest, ServerResult,
};
use crate::model::InputRequired;
use crate::revision::Revision;

/// For whom a server's message is written.
#[derive(Debug, Clone, Copy)]
pub struct Dress<'a> {
    /// The peer's revision.
    pub revision: Revision,
    /// The server's [`Implementation`](crate::model::Implementation), for the results of modern peers.
    pub server_info: Option<&'a RawJson>,
}

impl<'a> Dress<'a> {
    /// For a peer of `revision`, without identity.
    pub fn new(revision: Revision) -> Self {
        Self { revision, server_info: None }
    }

    /// With the server's identity.
    pub fn server_info(mut self, info: &'a RawJson) -> Self {
        self.server_info = Some(info);
        self
    }
}

/// Writes a server's result.
///
/// # Errors
/// When something in the result cannot be JSON; `out` is as before then.
pub fn server_result(
    out: &mut BytesMut,
    id: &RequestId,
    mut result: ServerResult,
    dress: Dress<'_>,
) -> Result<(), serde_json::Error> {
    walk::server_result(&mut result, dress.revision);
    whole(out, |out| {
        open_response(out, id)?;
        out.put_slice(b"\"result\":");
        if let ServerResult::Other(result) = &result {
            json(out, &foreign(result, dress)?)?;
        } else if dress.revision.is_modern() {
            v2026_07_28::complete(&mut result);
            let identity = identity_apart(result.meta_mut(), dress.server_info);
            json(out, &result)?;
            append_modern(out, "complete", identity);
        } else {
            json(out, &result)?;
        }
        out.put_u8(b'}');
        Ok(())
    })
}

/// Writes questions in place of a result; only modern peers are asked that way.
///
/// # Errors
/// When something in the questions cannot be JSON; `out` is as before then.
pub fn input_required(
    out: &mut BytesMut,
    id: &RequestId,
    mut required: InputRequired,
    dress: Dress<'_>,
) -> Result<(), serde_json::Error> {
    walk::input_required(&mut required, dress.revision);
    whole(out, |out| {
        open_response(out, id)?;
        out.put_slice(b"\"result\":");
        let identity = identity_apart(Some(&mut required.meta), dress.server_info);
        json(out, &required)?;
        append_modern(out, "input_required", identity);
        out.put_u8(b'}');
        Ok(())
    })
}

/// Writes an error; `id` is absent only where it could not be read.
pub fn error(out: &mut BytesMut, id: Option<&RequestId>, mut error: Error, revision: Revision) {
    #[derive(Serialize)]
    struct Envelope<'a> {
        jsonrpc: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a RequestId>,
        error: &'a Error,
    }
    walk::error(&mut error, revision);
    if revision.is_modern() {
        v2026_07_28::translate(&mut error);
    }
    let envelope = Envelope { jsonrpc: "2.0", id, error: &error };
    // Numbers, strings and checked JSON always serialise.
    let _ = whole(out, |out| json(out, &envelope));
}

/// Writes a server's notification.
///
/// # Errors
/// When something in it cannot be JSON; `out` is as before then.
pub fn server_notification(
    out: &mut BytesMut,
    mut notification: ServerNotification,
    revision: Revision,
) -> Result<(), serde_json::Error> {
    walk::server_notification(&mut notification, revision);
    whole(out, |out| said(out, None, notification.method(), &notification))
}

/// Writes a server's request (legacy era).
///
/// # Errors
/// When something in it cannot be JSON; `out` is as before then.
pub fn server_request(
    out: &mut BytesMut,
    id: &RequestId,
    mut request: ServerRequest,
    revision: Revision,
) -> Result<(), serde_json::Error> {
    walk::server_request(&mut request, revision);
    whole(out, |out| said(out, Some(id), request.method(), &request))
}

/// Writes a client's request.
///
/// # Errors
/// When something in it cannot be JSON; `out` is as before then.
pub fn client_request(
    out: &mut BytesMut,
    id: &RequestId,
    mut request: ClientRequest,
    revision: Revision,
) -> Result<(), serde_json::Error> {
    walk::client_request(&mut request, revision);
    whole(out, |out| said(out, Some(id), request.method(), &request))
}

/// Writes a client's notification.
///
/// # Errors
/// When something in it cannot be JSON; `out` is as before then.
pub fn client_notification(
    out: &mut BytesMut,
    mut notification: ClientNotification,
    revision: Revision,
) -> Result<(), serde_json::Error> {
    walk::client_notification(&mut notification, revision);
    whole(out, |out| said(out, None, notification.method(), &notification))
}

/// Writes a client's result (legacy era).
///
/// # Errors
/// When something in it cannot be JSON; `out` is as before then.
pub fn client_result(
    out: &mut BytesMut,
    id: &RequestId,
    mut result: ClientResult,
    revision: Revision,
) -> Result<(), serde_json::Error> {
    walk::client_result(&mut result, revision);
    whole(out, |out| {
        open_response(out, id)?;
        out.put_slice(b"\"result\":");
        json(out, &result)?;
        out.put_u8(b'}');
        Ok(())
    })
}

fn open_response(out: &mut BytesMut, id: &RequestId) -> Result<(), serde_json::Error> {
    out.put_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    json(out, id)?;
    out.put_u8(b',');
    Ok(())
}

/// A request or notification whose serialised form is its parameters.
fn said<T: Serialize>(
    out: &mut BytesMut,
    id: Option<&RequestId>,
    method: &str,
    params: &T,
) -> Result<(), serde_json::Error> {
    out.put_slice(b"{\"jsonrpc\":\"2.0\",");
    if let Some(id) = id {
        out.put_slice(b"\"id\":");
        json(out, id)?;
        out.put_u8(b',');
    }
    out.put_slice(b"\"method\":");
    json(out, method)?;
    out.put_slice(b",\"params\":");
    json(out, params)?;
    out.put_u8(b'}');
    Ok(())
}

/// The result of a method of somebody's own: an object, which may have its own `resultType` and `_meta`.
fn foreign(result: &RawJson, dress: Dress<'_>) -> Result<RawMap, serde_json::Error> {
    let mut result: RawMap = result.decode()?;
    if dress.revision.is_modern() {
        if result.get("resultType").is_none() {
            result.insert("resultType", RawJson::new("complete")?);
        }
        if let Some(info) = dress.server_info {
            let mut meta: RawMap = result.get("_meta").map(RawJson::decode).transpose()?.unwrap_or_default();
            if meta.get(key::SERVER_INFO).is_none() {
                meta.insert(key::SERVER_INFO, info.clone());
                result.insert("_meta", RawJson::new(&meta)?);
            }
        }
    }
    Ok(result)
}

/// Puts the identity into a `_meta` that has other keys; into an empty one [`append_modern`] writes it.
fn identity_apart<'a>(meta: Option<&mut crate::Meta>, info: Option<&'a RawJson>) -> Option<&'a RawJson> {
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

/// Appends `resultType`, and `_meta` with the identity, to the object that `out` ends with.
fn append_modern(out: &mut BytesMut, result_type: &str, identity: Option<&RawJson>) {
    debug_assert_eq!(out.last(), Some(&b'}'), "a result is an object");
    out.truncate(out.len() - 1);
    if out.last() != Some(&b'{') {
        out.put_u8(b',');
    }
    out.put_slice(b"\"resultType\":\"");
    out.put_slice(result_type.as_bytes());
    out.put_u8(b'"');
    if let Some(info) = identity {
        out.put_slice(b",\"_meta\":{\"");
        out.put_slice(key::SERVER_INFO.as_bytes());
        out.put_slice(b"\":");
        out.put_slice(info.as_str().as_bytes());
        out.put_u8(b'}');
    }
    out.put_u8(b'}');
}

/// Takes back what was written when `write` fails.
fn whole(
    out: &mut BytesMut,
    write: impl FnOnce(&mut BytesMut) -> Result<(), serde_json::Error>,
) -> Result<(), serde_json::Error> {
    let start = out.len();
    write(out).inspect_err(|_| out.truncate(start))
}

fn json<T: Serialize + ?Sized>(out: &mut BytesMut, value: &T) -> Result<(), serde_json::Error> {
    serde_json::to_writer(out.writer(), value)
}
