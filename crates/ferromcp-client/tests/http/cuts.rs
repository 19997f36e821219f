//! Legacy streams that are cut, in every way a server or a network can.

use std::time::{Duration, Instant};

use ferromcp_client::http::{Endpoint, Failure, RequestHeaders};
use ferromcp_core::Revision;

use crate::wire::{Asked, END, STREAM, Wire, both, bounded, chunk, events, message, response};

fn legacy() -> RequestHeaders {
    RequestHeaders::legacy(Revision::LATEST_LEGACY, None)
}

/// What is said on a stream that began, then how it is cut.
#[derive(Clone, Copy)]
enum Cut {
    InOrder,
    Closed,
    Broken,
}

/// Takes the next request, says something on a stream, and cuts it.
async fn says(wire: &Wire, said: &str, cut: Cut) -> Asked {
    let (asked, mut peer) = wire.asked().await;
    peer.say([STREAM.as_bytes(), &chunk(said)].concat()).await;
    match cut {
        Cut::InOrder => peer.say(END).await,
        Cut::Closed => {}
        Cut::Broken => peer.say("no length\r\n").await,
    }
    asked
}

#[tokio::test]
async fn a_stream_goes_on_where_it_was_cut_and_the_post_is_not_repeated() {
    // S-142, S-144, S-169, S-170
    for cut in [Cut::InOrder, Cut::Closed, Cut::Broken] {
        let wire = Wire::new().await;
        let endpoint = wire.endpoint();
        let server = async {
            let post = says(&wire, "id: a-1\ndata:\n\nretry: 80\nid: a-2\ndata: one\n\nid: a-3\ndata: ha", cut).await;
            let since = Instant::now();
            let get = says(&wire, "id: a-3\ndata: two\n\n", Cut::InOrder).await;
            (post, get, since.elapsed())
        };
        let client = async {
            let mut events = events(endpoint.post(&legacy(), "{}".into()).await.expect("a reply"));
            [message(&mut events).await, message(&mut events).await]
        };
        let (messages, (post, get, after)) = both(client, server).await;
        assert_eq!(messages, ["one", "two"]);
        assert_eq!((&*post.method, &*get.method, &*get.target), ("POST", "GET", "/mcp"));
        assert_eq!(get.header("last-event-id"), Some("a-2"), "an event that was not whole does not count");
        assert_eq!(get.header("accept"), Some("text/event-stream"));
        assert_eq!(get.header("mcp-protocol-version"), Some(Revision::LATEST_LEGACY.as_str()));
        assert!(get.body.is_empty() && get.header("content-type").is_none());
        assert!(after >= Duration::from_millis(75) && after < Duration::from_secs(1), "{after:?}");
    }
}

#[tokio::test]
async fn without_a_word_of_the_server_it_takes_a_second() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let server = async {
        says(&wire, "id: 1\ndata:\n\n", Cut::InOrder).await;
        let since = Instant::now();
        says(&wire, "data: x\n\n", Cut::InOrder).await;
        since.elapsed()
    };
    let client = async { message(&mut events(endpoint.post(&legacy(), "{}".into()).await.expect("a reply"))).await };
    let (_, after) = both(client, server).await;
    assert!(after >= Duration::from_millis(950), "{after:?}");
}

/// The outcome of a stream that was cut after its first id, and the answers to those who come back.
async fn outcome(endpoint: &Endpoint, wire: &Wire, head: &RequestHeaders, answers: &[String]) -> (Result<(), Failure>, bool) {
    let server = async {
        says(wire, "retry: 1\nid: 1\ndata:\n\n", Cut::InOrder).await;
        for answer in answers {
            let asked = wire.answer(answer).await;
            assert_eq!((&*asked.method, asked.header("last-event-id")), ("GET", Some("1")));
        }
    };
    let client = async {
        let mut events = events(endpoint.post(head, "{}".into()).await.expect("a reply"));
        let outcome = events.next().await.map(|_| ());
        assert!(events.next().await.expect("over").is_none());
        outcome
    };
    let outcome = both(client, server).await.0;
    (outcome, wire.is_left_alone().await)
}

