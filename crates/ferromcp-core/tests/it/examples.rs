//! Every official example is read into our types and written again, equal as JSON.

use std::collections::BTreeSet;
use std::path::Path;

use ferromcp_core::{Revision, ServerResult};
use serde_json::{Value, json};

use crate::official::{self, Official};
use crate::{kinds, wire};

/// Examples that do not follow the types they stand for, and what is compared instead.
///
/// The types win: see the digest of the specification, section 13.
fn expected(directory: &str, file: &str, example: &Value) -> Option<(&'static str, Value)> {
    let mut expected = example.clone();
    let why = match (directory, file) {
        ("ListRootsRequest", "list-roots-request.json") => {
            // Questions in answers are bare `method` and `params`.
            expected.as_object_mut()?.remove("id")?;
            "a stray `id` on a question; compared without it"
        }
        ("ReadResourceResultResponse", "read-resource-result-response.json") => {
            // Hints are required on complete results; the encoder fills in the careful ones.
            assert!(example["result"].get("ttlMs").is_none());
            expected["result"]["ttlMs"] = json!(0);
            expected["result"]["cacheScope"] = json!("private");
            "a read result without the caching hints that are required; compared with the default ones"
        }
        ("EmbeddedResource", _) if example["resource"].get("annotations").is_some() => {
            // Resource contents have no annotations; the block around them has.
            expected["resource"].as_object_mut()?.remove("annotations")?;
            "`annotations` inside the contents; compared without them"
        }
        ("GetPromptResult" | "GetPromptResultResponse" | "CallToolResult" | "CallToolResultResponse", _) => {
            let mut found = false;
            strip_nested_annotations(&mut expected, &mut found);
            if !found {
                return None;
            }
            "`annotations` inside embedded contents; compared without them"
        }
        _ => return None,
    };
    Some((why, expected))
}

fn strip_nested_annotations(value: &mut Value, found: &mut bool) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Object(resource)) = members.get_mut("resource") {
                *found |= resource.remove("annotations").is_some();
            }
            members.values_mut().for_each(|value| strip_nested_annotations(value, found));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| strip_nested_annotations(value, found)),
        _ => {}
    }
}

fn json_files(folder: &Path) -> Vec<(String, Value)> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        })
        .collect()
}

/// The directories an edition of the examples is known to have; more is fine, fewer is a mistake here.
const AT_LEAST: usize = 85;

#[test]
fn every_official_example_survives() {
    // M26-002, M26-003, M26-006, M26-007, M26-008, M26-015, M26-016, M26-017, M26-044, M26-053, M26-058,
    // M26-063, M26-084, M26-086, M26-238, M26-259, M26-264, M26-271, M26-275, M26-280, M26-320, M26-321,
    // M26-332, M26-377, M26-440, M26-482, M26-485, M26-486, M26-489, M26-491
    let test = "every_official_example_survives";
    let Some(folder) = official::folder(test) else { return };
    let schema = Official::of(Revision::LATEST, test).unwrap();
    let examples = folder.join("schema").join(Revision::LATEST.as_str()).join("examples");
    let mut directories: Vec<_> = std::fs::read_dir(&examples).unwrap().map(|entry| entry.unwrap().path()).collect();
    directories.sort();
    assert!(directories.len() >= AT_LEAST, "only {} directories in {}", directories.len(), examples.display());
    let (mut count, mut odd) = (0, BTreeSet::new());
    for directory in directories {
        let name = directory.file_name().unwrap().to_str().unwrap().to_owned();
        for (file, example) in json_files(&directory) {
            let ours = kinds::round_trip(schema, &name, &example)
                .unwrap_or_else(|| panic!("no check for the examples of `{name}`: add it to kinds.rs"));
            match expected(&name, &file, &example) {
                Some((why, expected)) => {
                    assert_eq!(wire::difference(&ours, &expected), None, "{name}/{file} ({why})");
                    odd.insert(format!("{name}/{file}"));
                }
                None => assert_eq!(wire::difference(&ours, &example), None, "{name}/{file}"),
            }
            count += 1;
        }
    }
    assert!(count >= 115, "only {count} examples");
    // When the examples are mended upstream, the exceptions here are to go.
    assert!(odd.contains("ListRootsRequest/list-roots-request.json"), "{odd:?}");
    assert!(odd.contains("ReadResourceResultResponse/read-resource-result-response.json"), "{odd:?}");
}

#[test]
fn an_identity_is_added_to_a_result_without_one() {
    // M26-057: what `server/discover` shows in its example is put into every result.
    let info = ferromcp_core::RawJson::parse(r#"{"name":"ExampleServer","version":"1.0.0"}"#).unwrap();
    let key = "io.modelcontextprotocol/serverInfo";
    for result in [
        json!({}),
        json!({ "_meta": { "com.example/x": 1 } }),
        json!({ "_meta": { key: { "name": "own", "version": "2" } } }),
    ] {
        for method in ["tools/list", "x/of-my-own"] {
            let mut result = result.clone();
            result["tools"] = json!([]);
            let raw = ferromcp_core::RawJson::parse(result.to_string()).unwrap();
            let out = wire::Out::ServerResult(1.into(), ServerResult::decode(method, &raw).unwrap());
            let written = out.write(Revision::LATEST, Some(&info));
            let name = if result["_meta"].get(key).is_some() { "own" } else { "ExampleServer" };
            assert_eq!(written["result"]["_meta"][key]["name"], name, "{written}");
            assert_eq!(written["result"]["resultType"], "complete");
            assert_eq!(written["result"]["_meta"].get("com.example/x"), result["_meta"].get("com.example/x"));
        }
    }
}
