//! `mcp discover`: shows the name, revision, capabilities and instructions of a server.

use ferromcp_client::Client;
use ferromcp_core::Era;
use ferromcp_core::text::excerpt;
use serde_json::json;

use crate::cli::Discover;
use crate::connect::with_client;
use crate::exit::Failure;
use crate::output::Output;
use crate::surface::capabilities::describe;
use crate::target::{reject_extra, split};

/// Connects, and prints the result of the negotiation.
pub(crate) async fn run(args: Discover) -> Result<(), Failure> {
    let (source, extra) = split(&args.words)?;
    reject_extra(extra)?;
    with_client(source, &args.connection, async |client| print(client, args.json)).await
}

/// Prints the result of the negotiation.
pub(crate) fn print(client: &Client, json: bool) -> Result<(), Failure> {
    let mut out = Output::stdout();
    if json {
        print_json(client, &mut out)?;
    } else {
        print_text(client, &mut out)?;
    }
    out.flush()
}

fn era(client: &Client) -> &'static str {
    match client.revision().era() {
        Era::Legacy => "legacy",
        Era::Modern => "modern",
    }
}

fn print_json(client: &Client, out: &mut Output) -> Result<(), Failure> {
    let mut value = json!({
        "serverInfo": client.server_info(),
        "protocolVersion": client.revision().as_str(),
        "era": era(client),
        "capabilities": client.capabilities(),
    });
    if let Some(instructions) = client.instructions() {
        value["instructions"] = instructions.into();
    }
    out.json(&value)
}

fn print_text(client: &Client, out: &mut Output) -> Result<(), Failure> {
    if let Some(info) = client.server_info() {
        let title = info.title.as_deref().map(|title| format!(" ({})", excerpt(title))).unwrap_or_default();
        out.line(&format!("name:         {}{title}", excerpt(&info.name)))?;
        out.line(&format!("version:      {}", excerpt(&info.version)))?;
        if let Some(url) = &info.website_url {
            out.line(&format!("website:      {}", excerpt(url)))?;
        }
        if let Some(description) = &info.description {
            out.line("description:")?;
            out.indented(description, 2)?;
        }
    }
    out.line(&format!("revision:     {} ({})", client.revision(), era(client)))?;
    let transport = if client.negotiated().http_sse { Some("HTTP+SSE") } else { None };
    if let Some(transport) = transport {
        out.line(&format!("transport:    {transport}"))?;
    }
    let capabilities = describe(&client.capabilities());
    let capabilities = if capabilities.is_empty() { "none".to_owned() } else { capabilities.join(", ") };
    out.line(&format!("capabilities: {capabilities}"))?;
    if let Some(instructions) = client.instructions() {
        out.line("instructions:")?;
        out.indented(&instructions, 2)?;
    }
    Ok(())
}
