//! Loads the official specification data, and compiles a validator per definition.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

use ferromcp_core::Revision;
use jsonschema::Validator;
use serde_json::{Value, json};

/// Returns the directory of the official data. Without the data, prints that `test` did not run and returns `None`.
pub(crate) fn folder(test: &str) -> Option<PathBuf> {
    static REPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/spec");
    let folder = std::env::var_os("FERROMCP_SPEC").map_or_else(|| PathBuf::from(default), PathBuf::from);
    if folder.join("schema").is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("FERROMCP_REQUIRE_SPEC").is_none(),
        "FERROMCP_REQUIRE_SPEC is set, but `schema` does not exist in {}; set FERROMCP_SPEC",
        folder.display()
    );
    if REPORTED.lock().unwrap().insert(test.to_owned()) {
        // The test harness captures the output of `eprintln!` if a test passes.
        let place = folder.display();
        let _ = writeln!(std::io::stderr(), "DID NOT RUN: {test}: no official data in {place}; set FERROMCP_SPEC");
    }
    None
}

/// The official schema of one revision.
pub(crate) struct Official {
    pub(crate) revision: Revision,
    document: Value,
    /// `definitions` in draft-07, `$defs` in 2020-12.
    keyword: &'static str,
    validators: Mutex<HashMap<String, &'static Validator>>,
}

static SCHEMAS: LazyLock<HashMap<Revision, Official>> = LazyLock::new(|| {
    let Some(folder) = folder("a test against the official schemas") else { return HashMap::new() };
    let load = |revision: Revision| {
        let path = folder.join("schema").join(revision.as_str()).join("schema.json");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let keyword = if document.get("$defs").is_some() { "$defs" } else { "definitions" };
        (revision, Official { revision, document, keyword, validators: Mutex::default() })
    };
    Revision::ALL.into_iter().map(load).collect()
});

impl Official {
    /// Returns the schema of `revision`, or `None` if there is no official data.
    pub(crate) fn of(revision: Revision, test: &str) -> Option<&'static Self> {
        folder(test)?;
        SCHEMAS.get(&revision)
    }

    /// Iterates over the definitions, with their names.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.document[self.keyword].as_object().into_iter().flatten().map(|(name, schema)| (name.as_str(), schema))
    }

    /// Returns a definition. Panics if it does not exist.
    pub(crate) fn definition(&self, name: &str) -> &Value {
        let definition = &self.document[self.keyword][name];
        assert!(definition.is_object(), "{} has no definition `{name}`", self.revision);
        definition
    }

    /// Returns `true` if the definition exists.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.document[self.keyword][name].is_object()
    }

    /// Returns the name of the definition of the request or notification `method`.
    pub(crate) fn message(&self, method: &str) -> Option<&str> {
        self.definitions().find(|(_, schema)| schema["properties"]["method"]["const"] == method).map(|(name, _)| name)
    }

    /// Returns the validator of a definition, compiled on first use.
    pub(crate) fn validator(&self, name: &str) -> &'static Validator {
        let mut validators = self.validators.lock().unwrap();
        if let Some(validator) = validators.get(name) {
            return validator;
        }
        self.definition(name);
        let schema = json!({
            "$schema": self.document["$schema"],
            "$ref": format!("#/{}/{name}", self.keyword),
            self.keyword: self.document[self.keyword],
        });
        let validator: &'static Validator = Box::leak(Box::new(jsonschema::validator_for(&schema).unwrap()));
        validators.insert(name.to_owned(), validator);
        validator
    }

    /// Returns the validation errors of `instance`, or an empty string if it is valid.
    pub(crate) fn validation_errors(&self, name: &str, instance: &Value) -> String {
        let validator = self.validator(name);
        if validator.is_valid(instance) {
            return String::new();
        }
        let found: Vec<String> =
            validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect();
        format!("{} {name}: {}", self.revision, found.join("; "))
    }
}
