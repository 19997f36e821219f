//! Reads the first message of a client on stdio, which declares its capabilities.

use std::io;
use std::time::Duration;

use ferromcp_core::RawJson;
use ferromcp_core::model::ClientCapabilities;
use serde::Deserialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};
use tokio::time::timeout;

/// Maximum size of the message and the lines before it, in bytes: that of a message of the transport.
const MAX_BYTES: u64 = 16 << 20;

/// How long a client may take for the next message, after one that declares no capabilities.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// The first message of a client.
#[derive(Debug)]
pub(crate) struct FirstMessage {
    /// The line, and those before it except for pings.
    pub(crate) lines: Vec<u8>,
    /// The id of a request.
    pub(crate) id: Option<RawJson>,
    pub(crate) capabilities: ClientCapabilities,
    /// Whether each request declares capabilities.
    pub(crate) is_modern: bool,
}

#[derive(Deserialize)]
struct Message {
    id: Option<RawJson>,
    method: Option<String>,
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

/// Reads lines up to the first message that declares capabilities: `initialize`, or a request of 2026-07-28. Pings before it
/// are answered by `respond`. Returns `None` at the end of an empty input.
///
/// # Errors
/// Fails if the input cannot be read, or the lines are too long.
pub(crate) async fn read(
    reader: &mut (impl AsyncBufRead + Unpin),
    mut respond: impl AsyncFnMut(&RawJson),
) -> io::Result<Option<FirstMessage>> {
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        let limit = MAX_BYTES - lines.len() as u64;
        let mut limited = (&mut *reader).take(limit);
        let next = limited.read_until(b'\n', &mut line);
        // After a message that declares nothing, the client may wait for its response.
        let length = if lines.is_empty() { next.await? } else { timeout(MAX_WAIT, next).await.unwrap_or(Ok(0))? };
        if length as u64 == limit && !line.ends_with(b"\n") {
            return Err(io::Error::other(format!("the first message is longer than {MAX_BYTES} bytes")));
        }
        if length > 0 && line.trim_ascii().is_empty() {
            continue;
        }
        let message = parse(&line);
        if let Some(id) = message.ping.filter(|_| message.capabilities.is_none()) {
            respond(&id).await;
            continue;
        }
        lines.extend_from_slice(&line);
        if length == 0 || message.capabilities.is_some() {
            let (capabilities, is_modern) = (message.capabilities.unwrap_or_default(), message.is_modern);
            return Ok((!lines.is_empty()).then_some(FirstMessage { lines, id: message.id, capabilities, is_modern }));
        }
    }
}

/// The parts of a message.
#[derive(Default)]
struct Parsed {
    id: Option<RawJson>,
    /// The id of a ping.
    ping: Option<RawJson>,
    capabilities: Option<ClientCapabilities>,
    is_modern: bool,
}

/// Parses a message. An invalid one declares no capabilities; the server responds with an error.
fn parse(line: &[u8]) -> Parsed {
    let Ok(Message { id, method, params }) = serde_json::from_slice(line) else { return Parsed::default() };
    let Params { capabilities, meta } = params.unwrap_or_default();
    let decode = |declared: RawJson| declared.decode().unwrap_or_default();
    let ping = id.clone().filter(|_| method.as_deref() == Some("ping"));
    if let Some(declared) = meta.and_then(|meta| meta.capabilities) {
        return Parsed { id, ping, capabilities: Some(decode(declared)), is_modern: true };
    }
    let is_initialize = method.as_deref() == Some("initialize");
    let capabilities = is_initialize.then(|| capabilities.map(decode).unwrap_or_default());
    Parsed { id, ping, capabilities, is_modern: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_all(mut input: &[u8]) -> (Option<FirstMessage>, Vec<String>) {
        let mut pings = Vec::new();
        let first = read(&mut input, async |id: &RawJson| pings.push(id.as_str().to_owned())).await.unwrap();
        (first, pings)
    }

    #[tokio::test]
    async fn capabilities_are_read_from_both_eras() {
        let initialize = b"{\"id\":7,\"method\":\"initialize\",\"params\":{\"capabilities\":{\"roots\":{}}}}\n";
        let (first, _) = read_all(&[b"\n", initialize.as_slice(), b"later"].concat()).await;
        let first = first.unwrap();
        assert_eq!((first.lines.as_slice(), first.id.unwrap().as_str()), (initialize.as_slice(), "7"));
        assert!(first.capabilities.roots.is_some() && !first.is_modern);
        let meta = r#"{"io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}"#;
        let discover = format!(r#"{{"id":"a","method":"server/discover","params":{{"_meta":{meta}}}}}"#);
        let (first, _) = read_all(discover.as_bytes()).await;
        let first = first.unwrap();
        assert_eq!(first.id.unwrap().as_str(), "\"a\"");
        assert!(first.capabilities.elicitation.is_some() && first.is_modern);
        assert!(read_all(b"").await.0.is_none());
    }

    #[tokio::test]
    async fn earlier_messages_are_passed_on_and_pings_are_answered() {
        let input = b"not JSON\n{\"id\":1,\"method\":\"ping\"}\n{\"id\":2,\"method\":\"initialize\"}\nlater\n";
        let (first, pings) = read_all(input).await;
        let expected = b"not JSON\n{\"id\":2,\"method\":\"initialize\"}\n".as_slice();
        assert_eq!((first.unwrap().lines.as_slice(), pings), (expected, vec!["1".to_owned()]));
        let (first, _) = read_all(b"not JSON\n").await;
        let first = first.unwrap();
        assert_eq!((first.lines.as_slice(), first.id, first.is_modern), (&b"not JSON\n"[..], None, false));
    }

    #[tokio::test]
    async fn message_is_rejected_when_too_long() {
        let long = vec![b'x'; usize::try_from(MAX_BYTES).unwrap() + 1];
        let error = read(&mut &long[..], async |_: &RawJson| {}).await.unwrap_err();
        assert!(error.to_string().contains("longer than"));
    }
}
