//! The client of this crate logs in at the authorization server, and calls an MCP server behind it.

use std::convert::Infallible;
use std::error::Error;

use bytes::Bytes;
use ferromcp_auth::authorization_server::{
    AuthorizationServer, AuthorizationServerOptions, ClientRegistrationOptions, TrustedIssuer,
};
use ferromcp_auth::client::{Grant, OAuth, OAuthOptions, RedirectHandler};
use ferromcp_client::Client;
use ferromcp_server::http::{HttpAuthorization as _, HttpServerOptions};
use ferromcp_server::{Principal, Server, Tool};
use http::header::LOCATION;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tower_layer::Layer as _;
use tower_service::Service as _;

use crate::provider::TestProvider;

type Body = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

const REDIRECT_URI: &str = "http://127.0.0.1:1/callback";

/// Serves an MCP server with its authorization server, and returns its URL.
async fn serve(provider: &TestProvider) -> (String, AuthorizationServer) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let url = format!("{origin}/mcp");
    let options = AuthorizationServerOptions::new(&*origin)
        .resource(&*url)
        .required_scopes(["read"])
        .valid_scopes(["read", "write"])
        .trusted_issuer(TrustedIssuer::identity_provider("https://idp.example.com").jwks(serde_json::json!({})))
        .client_registration(ClientRegistrationOptions::new());
    let server = AuthorizationServer::new(options, provider.clone()).unwrap();
    let whoami = Tool::sync("whoami", |user: Principal| user.subject().unwrap_or("unknown").to_owned());
    let mcp = Server::new("notes", "1.0.0").with_tool(whoami).http_with(HttpServerOptions::new()).unwrap();
    let protected = server.resource_server(&url).unwrap().layer(mcp);
    let serving = server.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (serving, protected) = (serving.clone(), protected.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let (serving, mut protected) = (serving.clone(), protected.clone());
                async move {
                    if serving.is_route(request.uri().path()) {
                        let response = serving.routes().call(request).await?;
                        return Ok::<Response<Body>, Infallible>(
                            response.map(|body| body.map_err(|never| match never {}).boxed_unsync()),
                        );
                    }
                    let response = protected.call(request).await?;
                    Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (url, server)
}

/// Returns options of a client whose user authorizes each request.
fn client_options(url: &str, server: &AuthorizationServer) -> OAuthOptions {
    let server = server.clone();
    let prompt = RedirectHandler::new(REDIRECT_URI, move |request: ferromcp_auth::client::AuthorizationRequest| {
        let server = server.clone();
        async move {
            let visit = Request::get(request.url()).body(Bytes::new()).unwrap();
            let response = server.respond(visit).await;
            Ok(response.headers()[LOCATION].to_str().unwrap().to_owned())
        }
    });
    OAuthOptions::new(url).client_name("test").grant(Grant::authorization_code(prompt))
}

async fn whoami(client: &Client) -> String {
    client.call("whoami", ()).await.unwrap().text_content()
}

#[tokio::test]
async fn client_registers_logs_in_and_calls_a_tool() {
    //
    let provider = TestProvider::default();
    provider.state().lifetime = 300;
    let (url, server) = serve(&provider).await;
    let oauth = OAuth::new(client_options(&url, &server)).unwrap();
    let client = Client::builder("test", "1.0.0").credentials(oauth).connect(&*url).await.unwrap();
    assert_eq!(whoami(&client).await, "ada");
    let state = provider.state();
    assert_eq!((state.clients.len(), state.requests.len()), (1, 1));
    assert_eq!(state.requests[0].resource, url);
}

#[tokio::test]
async fn client_binds_its_tokens_to_a_key() {
    //
    let provider = TestProvider::default();
    provider.state().lifetime = 300;
    let (url, server) = serve(&provider).await;
    let oauth = OAuth::new(client_options(&url, &server).dpop()).unwrap();
    let client = Client::builder("test", "1.0.0").credentials(oauth).connect(&*url).await.unwrap();
    assert_eq!(whoami(&client).await, "ada");
    assert!(provider.state().access.values().all(|token| token.key_thumbprint.is_some()));
}

#[tokio::test]
async fn client_refreshes_its_tokens() {
    let provider = TestProvider::default();
    // Tokens are refreshed 30 seconds before they expire.
    provider.state().lifetime = 20;
    let (url, server) = serve(&provider).await;
    let oauth = OAuth::new(client_options(&url, &server)).unwrap();
    let client = Client::builder("test", "1.0.0").credentials(oauth).connect(&*url).await.unwrap();
    assert_eq!((whoami(&client).await, whoami(&client).await), ("ada".to_owned(), "ada".to_owned()));
    let state = provider.state();
    assert_eq!(state.requests.len(), 1, "the user logs in once");
    assert!(state.access.len() > 2 && state.refresh.len() == 1, "tokens are refreshed and rotated");
}
