//! The session of a client of 2025-11-25.

use anyhow::{Context, ensure};
use bytes::Bytes;
use ferromcp::core::header::field;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::connection::{Http1, Refused, Response};
use crate::events::{Messages, body};
use crate::message::{self, LEGACY, Request};
use crate::target::Target;

/// A session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) target: Target,
    pub(crate) id: String,
}

impl Session {
    /// Starts a session and completes the handshake.
    pub(crate) async fn open(target: &Target) -> anyhow::Result<Self> {
        let mut http = Http1::connect(target).await?;
        let capabilities = json!({ "elicitation": {} });
        let response = http.send(message::initialize(target.address, &capabilities)).await?;
        let session = Self::of(target, &response);
        let result = Messages::of(response).await?.result().await?;
        ensure!(result["protocolVersion"] == LEGACY, "{result}");
        let session = session.context("no session id")?;
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let response = http.send(session.post(&initialized)).await?;
        ensure!(response.status() == StatusCode::ACCEPTED, "{}", response.status());
        Ok(session)
    }

    /// Returns the session that a response to `initialize` has started, and counts it.
    pub(crate) fn of(target: &Target, response: &Response) -> Option<Self> {
        let id = response.headers().get(field::lower::SESSION_ID)?.to_str().ok()?.to_owned();
        target.count_session();
        Some(Self { target: target.clone(), id })
    }

    /// Returns a POST of a message.
    pub(crate) fn post(&self, message: &Value) -> Request {
        self.with_headers(message::post(self.target.address, message.to_string()))
    }

    /// Returns a request.
    pub(crate) fn request(&self, id: u64, method: &str, params: &Value) -> Request {
        self.post(&message::message(id, method, params))
    }

    /// Returns a tool call, whose progress token is its id.
    pub(crate) fn call(&self, id: u64, tool: &str, arguments: &Value) -> Request {
        let meta = json!({ "progressToken": id });
        self.request(id, "tools/call", &json!({ "name": tool, "arguments": arguments, "_meta": meta }))
    }

    /// Returns the GET of a stream, which resumes after `last_event` if set.
    pub(crate) fn get(&self, last_event: Option<&str>) -> Request {
        let mut request = self.with_headers(message::post(self.target.address, Bytes::new()));
        *request.method_mut() = Method::GET;
        if let Some(id) = last_event {
            message::set(&mut request, "last-event-id", id);
        }
        request
    }

    /// Ends the session.
    pub(crate) async fn delete(self) -> anyhow::Result<()> {
        let mut request = self.get(None);
        *request.method_mut() = Method::DELETE;
        let response = Http1::connect(&self.target).await?.send(request).await?;
        ensure!(response.status() == StatusCode::NO_CONTENT, "DELETE: {}", response.status());
        Ok(())
    }

    /// Returns whether the server still has the session.
    pub(crate) async fn is_alive(&self) -> anyhow::Result<bool> {
        let mut http = Http1::connect(&self.target).await?;
        let response = http.send(self.request(1, "ping", &json!({}))).await?;
        let status = response.status();
        body(response).await?;
        ensure!(status != StatusCode::SERVICE_UNAVAILABLE, Refused(status.to_string()));
        Ok(status == StatusCode::OK)
    }

    fn with_headers(&self, mut request: Request) -> Request {
        message::set(&mut request, field::SESSION_ID, &self.id);
        message::set(&mut request, field::PROTOCOL_VERSION, LEGACY);
        request
    }
}
