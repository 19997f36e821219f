//! An MCP server over HTTP whose callers log in at an identity provider (an OAuth resource server).
//!
//! | variable | meaning | example |
//! |---|---|---|
//! | `MCP_URL` | the public URL of the endpoint, which is the audience of access tokens | `https://mcp.example.com/mcp` |
//! | `MCP_ISSUER` | the identifier of the identity provider, exactly as in its metadata | `https://login.example.com` |
//! | `MCP_ADDRESS` | the address and port of the listener | `127.0.0.1:8000`, the default |

use std::env;
use std::error::Error;

use ferromcp::auth::resource_server::{
    JwtVerifier, ResourceServer, ResourceServerBuilder, TokenVerifier,
};
use ferromcp::prelude::*;
use ferromcp::server::Principal;
use ferromcp::server::http::HttpServerOptions;

/// Return the name of the caller
#[tool(annotations(read_only, open_world = false))]
fn whoami(caller: Principal) -> String {
    let email: Option<String> = caller.claim("email");
    email
        .or(caller.subject().map(str::to_owned))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Delete all notes; requires a further scope
#[tool(annotations(destructive), scopes = ["notes:write"])]
fn delete_notes() -> &'static str {
    "deleted"
}

fn server() -> Server {
    Server::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .tool::<whoami>()
        .tool::<delete_notes>()
}

/// Describes which tokens are accepted.
fn resource_server(url: &str, verifier: impl TokenVerifier) -> ResourceServerBuilder {
    ResourceServer::builder(url, verifier)
        .required_scopes(["notes:read"])
        .scope_implies("notes:write", ["notes:read"])
}

/// Returns the options of an endpoint with this URL.
fn options(url: &str) -> HttpServerOptions {
    let host = url.split('/').nth(2).unwrap_or_default();
    HttpServerOptions::new().allow_host(host)
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name)
        .map_err(|_| format!("cannot read the variable {name}: it is not set; see README.md"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (url, issuer) = (variable("MCP_URL")?, variable("MCP_ISSUER")?);
    let address = env::var("MCP_ADDRESS").unwrap_or_else(|_| "127.0.0.1:8000".to_owned());
    let authorization = resource_server(&url, JwtVerifier::new(issuer)).build()?;
    let on_bound = |address| eprintln!("serving at http://{address}/mcp");
    let http = http(address)
        .options(options(&url))
        .authorization(authorization)
        .on_bound(on_bound);
    server().serve(http).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::mpsc;
    use std::time::Duration;

    use ferromcp::auth::AuthError;
    use ferromcp::auth::resource_server::StaticTokens;
    use serde_json::json;

    use super::*;

    const URL: &str = "http://localhost/mcp";

    fn authorization() -> Result<ResourceServer, AuthError> {
        let tokens = StaticTokens::new(URL)
            .token("reader", "ada", ["notes:read"])
            .token("writer", "grace", ["notes:write"]);
        resource_server(URL, tokens)
            .authorization_server("http://localhost/issuer")
            .build()
    }

    /// Starts the server with fixed tokens and returns its URL.
    fn start() -> Result<String, Box<dyn Error>> {
        let (sender, receiver) = mpsc::channel::<SocketAddr>();
        let on_bound = move |address| {
            let _ = sender.send(address);
        };
        let http = http("127.0.0.1:0")
            .options(options(URL))
            .authorization(authorization()?);
        tokio::spawn(server().serve(http.on_bound(on_bound)));
        Ok(format!(
            "http://{}/mcp",
            receiver.recv_timeout(Duration::from_secs(10))?
        ))
    }

    async fn client(url: &str, token: &str) -> Result<Client, ClientError> {
        let authorization = format!("Bearer {token}");
        Client::builder("tests", "1.0.0")
            .header("Authorization", authorization)
            .connect(url)
            .await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn tools_depend_on_scopes_when_token_is_valid() -> Result<(), Box<dyn Error>> {
        let url = start()?;
        let reader = client(&url, "reader").await?;
        assert_eq!(reader.call_as::<String>("whoami", json!({})).await?, "ada");
        assert_eq!(reader.tools().await?.len(), 1);
        assert!(reader.call("delete_notes", json!({})).await.is_err());
        let writer = client(&url, "writer").await?;
        assert_eq!(
            writer.call_as::<String>("delete_notes", json!({})).await?,
            "deleted"
        );
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn connection_fails_when_token_is_invalid() -> Result<(), Box<dyn Error>> {
        assert!(client(&start()?, "unknown").await.is_err());
        Ok(())
    }
}
