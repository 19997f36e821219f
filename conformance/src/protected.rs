//! An MCP server that requires access tokens, and the options of its authorization server.

use ferromcp::auth::authorization_server::{AuthorizationServerOptions, ClientRegistrationOptions};
use ferromcp::prelude::*;
use ferromcp::server::{Json, Principal};
use schemars::JsonSchema;
use serde::Serialize;

/// The scope that each request requires.
pub const READ: &str = "notes:read";
/// The scope that the tool `write_note` requires in addition.
pub const WRITE: &str = "notes:write";

/// The caller of a tool.
#[derive(Debug, Serialize, JsonSchema)]
struct Caller {
    subject: Option<String>,
    client_id: Option<String>,
    scopes: Vec<String>,
}

/// Add two numbers
#[tool]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Return the user, the client and the scopes of the access token
#[tool]
async fn whoami(principal: Principal) -> Json<Caller> {
    Json(Caller {
        subject: principal.subject().map(str::to_owned),
        client_id: principal.client_id().map(str::to_owned),
        scopes: principal.scopes().to_vec(),
    })
}

/// Write a note
#[tool(scopes = ["notes:write"])]
async fn write_note(text: String) -> String {
    format!("written: {text}")
}

/// Creates the MCP server.
pub fn server() -> Server {
    Server::new("Protected", "1.0.0").tool::<add>().tool::<whoami>().tool::<write_note>()
}

/// Returns the options of an authorization server for the MCP server at `resource`, with dynamic registration.
pub fn options(issuer: &str, resource: &str) -> AuthorizationServerOptions {
    AuthorizationServerOptions::new(issuer)
        .resource(resource)
        .required_scopes([READ])
        .valid_scopes([READ, WRITE])
        .client_registration(ClientRegistrationOptions::new())
}
