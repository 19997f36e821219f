//! The keys of `_meta`: those defined by the specification, and the grammar of all keys.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#meta>.

/// The `_meta` keys defined by the specification.
pub mod key {
    /// The protocol revision of a modern request.
    pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    /// The client capabilities of a modern request.
    pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    /// The client [`Implementation`](crate::model::Implementation) of a modern request.
    pub const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
    /// The server [`Implementation`](crate::model::Implementation) in the result of a modern request.
    pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
    /// The minimum log level that a modern request subscribes to.
    pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
    /// The id of the subscription of a notification or of a final `subscriptions/listen` result.
    pub const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
    /// The task associated with a message (2025-11-25).
    pub const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";
    /// A text returned to the model immediately, while the task is still running (2025-11-25).
    pub const MODEL_IMMEDIATE_RESPONSE: &str = "io.modelcontextprotocol/model-immediate-response";
    /// The token for progress notifications.
    pub const PROGRESS_TOKEN: &str = "progressToken";
    /// The W3C Trace Context `traceparent`.
    pub const TRACEPARENT: &str = "traceparent";
    /// The W3C Trace Context `tracestate`.
    pub const TRACESTATE: &str = "tracestate";
    /// W3C Baggage.
    pub const BAGGAGE: &str = "baggage";
}

/// Returns `true` if `key` matches the grammar of `_meta` keys, `[label(.label)*/]name`.
///
/// ```
/// use ferromcp_core::meta::is_valid_key;
/// assert!(is_valid_key("com.example/my-key_1.x") && is_valid_key("progressToken") && is_valid_key("a.b/"));
/// assert!(!is_valid_key("1a/x") && !is_valid_key("a-/x") && !is_valid_key("-x") && !is_valid_key("a..b/x"));
/// ```
pub fn is_valid_key(key: &str) -> bool {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let bounded = |text: &str| {
        text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
            && text.bytes().last().is_some_and(|b| b.is_ascii_alphanumeric())
    };
    let label = |label: &str| {
        label.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && label.bytes().last().is_some_and(|b| b.is_ascii_alphanumeric())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    prefix.is_none_or(|prefix| prefix.split('.').all(label))
        && (name.is_empty() && prefix.is_some() || bounded(name) && name.bytes().all(inner))
}

/// Returns `true` if the prefix of `key` is reserved for MCP: its second label is `mcp` or `modelcontextprotocol`.
///
/// ```
/// use ferromcp_core::meta::is_reserved_key;
/// assert!(is_reserved_key("io.modelcontextprotocol/x") && is_reserved_key("dev.mcp/x") && is_reserved_key("com.mcp.tools/x"));
/// assert!(!is_reserved_key("com.example.mcp/x") && !is_reserved_key("mcp"));
/// ```
pub fn is_reserved_key(key: &str) -> bool {
    key.split_once('/')
        .and_then(|(prefix, _)| prefix.split('.').nth(1))
        .is_some_and(|label| matches!(label, "mcp" | "modelcontextprotocol"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validates_meta_key_grammar() {
        // M26-045, M26-046, M26-048, M26-049, M26-050, S-031, S-032, S-033, S-034, S-036
        for good in ["a", "a.b-c_d", "io.mcp/", "com.example/x", "a1/b", "x-y.z/0"] {
            assert!(is_valid_key(good), "{good}");
        }
        for bad in ["", "/x", ".a", "a.", "a/-", "a/b/c", "a b", "9a/x", "a_/x"] {
            assert!(!is_valid_key(bad), "{bad}");
        }
    }
}
