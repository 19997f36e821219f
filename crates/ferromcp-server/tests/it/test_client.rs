//! Failures of the test client are reported for the place in the test.

use std::future::Future;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::pin::Pin;
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_server::testing::{ClientMode, Effects, TestClient, for_each_mode};
use ferromcp_server::{Ctx, Server, Tool, ToolError};
use serde_json::json;

/// The file and the message of each panic in this process.
static PANICS: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// Runs a failing test; returns the file and the message of its panic, which contains `part`.
fn panic_of(test: impl Future<Output = ()>, part: &str) -> (String, String) {
    static RECORD: Once = Once::new();
    RECORD.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            let file = info.location().map(|place| place.file().to_owned()).unwrap_or_default();
            let message = info.payload().downcast_ref::<String>().cloned().unwrap_or_default();
            PANICS.lock().unwrap_or_else(PoisonError::into_inner).push((file, message));
            previous(info);
        }));
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    catch_unwind(AssertUnwindSafe(|| runtime.block_on(test))).expect_err("the test fails");
    let panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
    panics.iter().rfind(|(_, message)| message.contains(part)).unwrap_or_else(|| panic!("{part}: {panics:?}")).clone()
}

fn client(mode: ClientMode) -> TestClient {
    let server = Server::new("failing", "0")
        .with_tool(Tool::sync("broken", || Err::<String, _>(ToolError::new("no such thing"))))
        .with_tool(Tool::sync("fine", || "fine"))
        .with_tool(
            Tool::new("asks", |ctx: Ctx, what: String| async move {
                ctx.elicit::<bool>(what).await.map(|sure| sure.to_string())
            })
            .args(["ctx", "what"]),
        );
    TestClient::with(server, mode)
}

#[test]
fn panic_is_reported_for_the_await_in_the_test_when_a_call_fails() {
    type Test<'t> = Pin<Box<dyn Future<Output = ()> + 't>>;
    let live = || client(ClientMode::Live(Revision::LATEST_LEGACY));
    let rounds = || client(ClientMode::Rounds);
    let ask = |what: &str| json!({ "what": what });
    let tests: [(Test<'_>, &str); 7] = [
        (Box::pin(async { drop(live().text("broken", &()).await) }), "no such thing"),
        (Box::pin(async { drop(rounds().error_text("fine", &()).await) }), "`fine` did not fail"),
        (Box::pin(async { drop(rounds().text("missing", &()).await) }), "Unknown tool: missing"),
        (Box::pin(async { drop(live().call("asks", &ask("Live?")).await) }), "no response for \"Live?\""),
        (Box::pin(async { drop(rounds().call("asks", &ask("Rounds?")).await) }), "no response for \"Rounds?\""),
        (Box::pin(async { drop(live().call("fine", "text").await) }), "\"text\" is not a JSON object"),
        (Box::pin(async { live().accept("Really?", &json!(5)) }), "5 is not a JSON object"),
    ];
    for (test, part) in tests {
        let (file, message) = panic_of(test, part);
        assert_eq!(file, file!(), "{message}");
    }
}

#[test]
fn message_names_the_call_when_the_future_is_polled_elsewhere() {
    let test = async {
        let client = client(ClientMode::Rounds);
        tokio::time::timeout(Duration::from_secs(5), client.text("broken", &())).await.map(drop).unwrap();
    };
    let (_, message) = panic_of(test, "called at");
    assert!(message.contains(file!()), "{message}");
}

#[test]
fn panic_is_reported_for_the_test_when_an_effect_is_repeated() {
    let server = |effects: Effects| {
        Server::new("effects", "0").with_tool(Tool::new("pay", move |ctx: Ctx| {
            effects.record("paid for the failing test");
            async move { ctx.elicit::<bool>("Really?").await.map(|sure| sure.to_string()) }
        }))
    };
    let test = async {
        for_each_mode(server, async |client| {
            client.accept("Really?", &json!({ "value": true }));
            client.text("pay", &()).await;
        })
        .await;
    };
    let (file, message) = panic_of(test, "paid for the failing test");
    assert_eq!(file, file!(), "{message}");
}
