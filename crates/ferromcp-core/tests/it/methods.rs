//! The method tables against the official schemas, both ways.

use std::collections::BTreeSet;

use ferromcp_core::methods::Method;
use ferromcp_core::{ClientNotification, ClientRequest, Revision, ServerNotification, ServerRequest};
use serde_json::Value;

use crate::official::Official;

/// The methods that a union such as `ClientRequest` names in the official schema.
fn official(official: &Official, union: &str) -> BTreeSet<String> {
    if !official.has(union) {
        return BTreeSet::new();
    }
    let definition = official.definition(union);
    let method = |schema: &Value| schema["properties"]["method"]["const"].as_str().map(str::to_owned);
    let Some(members) = definition["anyOf"].as_array() else {
        // 2026-07-28 writes a union of one as that one.
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
fn the_tables_are_the_official_ones() {
    // M26-002, S-001, S-129
    for revision in Revision::ALL {
        let Some(schema) = Official::of(revision, "the_tables_are_the_official_ones") else { return };
        let same = |union: &str, table: &[Method]| {
            assert_eq!(ours(table, revision), official(schema, union), "{union} of {revision}");
        };
        same("ClientRequest", ClientRequest::METHODS);
        same("ServerRequest", ServerRequest::METHODS);
        // Every union that must be there is: an empty one would make this test say nothing.
        assert_eq!(schema.has("ServerRequest"), !revision.is_modern());
        same("ClientNotification", ClientNotification::METHODS);
        same("ServerNotification", ServerNotification::METHODS);
    }
}

#[test]
fn every_official_method_is_in_a_table() {
    // Also of definitions that no union names.
    for revision in Revision::ALL {
        let Some(schema) = Official::of(revision, "every_official_method_is_in_a_table") else { return };
        let tables =
            [ClientRequest::METHODS, ServerRequest::METHODS, ClientNotification::METHODS, ServerNotification::METHODS];
        let known: BTreeSet<String> = tables.iter().flat_map(|table| ours(table, revision)).collect();
        // What a modern server asks in its answers are no requests on the wire, but have a method.
        let asked = ["elicitation/create", "sampling/createMessage", "roots/list"];
        let mut found = 0;
        for (name, definition) in schema.definitions() {
            if let Some(method) = definition["properties"]["method"]["const"].as_str() {
                found += 1;
                let in_answers = revision.is_modern() && asked.contains(&method);
                assert!(known.contains(method) || in_answers, "{revision}: `{method}` of {name} is in no table");
            }
        }
        assert!(found >= 18, "{revision}: only {found} methods found");
    }
}

#[test]
fn asking_and_caching_are_where_the_schema_has_them() {
    // M26-084, M26-440: which results have hints; and which may be questions.
    let Some(schema) = Official::of(Revision::LATEST, "asking_and_caching_are_where_the_schema_has_them") else {
        return;
    };
    for method in ClientRequest::METHODS.iter().filter(|method| method.exists_in(Revision::LATEST)) {
        let response = schema.message(method.name).unwrap().replace("Request", "ResultResponse");
        let result = &schema.definition(&response)["properties"]["result"];
        let text = result.to_string();
        assert_eq!(method.may_ask, text.contains("InputRequiredResult"), "{}", method.name);
        let plain = response.strip_suffix("Response").unwrap();
        let has_hints = schema.definition(plain)["properties"].get("ttlMs").is_some();
        assert_eq!(method.cacheable, has_hints, "{}", method.name);
    }
}
