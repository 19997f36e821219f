//! Valid traffic of both eras. Every answer is checked.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::connection::Http1;
use crate::events::{Messages, is_stream};
use crate::message;
use crate::session::Session;
use crate::target::Target;

/// Runs one of the scenarios; `turn` selects it.
pub(crate) async fn run(target: &Target, turn: usize) -> anyhow::Result<()> {
    match turn % 8 {
        0 => requests(target).await.context("requests without a session"),
        1 => progress(target).await.context("progress without a session"),
        2 => question(target).await.context("elicitation without a session"),
        3 => subscription(target, turn).await.context("subscription without a session"),
        4 => session_requests(target).await.context("requests of a session"),
        5 => session_question(target).await.context("elicitation in a session"),
        6 => session_notification(target, turn).await.context("GET stream of a session"),
        _ => resumption(target).await.context("resumption"),
    }
}

async fn result(http: &mut Http1, request: message::Request) -> anyhow::Result<Value> {
    Messages::of(http.send(request).await?).await?.result().await
}

async fn requests(target: &Target) -> anyhow::Result<()> {
    let mut http = Http1::connect(target).await?;
    let mut send =
        async |method: &str, params: Value| result(&mut http, message::modern(target.address, 1, method, params)).await;
    let tools = send("tools/list", json!({})).await?;
    ensure!(tools["tools"].as_array().is_some_and(|tools| tools.len() == 7), "{tools}");
    let sum = send("tools/call", json!({ "name": "add", "arguments": { "a": 20, "b": 22 } })).await?;
    ensure!(sum["content"][0]["text"] == "42", "{sum}");
    let note = send("resources/read", json!({ "uri": "note://tea" })).await?;
    ensure!(note["contents"][0]["text"] == "the note tea", "{note}");
    let prompt = send("prompts/get", json!({ "name": "review", "arguments": { "code": "1 + 1" } })).await?;
    ensure!(prompt["messages"][0]["content"]["text"].is_string(), "{prompt}");
    let large = send("tools/call", json!({ "name": "large", "arguments": { "bytes": 100_000 } })).await?;
    ensure!(large["content"][0]["text"].as_str().map(str::len) == Some(100_000), "a large result is incomplete");
    Ok(())
}

async fn progress(target: &Target) -> anyhow::Result<()> {
    let mut http = Http1::connect(target).await?;
    let arguments = json!({ "count": 20, "pause_ms": 1, "bytes": 200 });
    let response = http.send(message::call_with_progress(target.address, "steps", &arguments)).await?;
    let has_stream = is_stream(&response);
    let mut messages = Messages::of(response).await?;
    ensure!(has_stream, "not a stream");
    for step in 1..=20 {
        let (_, message) = messages.next().await?;
        ensure!(message["params"]["progress"].as_f64() == Some(f64::from(step)), "{message}");
    }
    let result = messages.result().await?;
    ensure!(result["content"][0]["text"] == "20", "{result}");
    Ok(())
}

async fn question(target: &Target) -> anyhow::Result<()> {
    let mut http = Http1::connect(target).await?;
    let first = result(&mut http, message::call(target.address, "confirm", &json!({}))).await?;
    ensure!(first["resultType"] == "input_required", "{first}");
    let keys = first["inputRequests"].as_object().context("no questions")?.keys();
    let answers: Value = keys.map(|key| (key.clone(), accept())).collect::<serde_json::Map<_, _>>().into();
    let params = json!({
        "name": "confirm", "arguments": {}, "inputResponses": answers, "requestState": first["requestState"]
    });
    let last = result(&mut http, message::modern(target.address, 2, "tools/call", params)).await?;
    ensure!(last["content"][0]["text"] == "true", "{last}");
    Ok(())
}

fn accept() -> Value {
    json!({ "action": "accept", "content": { "value": true } })
}

