//! Every official example decodes to a type of this crate and encodes to equal JSON.

use std::collections::BTreeSet;
use std::path::Path;

use ferromcp_core::{Revision, ServerResult};
use serde_json::{Value, json};

use crate::official::{self, Official};
use crate::{definitions, wire};

/// Returns the reason and the expected JSON for official examples that violate their schema.
///
/// The schema takes precedence over the examples.
fn expected(directory: &str, file: &str, example: &Value) -> Option<(&'static str, Value)> {
    let mut expected = example.clone();
    let why = match (directory, file) {
        ("ListRootsRequest", "list-roots-request.json") => {
            // Input requests have only `method` and `params`.
            expected.as_object_mut()?.remove("id")?;
            "an input request with an `id`; compared without it"
        }
        ("ReadResourceResultResponse", "read-resource-result-response.json") => {
            // Cache hints are required in complete results; the encoder adds the default hints.
            assert!(example["result"].get("ttlMs").is_none());
            expected["result"]["ttlMs"] = json!(0);
            expected["result"]["cacheScope"] = json!("private");
            "a result without the required cache hints; compared with the default hints"
        }
        ("EmbeddedResource", _) if example["resource"].get("annotations").is_some() => {
            // Annotations belong to the content block and not to the resource contents.
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

/// The minimum number of example directories.
const AT_LEAST: usize = 85;

#[test]
fn every_official_example_round_trips() {
    // M26-002, M26-003, M26-006, M26-007, M26-008, M26-015, M26-016, M26-017, M26-044, M26-053, M26-058,
    // M26-063, M26-084, M26-086, M26-238, M26-259, M26-264, M26-271, M26-275, M26-280, M26-320, M26-321,
    // M26-332, M26-377, M26-440, M26-482, M26-485, M26-486, M26-489, M26-491
    let test = "every_official_example_round_trips";
    let Some(folder) = official::folder(test) else { return };
    let schema = Official::of(Revision::LATEST, test).unwrap();
    let examples = folder.join("schema").join(Revision::LATEST.as_str()).join("examples");
    let mut directories: Vec<_> = std::fs::read_dir(&examples).unwrap().map(|entry| entry.unwrap().path()).collect();
    directories.sort();
    assert!(directories.len() >= AT_LEAST, "only {} directories in {}", directories.len(), examples.display());
    let (mut count, mut exceptions) = (0, BTreeSet::new());
    for directory in directories {
        let name = directory.file_name().unwrap().to_str().unwrap().to_owned();
        for (file, example) in json_files(&directory) {
            let ours = definitions::round_trip(schema, &name, &example)
                .unwrap_or_else(|| panic!("no check for the examples of `{name}`: add it to definitions.rs"));
            match expected(&name, &file, &example) {
                Some((why, expected)) => {
                    assert_eq!(wire::difference(&ours, &expected), None, "{name}/{file} ({why})");
                    exceptions.insert(format!("{name}/{file}"));
                }
                None => assert_eq!(wire::difference(&ours, &example), None, "{name}/{file}"),
            }
            count += 1;
        }
    }
    assert!(count >= 115, "only {count} examples");
    // Remove these exceptions once the examples are fixed upstream.
    assert!(exceptions.contains("ListRootsRequest/list-roots-request.json"), "{exceptions:?}");
    assert!(exceptions.contains("ReadResourceResultResponse/read-resource-result-response.json"), "{exceptions:?}");
}

#[test]
fn server_info_is_added_when_result_has_none() {
    // M26-057: the server info shown in the example of `server/discover` is added to every result.
    let info = ferromcp_core::RawJson::parse(r#"{"name":"ExampleServer","version":"1.0.0"}"#).unwrap();
    let key = "io.modelcontextprotocol/serverInfo";
    for result in [
        json!({}),
        json!({ "_meta": { "com.example/x": 1 } }),
        json!({ "_meta": { key: { "name": "own", "version": "2" } } }),
    ] {
        for method in ["tools/list", "x/custom"] {
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
