//! Sampling with and without tools.

use serde_json::{Value, json};

use crate::peer::asked_in_both_eras;

fn says(content: Value) -> Value {
    let mut said = json!({ "role": "assistant", "model": "test" });
    said["content"] = content;
    said
}

// M26-539, S-393
#[test]
fn sampling_calls_tools_when_model_requests_them() {
    asked_in_both_eras(env!("CARGO_BIN_EXE_asking_model"), |peer| {
        let summary = peer.call_answering("summarize", json!({ "text": "Much." }), |method, params| {
            assert_eq!((method, &params["maxTokens"]), ("sampling/createMessage", &json!(100)));
            assert_eq!(params["systemPrompt"], "Answer in one sentence.");
            assert_eq!(params["modelPreferences"]["hints"][0]["name"], "small");
            says(json!({ "type": "text", "text": "A lot." }))
        });
        assert_eq!(summary["content"][0]["text"], "A lot.");

        let warm = peer.call_answering("is_warm", json!({ "city": "Rome" }), |_, params| {
            assert_eq!(params["tools"][0]["name"], "temperature");
            let last = params["messages"].as_array().and_then(|messages| messages.last()).expect("a message");
            let content = last["content"].as_array().map_or(&last["content"], |blocks| &blocks[0]);
            if content["type"] == "text" {
                assert_eq!(content["text"], "Is it warm in Rome?");
                return says(
                    json!([{ "type": "tool_use", "id": "1", "name": "temperature", "input": { "city": "Rome" } }]),
                );
            }
            assert_eq!((&content["toolUseId"], &content["content"][0]["text"]), (&json!("1"), &json!("21 °C")));
            says(json!({ "type": "text", "text": "It is." }))
        });
        assert_eq!((warm["content"][0]["text"].as_str(), peer.questions()), (Some("It is."), 2));
    });
}