/// Options with which coming back is quick.
async fn hasty() -> (Wire, Endpoint) {
    let wire = Wire::new().await;
    let options = bounded(|limits| {
        limits.resumptions = 3;
        limits.max_backoff = Duration::from_millis(60);
    });
    let endpoint = wire.endpoint_with(options);
    (wire, endpoint)
}

#[tokio::test]
async fn coming_back_in_vain_has_an_end() {
    let (wire, endpoint) = hasty().await;
    let silent = format!("{STREAM}{END}");
    let again =
        String::from_utf8([STREAM.as_bytes(), &chunk("id: 1\ndata:\n\n"), END.as_bytes()].concat()).expect("text");
    for answer in [silent, again, response(503, "text/plain", ""), response(409, "text/plain", ""), String::new()] {
        let (outcome, alone) = outcome(&endpoint, &wire, &legacy(), &[answer.clone(), answer.clone(), answer]).await;
        assert!(matches!(outcome, Err(Failure::Lost { .. })) && alone, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_resume_is_not_asked_again() {
    let (wire, endpoint) = hasty().await;
    for answer in [
        response(405, "text/plain", ""),
        response(400, "application/json", "{}"),
        response(404, "text/plain", ""),
        response(200, "application/json", "{}"),
        response(401, "text/plain", ""),
        "HTTP/1.1 302 Go\r\nLocation: /\r\nContent-Length: 0\r\n\r\n".to_owned(),
    ] {
        let (outcome, alone) = outcome(&endpoint, &wire, &legacy(), &[answer]).await;
        assert!(matches!(outcome, Err(Failure::Lost { .. })) && alone, "{outcome:?}");
    }
}

#[tokio::test]
async fn progress_gives_new_attempts() {
    let (wire, endpoint) = hasty().await;
    let server = async {
        for number in 0..10 {
            says(&wire, &format!("retry: 1\nid: {number}\ndata:\n\n"), Cut::Closed).await;
        }
        says(&wire, "data: x\n\n", Cut::InOrder).await
    };
    let client = async { message(&mut events(endpoint.post(&legacy(), "{}".into()).await.expect("a reply"))).await };
    let (message, asked) = both(client, server).await;
    assert_eq!((&*message, asked.header("last-event-id")), ("x", Some("9")));
}

#[tokio::test]
async fn an_id_that_no_header_can_hold_is_not_sent() {
    let (wire, endpoint) = hasty().await;
    for id in ["\u{1}", &"x".repeat(9000)] {
        let server = async {
            says(&wire, &format!("retry: 1\nid: {id}\ndata:\n\n"), Cut::InOrder).await;
            wire.is_left_alone().await
        };
        let client = async { events(endpoint.post(&legacy(), "{}".into()).await.expect("a reply")).next().await };
        let (outcome, alone) = both(client, server).await;
        assert!(matches!(outcome, Ok(None)) && alone, "{outcome:?}");
    }
}

#[tokio::test]
async fn giving_up_waiting_and_asking_again_loses_nothing() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let server = async {
        says(&wire, "retry: 60\nid: 1\ndata:\n\n", Cut::InOrder).await;
        let (_, mut peer) = wire.asked().await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        peer.say(STREAM).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        peer.say([&chunk("data: x\n\n"), END.as_bytes()].concat()).await;
    };
    let client = async {
        let mut events = events(endpoint.post(&legacy(), "{}".into()).await.expect("a reply"));
        loop {
            if let Ok(next) = tokio::time::timeout(Duration::from_millis(7), events.next()).await {
                return next.expect("a stream that goes on");
            }
        }
    };
    assert_eq!(both(client, server).await.0.as_deref(), Some(&b"x"[..]));
}

#[tokio::test]
async fn dropping_a_stream_that_waits_leaves_the_server_alone() {
    let (wire, endpoint) = hasty().await;
    let server = says(&wire, "retry: 30\nid: 1\ndata:\n\n", Cut::InOrder);
    let client = async {
        let mut events = events(endpoint.post(&legacy(), "{}".into()).await.expect("a reply"));
        assert!(tokio::time::timeout(Duration::from_millis(10), events.next()).await.is_err());
    };
    both(client, server).await;
    assert!(wire.is_left_alone().await);
}
