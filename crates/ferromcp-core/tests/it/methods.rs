//! The method tables match the official schemas, in both directions.

use std::collections::BTreeSet;

use ferromcp_core::Method;
use ferromcp_core::{ClientNotification, ClientRequest, Revision, ServerNotification, ServerRequest};
use serde_json::Value;

use crate::official::Official;

/// Returns the methods of a union such as `ClientRequest` in the official schema.
fn official(official: &Official, union: &str) -> BTreeSet<String> {
    if !official.has(union) {
        return BTreeSet::new();
    }
    let definition = official.definition(union);
    let method = |schema: &Value| schema["properties"]["method"]["const"].as_str().map(str::to_owned);
    let Some(members) = definition["anyOf"].as_array() else {
        // 2026-07-28 has a single reference instead of a union with one member.
        return method(definition)
            .or_else(|| method(official.definition(definition["$ref"].as_str()?.rsplit('/').next()?)))
            .into_iter()
            .collect();
    };
    members
        .iter()
        .map(|member| {
            let name = member["$ref"].as_str().and_then(|path| path.rsplit('/').next()).expect("a reference");
            method(official.definition(name)).unwrap_or_else(|| panic!("{name} has no method"))
        })
        .collect()
}

fn ours(table: &[Method], revision: Revision) -> BTreeSet<String> {
    table.iter().filter(|method| method.exists_in(revision)).map(|method| method.name.to_owned()).collect()
}

#[test]
fn method_tables_match_official_schemas() {
    // M26-002, S-001, S-129
    for revision in Revision::ALL {
        let Some(schema) = Official::of(revision, "method_tables_match_official_schemas") else { return };
        let same = |union: &str, table: &[Method]| {
            assert_eq!(ours(table, revision), official(schema, union), "{union} of {revision}");
        };
        same("ClientRequest", ClientRequest::METHODS);
        same("ServerRequest", ServerRequest::METHODS);
        // A missing union would make this test vacuous.
        assert_eq!(schema.has("ServerRequest"), !revision.is_modern());
        same("ClientNotification", ClientNotification::METHODS);
        same("ServerNotification", ServerNotification::METHODS);
    }
}

#[test]
fn every_official_method_is_in_a_table() {
    // Includes definitions that are not part of a union.
    for revision in Revision::ALL {
        let Some(schema) = Official::of(revision, "every_official_method_is_in_a_table") else { return };
        let tables =
            [ClientRequest::METHODS, ServerRequest::METHODS, ClientNotification::METHODS, ServerNotification::METHODS];
        let known: BTreeSet<String> = tables.iter().flat_map(|table| ours(table, revision)).collect();
        // Input requests of a modern server are not requests on the wire, but have a method.
        let input_requests = ["elicitation/create", "sampling/createMessage", "roots/list"];
        let mut found = 0;
        for (name, definition) in schema.definitions() {
            if let Some(method) = definition["properties"]["method"]["const"].as_str() {
                found += 1;
                let in_answers = revision.is_modern() && input_requests.contains(&method);
                assert!(known.contains(method) || in_answers, "{revision}: `{method}` of {name} is in no table");
            }
        }
        assert!(found >= 18, "{revision}: only {found} methods found");
    }
}

#[test]
fn input_required_and_cache_flags_match_schema() {
    // M26-084, M26-440: results with cache hints, and methods with `input_required` results.
    let Some(schema) = Official::of(Revision::LATEST, "input_required_and_cache_flags_match_schema") else {
        return;
    };
    for method in ClientRequest::METHODS.iter().filter(|method| method.exists_in(Revision::LATEST)) {
        let response = schema.message(method.name).unwrap().replace("Request", "ResultResponse");
        let result = &schema.definition(&response)["properties"]["result"];
        let text = result.to_string();
        assert_eq!(method.may_require_input, text.contains("InputRequiredResult"), "{}", method.name);
        let plain = response.strip_suffix("Response").unwrap();
        let has_hints = schema.definition(plain)["properties"].get("ttlMs").is_some();
        assert_eq!(method.cacheable, has_hints, "{}", method.name);
    }
}
