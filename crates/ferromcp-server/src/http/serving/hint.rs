//! The hint printed when an HTTP server is started in a terminal.

use std::io::{IsTerminal, stderr};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::inner::Inner;
use crate::serve::hint::quoted;

/// Prints to stderr how to connect a client or host to this server, if stderr is a terminal and no tracing subscriber
/// reports the address.
pub(super) fn print(inner: &Inner, address: SocketAddr, path: &str) {
    if stderr().is_terminal() && !tracing::dispatcher::has_been_set() {
        eprintln!("{}", text(inner, address, path));
    }
}

fn text(inner: &Inner, address: SocketAddr, path: &str) -> String {
    let (name, version) = (&inner.info.name, &inner.info.version);
    // A wildcard address is not one to connect to.
    let local = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port());
    let url = format!("http://{}{path}", if address.ip().is_unspecified() { local } else { address });
    let config = serde_json::json!({ "mcpServers": { name.as_str(): { "type": "http", "url": url } } });
    let config = serde_json::to_string_pretty(&config).unwrap_or_default();
    format!(
        "{name} {version} is an MCP server at {url}; it is waiting for clients.\n\
         To try it:   npx @modelcontextprotocol/inspector {}\n\
         Host configuration:\n{config}\n\
         Press Ctrl-C to exit.",
        quoted(&url)
    )
}

#[cfg(test)]
mod tests {
    use ferromcp_core::model::Implementation;
    use serde_json::{Value, json};

    use super::*;

    // S14
    #[test]
    fn hint_contains_address_configuration_and_inspector() {
        let inner = Inner::new(Implementation::new("Demo", "1.2.3"));
        for (address, url) in [
            ("127.0.0.1:8000", "http://127.0.0.1:8000/mcp"),
            ("0.0.0.0:8000", "http://127.0.0.1:8000/mcp"),
            ("[::]:8000", "http://127.0.0.1:8000/mcp"),
            ("[::1]:8000", "http://[::1]:8000/mcp"),
        ] {
            let text = text(&inner, address.parse().unwrap(), "/mcp");
            assert!(text.starts_with(&format!("Demo 1.2.3 is an MCP server at {url};")), "{text}");
            assert!(text.contains("npx @modelcontextprotocol/inspector ") && text.contains(url), "{text}");
            let config = &text[text.find('{').unwrap()..=text.rfind('}').unwrap()];
            let config: Value = serde_json::from_str(config).unwrap();
            assert_eq!(config["mcpServers"]["Demo"], json!({ "type": "http", "url": url }));
        }
    }
}
