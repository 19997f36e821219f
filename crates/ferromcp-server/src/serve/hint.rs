//! The hint printed when a stdio server is started in a terminal instead of by a client.

use std::env;

use crate::inner::Inner;

/// Prints to stderr how to connect a client or host to this server.
pub(crate) fn print(inner: &Inner) {
    eprintln!("{}", text(inner));
}

fn text(inner: &Inner) -> String {
    let (name, version) = (&inner.info.name, &inner.info.version);
    let command = env::current_exe().map_or_else(|_| name.clone(), |path| path.display().to_string());
    let args: Vec<String> = env::args().skip(1).collect();
    let config = serde_json::json!({ "mcpServers": { name.as_str(): { "command": command, "args": args } } });
    let config = serde_json::to_string_pretty(&config).unwrap_or_default();
    let command_line = std::iter::once(&command).chain(&args).map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    format!(
        "{name} {version} is an MCP server on stdin and stdout; it is waiting for a client.\n\
         To try it:   npx @modelcontextprotocol/inspector {command_line}\n\
         Host configuration:\n{config}\n\
         Press Ctrl-D or Ctrl-C to exit."
    )
}

/// Quotes an argument for a shell.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-=:@%+,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use ferromcp_core::model::Implementation;

    use super::*;

    #[test]
    fn hint_contains_server_name_and_configuration() {
        let text = text(&Inner::new(Implementation::new("Demo", "1.2.3")));
        assert!(text.contains("Demo 1.2.3") && text.contains("\"mcpServers\"") && text.contains("\"command\""));
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
