//! No official property is missing from the model: the fullest instances lose nothing.

use ferromcp_core::Revision;
use serde_json::{Value, json};

use crate::instance::fullest;
use crate::kinds;
use crate::official::Official;
use crate::wire::difference;

/// What the model leaves out on purpose; `ours` is what comes back instead.
fn left_out(revision: Revision, name: &str, instance: &Value) -> Option<Value> {
    let mut expected = instance.clone();
    match name {
        // The question "which roots?" has an optional `_meta` that nothing gives a meaning to.
        "ListRootsRequest" | "InputRequest" | "InputRequests" | "InputRequiredResult" if revision.is_modern() => {
            forget_roots_params(&mut expected);
        }
        _ if name.ends_with("ResultResponse") && revision.is_modern() => forget_roots_params(&mut expected),
        _ => {}
    }
    (expected != *instance).then_some(expected)
}

fn forget_roots_params(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("method") == Some(&json!("roots/list")) {
                members.remove("params");
            }
            members.values_mut().for_each(forget_roots_params);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_roots_params),
        _ => {}
    }
}

fn nothing_gets_lost(revision: Revision, at_least: usize) {
    let Some(schema) = Official::of(revision, "nothing_gets_lost") else { return };
    let mut looked_at = 0;
    for (name, _) in schema.definitions() {
        if kinds::NOT_BY_THEMSELVES.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let instances = fullest(schema, name);
        assert!(!instances.is_empty(), "{name}");
        for instance in instances {
            assert_eq!(schema.complaints(name, &instance), "", "the instance itself is wrong: {instance}");
            let ours = kinds::round_trip(schema, name, &instance)
                .unwrap_or_else(|| panic!("{revision}: no check for `{name}`: add it to kinds.rs"));
            let theirs = left_out(revision, name, &instance).unwrap_or(instance);
            assert_eq!(difference(&ours, &theirs), None, "{revision} {name}");
        }
        looked_at += 1;
    }
    assert!(looked_at >= at_least, "only {looked_at} definitions of {revision}");
}

#[test]
fn nothing_of_the_newest_revision_gets_lost() {
    // M26-003, M26-008, M26-017, M26-044, M26-051, M26-052, M26-058, M26-063, M26-084, M26-238, M26-259, M26-264,
    // M26-280, M26-321, M26-337, M26-377, M26-440, M26-482, M26-486, M26-487, M26-489
    nothing_gets_lost(Revision::LATEST, 130);
}

#[test]
fn nothing_of_the_newest_legacy_revision_gets_lost() {
    // S-004, S-018, S-019, S-038, S-209, S-232, S-243, S-246, S-251, S-288, S-289, S-290, S-297, S-323, S-328,
    // S-390, S-391, S-392, S-397, S-429, S-494
    nothing_gets_lost(Revision::LATEST_LEGACY, 115);
}
