//! Limits, defaults, choices, structured results.

use serde_json::json;

use crate::peer::in_both_eras;

const TOOLS: &str = env!("CARGO_BIN_EXE_tools");

// M26-336, M26-337, S-250
#[test]
fn result_is_structured_with_output_schema() {
    in_both_eras(TOOLS, |peer| {
        let listed = peer.ask("tools/list", json!({}))["tools"][0].take();
        assert_eq!(listed["name"], "calculate_bmi");
        assert_eq!(listed["annotations"]["readOnlyHint"], true);
        assert_eq!(listed["inputSchema"]["properties"]["height"]["minimum"], 0.3);
        assert_eq!(listed["inputSchema"]["properties"]["weight"]["description"], "Body weight in kilograms");
        assert_eq!(listed["outputSchema"]["properties"]["value"]["description"], "Kilograms per square meter");

        let bmi = peer.call("calculate_bmi", json!({ "weight": 80, "height": 2 }));
        assert_eq!(bmi["structuredContent"], json!({ "value": 20.0, "category": "normal" }));
        let text = bmi["content"][0]["text"].as_str().expect("the same as text");
        assert_eq!(serde_json::from_str::<serde_json::Value>(text).expect("JSON"), bmi["structuredContent"]);
    });
}

#[test]
fn call_is_rejected_when_argument_exceeds_limit() {
    in_both_eras(TOOLS, |peer| {
        let words = peer.call_in_vain("calculate_bmi", json!({ "weight": 80, "height": 180 }));
        assert!(words.contains("`height` must be at least 0.3 and at most 3"), "{words}");
    });
}

#[test]
fn enum_argument_has_default() {
    in_both_eras(TOOLS, |peer| {
        let listed = peer.ask("tools/list", json!({}))["tools"][1].take();
        assert_eq!(listed["inputSchema"]["required"], json!(["degrees"]));
        assert_eq!(listed["inputSchema"]["properties"]["to"]["default"], "celsius");
        assert_eq!(peer.call("convert", json!({ "degrees": 212 }))["structuredContent"]["result"], 100.0);
        let warm = peer.call("convert", json!({ "degrees": 100, "to": "fahrenheit" }));
        assert_eq!(warm["structuredContent"]["result"], 212.0);
        let words = peer.call_in_vain("convert", json!({ "degrees": 100, "to": "kelvin" }));
        assert!(words.contains("kelvin") && words.contains("celsius"), "{words}");
    });
}
