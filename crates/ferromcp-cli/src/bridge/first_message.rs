//! Reads the first message of a client on stdio, which declares its capabilities.

use std::io;

use ferromcp_core::RawJson;
use ferromcp_core::model::ClientCapabilities;
use serde::Deserialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// Maximum size of the message, in bytes.
const MAX_BYTES: u64 = 4 << 20;

/// The first message of a client.
#[derive(Debug)]
pub(crate) struct FirstMessage {
    /// The line, with its end.
    pub(crate) line: Vec<u8>,
    /// The id of a request.
    pub(crate) id: Option<RawJson>,
    pub(crate) capabilities: ClientCapabilities,
}

#[derive(Deserialize)]
struct Message {
    id: Option<RawJson>,
    params: Option<Params>,
}

/// The parameters of `initialize`, or of a request of 2026-07-28.
#[derive(Default, Deserialize)]
struct Params {
    capabilities: Option<RawJson>,
    #[serde(rename = "_meta")]
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: Option<RawJson>,
}

/// Reads one line. Returns `None` at the end of the input.
///
/// # Errors
/// Fails if the input cannot be read, or the line is too long.
pub(crate) async fn read(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<FirstMessage>> {
    let mut line = Vec::new();
    while line.trim_ascii().is_empty() {
        line.clear();
        if (&mut *reader).take(MAX_BYTES).read_until(b'\n', &mut line).await? == 0 {
            return Ok(None);
        }
    }
    if line.len() as u64 == MAX_BYTES && !line.ends_with(b"\n") {
        return Err(io::Error::other(format!("the first message is longer than {MAX_BYTES} bytes")));
    }
    Ok(Some(parse(line)))
}

/// Parses a message. An invalid one declares no capabilities; the server responds with an error.
fn parse(line: Vec<u8>) -> FirstMessage {
    let Ok(Message { id, params }) = serde_json::from_slice(&line) else {
        return FirstMessage { line, id: None, capabilities: ClientCapabilities::default() };
    };
    let Params { capabilities, meta } = params.unwrap_or_default();
    let declared = meta.and_then(|meta| meta.capabilities).or(capabilities);
    let capabilities = declared.and_then(|declared| declared.decode().ok()).unwrap_or_default();
    FirstMessage { line, id, capabilities }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn capabilities_are_read_from_both_eras() {
        let initialize = br#"{"jsonrpc":"2.0","id":7,"method":"initialize","params":{"capabilities":{"roots":{}}}}"#;
        let discover = br#"{"jsonrpc":"2.0","id":"a","method":"server/discover","params":
            {"_meta":{"io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}}}"#;
        let discover = discover.iter().copied().filter(|byte| *byte != b'\n').collect::<Vec<u8>>();
        let mut input = &[b"\n", initialize.as_slice(), b"\n", &discover, b"\nnot JSON\n"].concat()[..];
        let first = read(&mut input).await.unwrap().unwrap();
        assert_eq!((first.line, first.id.unwrap().as_str()), ([initialize.as_slice(), b"\n"].concat(), "7"));
        assert!(first.capabilities.roots.is_some() && first.capabilities.elicitation.is_none());
        let second = read(&mut input).await.unwrap().unwrap();
        assert_eq!(second.id.unwrap().as_str(), "\"a\"");
        assert!(second.capabilities.elicitation.is_some());
        let third = read(&mut input).await.unwrap().unwrap();
        assert_eq!((third.line.as_slice(), third.id), (&b"not JSON\n"[..], None));
        assert!(read(&mut input).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn message_is_rejected_when_too_long() {
        let long = vec![b'x'; usize::try_from(MAX_BYTES).unwrap() + 1];
        assert!(read(&mut &long[..]).await.unwrap_err().to_string().contains("longer than"));
    }
}
