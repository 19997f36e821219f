//! What holds for all templates, values and URIs.

use std::collections::HashMap;

use proptest::prelude::*;

use super::super::{Capture, LinkTemplate, UriTemplate, Value};

/// Templates in which any safe value comes back, with the number of their plain variables and lists.
const ROUND: &[&str] = &[
    "x://{a}",
    "x://{a}/{b}/{c}",
    "x://h/{a}{?b,c}",
    "x://{a,b,c}",
    "x://h{/a,b,c}",
    "x://h{/a,l*}{?b}{&c}{#d}",
    "x://h{;a,b}{/c}{?d}",
    "x://h{?a,l*}",
    "x://{l*}/{a}{#b}",
    "x://{+a}{?b}{#c}",
    "x://h?fixed=1{&a,b}",
    "x://h{#a}",
    "x://{a}{;b}{/c}",
];

/// Text without what [`Danger`](super::super::Danger) names, not empty, and without the characters that `{+x}` and
/// `{#x}` leave as they are.
fn safe() -> impl Strategy<Value = String> {
    // A colon after a name is a drive or a data stream. `..` ends with a dot.
    let is_safe = |text: &String| !text.ends_with(['.', ' ']) && (text.starts_with(':') || !text.contains(':'));
    "[^\\x00/\\\\?#&;,%]{1,12}".prop_filter("a safe file name", is_safe)
}

/// Pieces out of which strange templates and URIs are made.
fn scraps() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{"),
        Just("}"),
        Just("{a}"),
        Just("{+b}"),
        Just("{/c*}"),
        Just("{.d}"),
        Just("{?e,f*}"),
        Just("{&g:2}"),
        Just("{#h}"),
        Just("{;i,j}"),
        Just("x://"),
        Just("/"),
        Just("."),
        Just(".."),
        Just("%2e"),
        Just("%2F"),
        Just("%"),
        Just("%C3"),
        Just("é"),
        Just("\\"),
        Just("?"),
        Just("#"),
        Just("&"),
        Just(";"),
        Just("="),
        Just("e=1"),
        Just("g=é"),
        Just(","),
        Just("a"),
        Just("\0"),
        Just("{k,l}"),
        Just("{m:3}"),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    // S-289
    #[test]
    fn expanded_values_are_captured_again(
        text in prop::sample::select(ROUND),
        values in prop::array::uniform4(prop::option::weighted(0.8, safe())),
        list in prop::collection::vec(safe(), 1..5),
    ) {
        let template = UriTemplate::parse(text).unwrap();
        let mut given: HashMap<&str, Capture> = HashMap::new();
        let mut gap = false;
        for variable in template.variables() {
            let index = variable.name().as_bytes()[0] - b'a';
            let capture = match values.get(usize::from(index)) {
                None => Capture::Many(list.clone()),
                Some(Some(value)) => Capture::One(value.clone()),
                Some(None) if variable.is_required() => Capture::One("stand-in".to_owned()),
                Some(None) => Capture::Absent,
            };
            // Segments without names are distinguished by order: no segment can follow an absent one.
            let segment = variable.operator().symbol() == Some('/');
            let capture = if segment && gap { Capture::Absent } else { capture };
            gap |= segment && capture == Capture::Absent;
            given.insert(variable.name(), capture);
        }
        let uri = template.expand(|name| match &given[name] {
            Capture::One(value) => Some(Value::from(value.as_str())),
            Capture::Many(items) => Some(Value::from(items.as_slice())),
            Capture::Absent => None,
        });
        let found = template.matches(&uri).unwrap();
        let found = found.unwrap_or_else(|| panic!("{text} does not match its own {uri}"));
        for (name, capture) in found.iter() {
            prop_assert_eq!(capture, &given[name], "{} in {} of {}", name, uri, text);
        }
    }

    // M26-376, S-282
    #[test]
    fn matching_never_panics_and_never_returns_unsafe_values(text in scraps(), uri in scraps()) {
        let _ = LinkTemplate::parse(&text).map(|template| template.expand(|_| Some(uri.as_str().into())));
        let Ok(template) = UriTemplate::parse(&text) else { return Ok(()) };
        for uri in [&uri, &template.expand(|_| Some(uri.as_str().into()))] {
            let Ok(Some(captures)) = template.matches(uri) else { continue };
            for (_, capture) in captures.iter() {
                let items = match capture {
                    Capture::One(value) => std::slice::from_ref(value),
                    Capture::Many(items) => items.as_slice(),
                    Capture::Absent => &[],
                };
                for item in items {
                    prop_assert!(!item.contains('\0'));
                    prop_assert!(item.split(['/', '\\']).all(|segment| segment != ".."), "{} {}", text, uri);
                }
            }
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in ".{0,64}", uri in ".{0,64}") {
        let _ = UriTemplate::parse(&text).map(|template| template.matches(&uri));
        let _ = UriTemplate::parse(&format!("x://{{+{text}}}")).map(|template| template.matches(&uri));
        let _ = UriTemplate::parse("{+a}-{b}{.c}{?d}").unwrap().matches(&uri);
    }

    #[test]
    fn captured_values_expand_to_an_equivalent_uri(uri in scraps()) {
        let template = UriTemplate::parse("x://{a}{/c*}{?e,f*}{#h}").unwrap();
        let Ok(Some(captures)) = template.matches(&format!("x://a{uri}")) else { return Ok(()) };
        let again = template.expand(|name| captures.value(name));
        // In a fragment, where triplets are kept, a decoded `%` could make a new one.
        prop_assume!(captures.one("h").is_none_or(|h| !h.contains('%')));
        prop_assert_eq!(template.matches(&again).unwrap(), Some(captures), "{}", again);
    }
}
