//! The model has every official property: instances with all properties round-trip unchanged.

use ferromcp_core::Revision;
use serde_json::{Value, json};

use crate::definitions;
use crate::instance::fullest;
use crate::official::Official;
use crate::wire::difference;

/// Returns the expected JSON for instances with fields that the model intentionally omits.
fn expected_json(revision: Revision, name: &str, instance: &Value) -> Option<Value> {
    let mut expected = instance.clone();
    match name {
        // An input request for roots has an optional `_meta` without defined meaning.
        "ListRootsRequest" | "InputRequest" | "InputRequests" | "InputRequiredResult" if revision.is_modern() => {
            remove_roots_params(&mut expected);
        }
        _ if name.ends_with("ResultResponse") && revision.is_modern() => remove_roots_params(&mut expected),
        _ => {}
    }
    (expected != *instance).then_some(expected)
}

fn remove_roots_params(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("method") == Some(&json!("roots/list")) {
                members.remove("params");
            }
            members.values_mut().for_each(remove_roots_params);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_roots_params),
        _ => {}
    }
}

fn all_fields_round_trip(revision: Revision, at_least: usize) {
    let Some(schema) = Official::of(revision, "all_fields_round_trip") else { return };
    let mut checked = 0;
    for (name, _) in schema.definitions() {
        if definitions::WITHOUT_TYPE.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let instances = fullest(schema, name);
        assert!(!instances.is_empty(), "{name}");
        for instance in instances {
            assert_eq!(schema.validation_errors(name, &instance), "", "invalid instance: {instance}");
            let ours = definitions::round_trip(schema, name, &instance)
                .unwrap_or_else(|| panic!("{revision}: no check for `{name}`: add it to definitions.rs"));
            let theirs = expected_json(revision, name, &instance).unwrap_or(instance);
            assert_eq!(difference(&ours, &theirs), None, "{revision} {name}");
        }
        checked += 1;
    }
    assert!(checked >= at_least, "only {checked} definitions of {revision}");
}

#[test]
fn all_fields_of_latest_revision_round_trip() {
    // M26-003, M26-008, M26-017, M26-044, M26-051, M26-052, M26-058, M26-063, M26-084, M26-238, M26-259, M26-264,
    // M26-280, M26-321, M26-337, M26-377, M26-440, M26-482, M26-486, M26-487, M26-489
    all_fields_round_trip(Revision::LATEST, 130);
}

#[test]
fn all_fields_of_latest_legacy_revision_round_trip() {
    // S-004, S-018, S-019, S-038, S-209, S-232, S-243, S-246, S-251, S-288, S-289, S-290, S-297, S-323, S-328,
    // S-390, S-391, S-392, S-397, S-429, S-494
    all_fields_round_trip(Revision::LATEST_LEGACY, 115);
}
