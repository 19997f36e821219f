//! Concurrent questions, a URL, and roots.

use std::fs;
use std::process::Command;

use ferromcp::core::Revision;
use serde_json::json;

use crate::peer::{Peer, accept, asked_in_both_eras, in_both_eras};

const AT_ONCE: &str = env!("CARGO_BIN_EXE_asking_at_once");

// M26-236, M26-237
#[test]
fn questions_are_sent_together_when_joined() {
    asked_in_both_eras(AT_ONCE, |peer| {
        let result = peer.call_answering("set_up", json!({}), |_, params| {
            let name = params["message"] == "What is your name?";
            accept(json!({ "value": if name { "Ada" } else { "London" } }))
        });
        assert_eq!(result["content"][0]["text"], "Ada of London");
        peer.begin("tools/call", json!({ "name": "set_up", "arguments": {} }));
        let first = peer.next();
        if peer.is_modern() {
            let questions = &first["result"]["inputRequests"];
            assert_eq!(questions["city"]["params"]["message"], "Where do you live?");
            assert_eq!(questions.as_object().expect("questions").len(), 2);
        } else {
            assert_eq!(first["params"]["message"], "What is your name?");
            assert_eq!(peer.next()["params"]["message"], "Where do you live?");
        }
    });
}

// M26-577, S-361
#[test]
fn file_is_read_when_inside_a_root() {
    let folder = std::env::temp_dir().join(format!("ferromcp-roots-{}", std::process::id()));
    fs::create_dir_all(folder.join("open")).unwrap();
    let folder = fs::canonicalize(folder).unwrap();
    for place in ["open/a.txt", "b.txt"] {
        fs::write(folder.join(place), "one two three four").unwrap();
    }
    let count = |peer: &mut Peer, place: &str| {
        let arguments = json!({ "path": folder.join(place) });
        let mut result = peer.call_answering("count_words", arguments, |method, _| match method {
            "roots/list" => json!({ "roots": [{ "uri": format!("file://{}", folder.join("open").display()) }] }),
            _ => accept(json!({ "value": 3 })),
        });
        result["content"][0]["text"].take()
    };
    asked_in_both_eras(AT_ONCE, |peer| {
        assert_eq!(count(peer, "open/a.txt"), "3 words");
        assert_eq!(count(peer, "b.txt"), "this file is outside of the client's roots");
    });
    in_both_eras(AT_ONCE, |peer| {
        assert_eq!(count(peer, "b.txt"), "4 words", "a client without roots and elicitation gets the default");
    });
    fs::remove_dir_all(folder).unwrap();
}

// M26-489
#[test]
fn url_elicitation_has_unique_url_when_called() {
    asked_in_both_eras(AT_ONCE, |peer| {
        let modern = peer.is_modern();
        let result = peer.call_answering("connect", json!({}), |_, params| {
            assert_eq!(params["mode"], "url");
            let url = params["url"].as_str().expect("a URL");
            let id = url.strip_prefix("https://example.com/connect?visit=").expect("the id in the URL");
            assert_eq!(params["elicitationId"].as_str(), (!modern).then_some(id));
            json!({ "action": "accept" })
        });
        assert_eq!(result["content"][0]["text"], "the user was sent to sign in; call again when they have");
    });
    in_both_eras(AT_ONCE, |peer| {
        let words = peer.call_in_vain("connect", json!({}));
        assert_eq!(words, "ask the user to sign in at https://example.com/connect");
    });
}

// S-443, S-444, M26-489
#[test]
fn calendar_is_read_when_required_url_was_visited() {
    let folder = std::env::temp_dir().join(format!("ferromcp-calendar-{}", std::process::id()));
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        fs::create_dir_all(&folder).unwrap();
        let visit = || fs::write(folder.join("calendar.token"), "").unwrap();
        let mut peer = Peer::asked(Command::new(AT_ONCE).current_dir(&folder), revision);
        if !peer.is_modern() {
            let error = peer.fail("tools/call", json!({ "name": "calendar", "arguments": {} }));
            assert_eq!(error["code"], -32042, "{error}");
            assert_eq!(error["data"]["elicitations"][0]["url"], "https://example.com/calendar");
            visit();
        }
        let result = peer.call_answering("calendar", json!({}), |_, params| {
            assert_eq!(params["url"], "https://example.com/calendar");
            visit();
            json!({ "action": "accept" })
        });
        assert_eq!(result["content"][0]["text"], "no events today");
        assert_eq!(peer.questions(), usize::from(peer.is_modern()));
        assert_eq!(peer.end(), "");
        fs::remove_dir_all(&folder).unwrap();
    }
}
