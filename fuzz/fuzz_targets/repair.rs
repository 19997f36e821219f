//! Damages one item of a list with arbitrary JSON: the other items survive, and half of a surrogate pair never costs a result.
//!
//! `cargo +nightly fuzz run repair`. Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools>.
#![no_main]

use ferromcp_core::wire::{MAX_DEPTH, depth_within, replace_lone_surrogates};
use ferromcp_core::{RawJson, RawMap, Repairs, ServerResult};
use libfuzzer_sys::fuzz_target;

/// The list results: the method, the member, and an item.
const LISTS: &[(&str, &str, &str)] = &[
    ("tools/list", "tools", r#"{"name":"a","inputSchema":{}}"#),
    ("tools/call", "content", r#"{"type":"text","text":"a"}"#),
    ("resources/list", "resources", r#"{"uri":"a:","name":"a"}"#),
    ("resources/templates/list", "resourceTemplates", r#"{"uriTemplate":"a:","name":"a"}"#),
    ("resources/read", "contents", r#"{"uri":"a:","text":"a"}"#),
    ("prompts/list", "prompts", r#"{"name":"a"}"#),
    ("prompts/get", "messages", r#"{"role":"user","content":{"type":"text","text":"a"}}"#),
];

fuzz_target!(|input: &str| {
    if serde_json::from_str::<serde::de::IgnoredAny>(input).is_err() || !depth_within(input.as_bytes(), MAX_DEPTH) {
        return;
    }
    let repaired = replace_lone_surrogates(input);
    assert_eq!(repaired.len(), input.len());
    if let Err(error) = serde_json::from_str::<serde_json::Value>(&repaired) {
        assert!(!error.to_string().contains("surrogate"), "{error}");
    }
    for (method, field, item) in LISTS {
        let mut repairs = Repairs::new();
        let list = RawJson::parse(format!("{{\"{field}\":[{item},{input},{item}]}}")).expect("valid JSON");
        let decoded = ServerResult::decode_with_repairs(method, &list, &mut repairs).expect("a list");
        let decoded: RawMap = RawJson::new(&decoded).and_then(|json| json.decode()).expect("an object");
        let items: Vec<RawJson> = decoded.get(field).expect("a list").decode().expect("a list");
        assert!((2..=3).contains(&items.len()));
        assert!(items.first().is_some_and(|first| first.as_str() == *item));
        assert!(items.last().is_some_and(|last| last.as_str() == *item));
        std::hint::black_box(repairs.iter().map(ToString::to_string).collect::<Vec<_>>());
        // Any value in place of an optional field, or of the whole result.
        let other = RawJson::parse(format!("{{\"{field}\":[{item}],\"_meta\":{input}}}")).expect("valid JSON");
        assert!(ServerResult::decode(method, &other).is_ok());
        let _ = ServerResult::decode(method, &RawJson::parse(input).expect("valid JSON"));
    }
});
