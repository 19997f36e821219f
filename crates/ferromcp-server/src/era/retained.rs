//! What a session keeps of its client: small copies, so that it does not keep the message of `initialize`.

use ferromcp_core::model::{ClientCapabilities, Implementation};
use ferromcp_core::{Error, RawJson, RawMap};
use serde::Serialize;

use crate::limits::MAX_CLIENT_BYTES;

/// The memory of an experimental capability or extension in bytes, in addition to its text.
const ENTRY_COST: usize = 64;

/// Returns the capabilities to keep. Ignores experimental capabilities and extensions that are too large.
///
/// # Errors
/// -32602 if the others are too large.
pub(super) fn capabilities(declared: &ClientCapabilities) -> Result<ClientCapabilities, Error> {
    let mut kept = declared.clone();
    let is_too_large = |kept: &ClientCapabilities| {
        let entries = kept.experimental.len() + kept.extensions.len();
        size(kept).saturating_add(entries * ENTRY_COST) > MAX_CLIENT_BYTES
    };
    for name in ["experimental", "extensions"] {
        if is_too_large(&kept) {
            let map = if name == "experimental" { &mut kept.experimental } else { &mut kept.extensions };
            if !map.is_empty() {
                tracing::warn!(
                    limit = MAX_CLIENT_BYTES,
                    "ignored `params.capabilities.{name}` of a client: its capabilities exceed the limit"
                );
                *map = RawMap::new();
            }
        }
    }
    if is_too_large(&kept) {
        return Err(too_large("capabilities", size(&kept)));
    }
    // A copy, because the values are slices of the message.
    RawJson::new(&kept).and_then(|json| json.decode()).map_err(|error| Error::internal(error.to_string()))
}

/// Returns the name and description of a client to keep, as JSON. Ignores icons and descriptions that are too large.
///
/// # Errors
/// -32602 if the name and the version are too large.
pub(super) fn client_info(declared: &Implementation) -> Result<RawJson, Error> {
    let is_large = size(declared) > MAX_CLIENT_BYTES;
    let mut kept = if is_large { declared.clone() } else { return encode(declared) };
    tracing::warn!(limit = MAX_CLIENT_BYTES, "ignored parts of `params.clientInfo` of a client: it exceeds the limit");
    kept.icons.clear();
    if size(&kept) > MAX_CLIENT_BYTES {
        kept = Implementation::new(&*declared.name, &*declared.version);
    }
    if size(&kept) > MAX_CLIENT_BYTES {
        return Err(too_large("clientInfo", size(&kept)));
    }
    encode(&kept)
}

fn encode(info: &Implementation) -> Result<RawJson, Error> {
    RawJson::new(info).map_err(|error| Error::internal(error.to_string()))
}

fn too_large(field: &str, bytes: usize) -> Error {
    Error::invalid_params(format!(
        "Invalid params: `params.{field}` has {bytes} bytes, which exceeds the session limit of {MAX_CLIENT_BYTES}"
    ))
}

/// Returns the size of a value as JSON.
fn size(value: &impl Serialize) -> usize {
    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        Err(_) => usize::MAX,
    }
}

/// Counts the bytes that are written to it.
struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn keep(declared: Value) -> Result<Value, Error> {
        let declared: ClientCapabilities = serde_json::from_value(declared).unwrap();
        capabilities(&declared).map(|kept| serde_json::to_value(kept).unwrap())
    }

    #[test]
    fn small_capabilities_are_kept() {
        let declared = json!({
            "roots": { "listChanged": true },
            "sampling": { "tools": {}, "context": {} },
            "elicitation": { "form": {}, "url": {} },
            "extensions": { "com.example/a": { "b": [1, null] } },
            "experimental": { "x": { "y": "z" } },
        });
        assert_eq!(keep(declared.clone()).unwrap(), declared);
    }

    #[test]
    fn optional_capabilities_are_ignored_when_they_exceed_the_limit() {
        let large = "x".repeat(MAX_CLIENT_BYTES);
        let many: Value =
            (0..1000).map(|number| (number.to_string(), json!({}))).collect::<serde_json::Map<_, _>>().into();
        let small = json!({ "com.example/a": {} });
        for experimental in [json!({ "x": { "y": large } }), many.clone()] {
            let kept = keep(json!({ "roots": {}, "extensions": small, "experimental": experimental })).unwrap();
            assert_eq!(kept, json!({ "roots": {}, "extensions": small }));
        }
        let kept = keep(json!({ "roots": {}, "extensions": many, "experimental": { "x": {} } })).unwrap();
        assert_eq!(kept, json!({ "roots": {} }));
        let error = keep(json!({ "sampling": { "tools": { "x": large } } })).unwrap_err();
        assert!(error.message.contains("`params.capabilities` has") && error.message.contains("16384"), "{error}");
    }

    #[test]
    fn client_info_is_reduced_when_it_exceeds_the_limit() {
        let large = "x".repeat(MAX_CLIENT_BYTES);
        let keep = |declared: Value| {
            let declared: Implementation = serde_json::from_value(declared).unwrap();
            client_info(&declared).map(|kept| kept.decode::<Value>().unwrap())
        };
        let icon = json!({ "src": format!("data:image/png;base64,{large}") });
        let kept = keep(json!({ "name": "a", "version": "1", "title": "A", "icons": [icon] })).unwrap();
        assert_eq!(kept, json!({ "name": "a", "version": "1", "title": "A" }));
        let kept = keep(json!({ "name": "a", "version": "1", "title": "A", "description": large })).unwrap();
        assert_eq!(kept, json!({ "name": "a", "version": "1" }));
        assert!(
            keep(json!({ "name": large, "version": "1" })).unwrap_err().message.contains("`params.clientInfo` has")
        );
    }
}
