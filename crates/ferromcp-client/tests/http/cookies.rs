//! Cookies: the client neither stores nor sends them, unless a header sets one.

use ferromcp_client::{Client, ClientBuilder};
use ferromcp_core::{Era, Revision};

use crate::script::{
    Respond, accept_notification, builder, closing, discovered, initialized, json_result, options, respond_with, text,
    with_session_id,
};
use crate::wire::{ReceivedRequest, Wire, run_both};

/// Adds a cookie to a response.
fn with_cookie(respond: Respond) -> Respond {
    let cookies = "Set-Cookie: sid=abc; Path=/; HttpOnly\r\nSet-Cookie: AWSALB=1; Path=/\r\nContent-Type";
    Box::new(move |asked: &ReceivedRequest| respond(asked).replacen("Content-Type", cookies, 1))
}

/// Connects a client of an era, whose server sets cookies in each response. Returns the requests.
async fn connect(wire: &Wire, builder: ClientBuilder, era: Era) -> (Client, Vec<ReceivedRequest>) {
    let script: Vec<Respond> = match era {
        Era::Modern => vec![json_result(discovered(&[Revision::LATEST.as_str()]))],
        Era::Legacy => vec![
            with_session_id("s-1", json_result(initialized(Revision::LATEST_LEGACY))),
            accept_notification(),
            respond_with(405, "text/plain", ""),
        ],
    };
    let script: Vec<Respond> = script.into_iter().map(with_cookie).collect();
    let (client, asked) = wire.connect(builder.only_era(era), &script).await;
    (client.expect("a client"), asked)
}

#[tokio::test]
async fn cookie_is_not_sent_back_when_server_sets_one() {
    for era in [Era::Modern, Era::Legacy] {
        let wire = Wire::new().await;
        let (client, mut asked) = connect(&wire, builder(), era).await;
        for _ in 0..2 {
            let script = [with_cookie(json_result(text("ok")))];
            let (result, calls) = run_both(async { client.call("t", ()).await }, wire.play(&script)).await;
            result.expect("a result");
            asked.extend(calls);
        }
        assert!(asked.iter().all(|asked| asked.header("cookie").is_none()), "{asked:?}");
    }
}

#[tokio::test]
async fn cookie_is_not_sent_back_when_redirected() {
    let wire = Wire::new().await;
    let (client, _) = connect(&wire, builder(), Era::Modern).await;
    let redirect: Respond =
        Box::new(|_| closing(307, "text/plain", "").replacen("Content-Type", "Location: /other\r\nContent-Type", 1));
    let script = [with_cookie(redirect), json_result(text("ok"))];
    let (result, asked) = run_both(async { client.call("t", ()).await }, wire.play(&script)).await;
    result.expect("a result");
    assert_eq!((&*asked[1].target, asked[1].header("cookie")), ("/other", None));
}

#[tokio::test]
async fn cookie_is_sent_with_every_request_when_header_is_set() {
    for era in [Era::Modern, Era::Legacy] {
        let wire = Wire::new().await;
        let builder = builder().http(options().header("Cookie", "sid=mine"));
        let (client, mut asked) = connect(&wire, builder, era).await;
        let script = [with_cookie(json_result(text("ok")))];
        let (result, calls) = run_both(async { client.call("t", ()).await }, wire.play(&script)).await;
        result.expect("a result");
        asked.extend(calls);
        assert!(asked.iter().all(|asked| asked.header("cookie") == Some("sid=mine")), "{asked:?}");
    }
}
