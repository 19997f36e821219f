//! Servers in the same process as the client.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_client::{ErrorKind, accept};
use ferromcp_core::Revision;
use ferromcp_server::{Ctx, Server, State, Tool, ToolError};
use serde_json::json;

use crate::script::{builder, soon};

#[tokio::test]
async fn connects_to_server_value_on_every_revision() {
    for revision in Revision::ALL.into_iter().filter(|revision| *revision >= Revision::V2025_06_18) {
        let ask = |ctx: Ctx| async move {
            let name = ctx.elicit::<String>("Who?").await?;
            Ok::<_, ToolError>(format!("Hello, {name}"))
        };
        let server = Server::new("near", "1").with_tool(Tool::new("ask", ask).args(["ctx"]));
        let client_builder =
            builder().only_revision(revision).on_form(|_| async { accept(&json!({ "value": "Ada" })) });
        let client = soon(client_builder.connect(server)).await.unwrap();
        let answer: String = soon(client.call_as("ask", ())).await.unwrap();
        assert_eq!((answer.as_str(), client.revision()), ("Hello, Ada", revision));
        soon(client.close()).await;
    }
}

#[tokio::test]
async fn close_waits_for_lifespans_of_server() {
    let open = Arc::new(AtomicUsize::new(0));
    let (opening, closing) = (Arc::clone(&open), Arc::clone(&open));
    let server = Server::new("near", "1")
        .lifespan(
            move || {
                opening.fetch_add(1, Ordering::Relaxed);
                async { Ok::<_, ToolError>(7_usize) }
            },
            move |_| {
                let closing = Arc::clone(&closing);
                async move {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    closing.fetch_sub(1, Ordering::Relaxed);
                }
            },
        )
        .with_tool(Tool::sync("seven", |State(seven): State<usize>| seven).args(["seven"]));
    let client = soon(builder().connect(server)).await.unwrap();
    assert_eq!(soon(client.call_as::<usize>("seven", ())).await.unwrap(), 7);
    assert_eq!(open.load(Ordering::Relaxed), 1);
    soon(client.close()).await;
    assert_eq!(open.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn reports_cause_when_server_fails_to_start() {
    let server =
        Server::new("near", "1").with_tool(Tool::sync("t", |State(seven): State<usize>| seven).args(["seven"]));
    let error = soon(builder().connect(server)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Connect | ErrorKind::ConnectionLost), "{error:?}");
    assert!(error.to_string().contains("usize"), "{error}");
}