async fn subscription(target: &Target, turn: usize) -> anyhow::Result<()> {
    let uri = format!("note://{turn}");
    let mut http = Http1::connect(target).await?;
    let params = json!({ "notifications": { "resourceSubscriptions": [uri] } });
    let response = http.send(message::modern(target.address, 1, "subscriptions/listen", params)).await?;
    let mut messages = Messages::of(response).await?;
    let (_, acknowledged) = messages.next().await?;
    ensure!(acknowledged["method"] == "notifications/subscriptions/acknowledged", "{acknowledged}");
    let mut other = Http1::connect(target).await?;
    result(&mut other, message::call(target.address, "change", &json!({ "uri": uri }))).await?;
    let (_, changed) = messages.next().await?;
    ensure!(changed["params"]["uri"] == uri.as_str(), "{changed}");
    Ok(())
}

async fn session_requests(target: &Target) -> anyhow::Result<()> {
    let session = Session::open(target).await?;
    let mut http = Http1::connect(target).await?;
    let tools = result(&mut http, session.request(1, "tools/list", &json!({}))).await?;
    ensure!(tools["tools"].as_array().is_some_and(|tools| tools.len() == 7), "{tools}");
    let sum = result(&mut http, session.call(2, "add", &json!({ "a": 20, "b": 22 }))).await?;
    ensure!(sum["content"][0]["text"] == "42", "{sum}");
    let steps = session.call(3, "steps", &json!({ "count": 20, "pause_ms": 0, "bytes": 200 }));
    let steps = result(&mut http, steps).await?;
    ensure!(steps["content"][0]["text"] == "20", "{steps}");
    session.delete().await
}

async fn session_question(target: &Target) -> anyhow::Result<()> {
    let session = Session::open(target).await?;
    let mut http = Http1::connect(target).await?;
    let mut messages = Messages::of(http.send(session.call(1, "confirm", &json!({}))).await?).await?;
    let (_, question) = messages.next().await?;
    ensure!(question["method"] == "elicitation/create", "{question}");
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": accept() });
    Http1::connect(target).await?.send(session.post(&answer)).await?;
    let result = messages.result().await?;
    ensure!(result["content"][0]["text"] == "true", "{result}");
    session.delete().await
}

async fn session_notification(target: &Target, turn: usize) -> anyhow::Result<()> {
    let uri = format!("note://{turn}");
    let session = Session::open(target).await?;
    let mut http = Http1::connect(target).await?;
    let response = http.send(session.get(None)).await?;
    let mut messages = Messages::of(response).await?;
    let mut other = Http1::connect(target).await?;
    result(&mut other, session.request(1, "resources/subscribe", &json!({ "uri": uri }))).await?;
    result(&mut other, session.call(2, "change", &json!({ "uri": uri }))).await?;
    let (_, changed) = messages.next().await?;
    ensure!(changed["params"]["uri"] == uri.as_str(), "{changed}");
    session.delete().await
}

/// Disconnects during a call, and resumes its stream.
async fn resumption(target: &Target) -> anyhow::Result<()> {
    let session = Session::open(target).await?;
    let mut http = Http1::connect(target).await?;
    let call = session.call(1, "steps", &json!({ "count": 10, "pause_ms": 5, "bytes": 100 }));
    let mut messages = Messages::of(http.send(call).await?).await?;
    let (last, first) = messages.next().await?;
    ensure!(first["params"]["progress"] == 1.0, "{first}");
    drop((messages, http));
    let last = last.context("no event id")?;
    let mut http = Http1::connect(target).await?;
    let mut messages = Messages::of(http.send(session.get(Some(&last))).await?).await?;
    for step in 2..=10 {
        let (_, message) = messages.next().await?;
        ensure!(message["params"]["progress"].as_f64() == Some(f64::from(step)), "{message}");
    }
    let result = messages.result().await?;
    ensure!(result["content"][0]["text"] == "10", "{result}");
    session.delete().await
}
