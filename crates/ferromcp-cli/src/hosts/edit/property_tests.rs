//! Property tests: an entry that is added and removed again leaves the file as it was.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn white() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(String::new()),
        3 => Just(" ".to_owned()),
        2 => Just("\n  ".to_owned()),
        1 => Just("\r\n\t".to_owned()),
        1 => Just(" // c, \"x\": {\n".to_owned()),
        1 => Just("/* a\n } */".to_owned()),
    ]
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("123456789012345678901234567890.5e3".to_owned()),
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just(r#""a\"//\u00fc""#.to_owned()),
        Just(r#""ü, }""#.to_owned()),
    ]
}

fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            (proptest::collection::vec((white(), inner.clone(), white()), 0..3), any::<bool>()).prop_map(
                |(items, comma)| {
                    let items: Vec<String> = items.into_iter().map(|(a, b, c)| format!("{a}{b}{c}")).collect();
                    let comma = if comma && !items.is_empty() { "," } else { "" };
                    format!("[{}{comma}]", items.join(","))
                }
            ),
            object(inner),
        ]
    })
}

fn object(inner: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let key = prop_oneof![3 => Just("mcpServers"), 2 => Just("demo"), 4 => Just("a"), 1 => Just("b ü")];
    let member = (white(), key, white(), white(), inner, white());
    (proptest::collection::vec(member, 0..4), white(), any::<bool>()).prop_map(|(members, end, comma)| {
        let members: Vec<String> =
            members.into_iter().map(|(a, key, b, c, value, d)| format!("{a}\"{key}\"{b}:{c}{value}{d}")).collect();
        let comma = if comma && !members.is_empty() { "," } else { "" };
        format!("{{{}{comma}{end}}}", members.join(","))
    })
}

fn file() -> impl Strategy<Value = String> {
    let bom = prop_oneof![Just(""), Just(BOM)];
    let servers = object(value());
    let file = prop_oneof![
        object(value()),
        (white(), servers, white()).prop_map(|(a, servers, b)| format!("{{{a}\"mcpServers\":{servers}{b}}}")),
        white(),
        value(),
    ];
    (bom, white(), file, white()).prop_map(|(bom, a, file, b)| format!("{bom}{a}{file}{b}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn entry_is_removed_exactly_when_the_table_had_others(text in file()) {
        let key = ["mcpServers".to_owned()];
        let place = Place { key: &key, name: "demo" };
        let entry = json!({"command": "/bin/demo", "args": ["a", "{,}"], "env": {}});
        let Ok(changed) = insert(Format::Jsonc, &text, place, &entry, false) else { return Ok(()) };
        prop_assert_eq!(value_at(Format::Jsonc, &changed, &place.path()).unwrap(), Some(entry.clone()));
        let removed = remove(Format::Jsonc, &changed, place);
        prop_assert!(removed.is_ok(), "{removed:?}\n{changed}");
        let had_others = value_at(Format::Jsonc, &text, &key).unwrap().is_some_and(|table| table != json!({}));
        if had_others {
            prop_assert_eq!(removed.unwrap(), text.clone(), "{}", changed);
        }
        let restored = restore(Format::Jsonc, &changed, &text, place);
        prop_assert_eq!(restored, Some(text));
    }

    #[test]
    fn edits_do_not_panic_on_any_text(text in "[{}\\[\\]\",:/* \n\r\\\\a#-]{0,40}") {
        let key = ["a".to_owned()];
        let place = Place { key: &key, name: "b" };
        for format in [Format::Json, Format::Jsonc, Format::Toml, Format::Yaml] {
            if let Ok(changed) = insert(format, &text, place, &json!({"c": "d"}), false) {
                prop_assert!(remove(format, &changed, place).is_ok(), "{format:?} {text:?} {changed:?}");
                prop_assert_eq!(restore(format, &changed, &text, place), Some(text.clone()));
            }
            let _ = remove(format, &text, place);
        }
    }
}
