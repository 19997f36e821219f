//! A server written with rmcp, for interoperability tests: `interop-rmcp stdio|stateless|sessions`.
//!
//! `stateless` and `sessions` select how revisions before 2026-07-28 are served. Over HTTP the server listens on a free
//! port and prints its URL as the first line on stderr.

#![allow(deprecated, reason = "logging is deprecated since 2026-07-28; older revisions support it")]

use std::env;
use std::sync::Arc;

use rmcp::model::*;
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService, stdio};
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt};
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error>;

#[derive(Clone)]
struct RmcpServer;

impl ServerHandler for RmcpServer {
    fn get_info(&self) -> ServerConfig {
        let can = ServerCapabilities::builder().enable_tools().enable_resources().enable_prompts().enable_logging();
        ServerConfig::new(can.build())
    }

    async fn set_level(&self, _: SetLevelRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let numbers = json!({
            "type": "object",
            "properties": { "a": { "type": "number" }, "b": { "type": "number" } },
            "required": ["a", "b"],
        });
        let result =
            json!({ "type": "object", "properties": { "result": { "type": "number" } }, "required": ["result"] });
        let no_arguments = json!({ "type": "object" });
        let mut add = Tool::new("add", "Add two numbers", object(numbers));
        add.output_schema = Some(Arc::new(object(result)));
        let ask = Tool::new("ask", "Ask who is there", object(no_arguments.clone()));
        let steps = Tool::new("steps", "Report progress", object(no_arguments));
        Ok(ListToolsResult::with_all_items(vec![add, ask, steps]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match request.name.as_ref() {
            "add" => add(&request.arguments.unwrap_or_default()),
            "ask" => ask(request.input_responses.as_ref(), &context).await,
            "steps" => steps(&context).await,
            other => Err(ErrorData::invalid_params(format!("unknown tool {other}"), None)),
        }
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let greeting = ResourceTemplate::new("greeting://{name}", "greeting");
        Ok(ListResourceTemplatesResult::with_all_items(vec![greeting]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let Some(name) = request.uri.strip_prefix("greeting://") else {
            return Err(ErrorData::resource_not_found(format!("unknown resource {}", request.uri), None));
        };
        let greeting = ResourceContents::text(format!("Hello, {name}!"), request.uri.clone());
        Ok(ReadResourceResult::new(vec![greeting]).into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let code = PromptArgument::new("code").with_required(true);
        let review = Prompt::new("review", Some("Ask for a review"), Some(vec![code]));
        Ok(ListPromptsResult::with_all_items(vec![review]))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let arguments = serde_json::to_value(&request.arguments).unwrap_or_default();
        let review = format!("Please review: {}", arguments["code"].as_str().unwrap_or_default());
        Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, review)]).into())
    }
}

fn add(arguments: &JsonObject) -> Result<CallToolResponse, ErrorData> {
    let number = |name: &str| arguments.get(name).and_then(Value::as_f64);
    let (Some(a), Some(b)) = (number("a"), number("b")) else {
        return Err(ErrorData::invalid_params("`a` and `b` must be numbers", None));
    };
    Ok(CallToolResult::structured(json!({ "result": a + b })).into())
}

/// Asks the client: with an `input_required` result in 2026-07-28, with a request in older revisions.
async fn ask(
    answers: Option<&InputResponses>,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    if let Some(answer) = answers.and_then(|answers| answers.get("who")) {
        return Ok(hello(&answer["content"]));
    }
    let form = json!({ "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] });
    let who = ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: "Who is there?".into(),
        requested_schema: serde_json::from_value(form).map_err(failed)?,
    };
    if context.protocol_version().is_some_and(|version| version == ProtocolVersion::V_2026_07_28) {
        let mut questions = InputRequests::new();
        questions.insert("who".to_owned(), InputRequest::Elicitation(ElicitRequest::new(who)));
        return Ok(InputRequiredResult::new(Some(questions), None).into());
    }
    let answer = context.peer.create_elicitation(who).await.map_err(failed)?;
    Ok(hello(&answer.content.unwrap_or_default()))
}

fn hello(content: &Value) -> CallToolResponse {
    let hello = format!("Hello, {}!", content["name"].as_str().unwrap_or("nobody"));
    CallToolResult::success(vec![ContentBlock::text(hello)]).into()
}

async fn steps(context: &RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
    let begun = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!("begun"));
    context.peer.notify_logging_message(begun).await.map_err(failed)?;
    if let Some(token) = context.meta.get_progress_token() {
        for step in 1..=3_u8 {
            let progress = ProgressNotificationParam::new(token.clone(), f64::from(step)).with_total(3.0);
            let progress = progress.with_message(format!("step {step}"));
            context.peer.notify_progress(progress).await.map_err(failed)?;
        }
    }
    Ok(CallToolResult::success(vec![ContentBlock::text("done")]).into())
}

fn failed(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

fn object(value: Value) -> JsonObject {
    value.as_object().cloned().unwrap_or_default()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mode = env::args().nth(1).unwrap_or_default();
    if mode == "stdio" {
        RmcpServer.serve(stdio()).await?.waiting().await?;
        return Ok(());
    }
    let mut config = StreamableHttpServerConfig::default();
    config.legacy_session_mode = mode == "sessions";
    let service = StreamableHttpService::new(|| Ok(RmcpServer), Arc::<LocalSessionManager>::default(), config);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    eprintln!("http://{}/mcp", listener.local_addr()?);
    axum::serve(listener, axum::Router::new().nest_service("/mcp", service)).await?;
    Ok(())
}
