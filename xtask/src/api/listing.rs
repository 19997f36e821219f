//! The public items of one crate, from rustdoc's JSON.

use std::collections::BTreeSet;

use serde_json::Value;

use super::render::{generics, list, path_of, signature, type_of};

/// The listing of one crate.
#[derive(Debug, Default)]
pub(super) struct Api {
    /// One line per item, sorted.
    pub(super) lines: Vec<String>,
    /// Crates whose types appear in signatures, without the standard library and the project's crates.
    pub(super) foreign: BTreeSet<String>,
}

impl Api {
    /// Lists the items that are reachable from the crate's root.
    pub(super) fn read(json: &Value) -> Self {
        let mut reader = Reader { json, lines: BTreeSet::new(), foreign: BTreeSet::new(), depth: 0 };
        let root = &reader.item(&json["root"]);
        let name = root["name"].as_str().unwrap_or_default();
        reader.module(name, root);
        Self { lines: reader.lines.into_iter().collect(), foreign: reader.foreign }
    }
}

/// The deepest nesting of modules and re-exports that is followed.
const MAX_DEPTH: usize = 16;

struct Reader<'a> {
    json: &'a Value,
    lines: BTreeSet<String>,
    foreign: BTreeSet<String>,
    depth: usize,
}

/// The ids of a list.
fn ids(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

impl<'a> Reader<'a> {
    fn item(&self, id: &Value) -> &'a Value {
        &self.json["index"][id.to_string()]
    }

    fn module(&mut self, path: &str, module: &'a Value) {
        if self.depth == MAX_DEPTH {
            return;
        }
        self.depth += 1;
        for id in ids(&module["inner"]["module"]["items"]) {
            let item = self.item(id);
            if item["visibility"] == "public" {
                self.named(path, item, None);
            }
        }
        self.depth -= 1;
    }

    /// Lists `item` below `path`, under another name where a re-export gives it one.
    fn named(&mut self, path: &str, item: &'a Value, rename: Option<&str>) {
        if ids(&item["attrs"]).any(|attribute| attribute.to_string().contains("doc(hidden)")) {
            return;
        }
        let Some((kind, inner)) = item["inner"].as_object().and_then(|inner| inner.iter().next()) else { return };
        let name = rename.or(item["name"].as_str()).unwrap_or_default();
        let full = format!("{path}::{name}");
        match kind.as_str() {
            "module" => {
                self.lines.insert(format!("mod {full}"));
                self.module(&full, item);
            }
            "use" => self.re_export(path, inner),
            "struct" => {
                self.add(item, &format!("struct {full}{}", generics(&inner["generics"])));
                let kind = &inner["kind"];
                for id in ids(&kind["plain"]["fields"]).chain(ids(&kind["tuple"])) {
                    self.field(&full, id);
                }
                self.impls(&full, &inner["impls"]);
            }
            "enum" => {
                self.add(item, &format!("enum {full}{}", generics(&inner["generics"])));
                for id in ids(&inner["variants"]) {
                    self.variant(&full, id);
                }
                self.impls(&full, &inner["impls"]);
            }
            "trait" => {
                self.add(
                    item,
                    &format!("trait {full}{}{}", generics(&inner["generics"]), list(": ", &inner["bounds"])),
                );
                for id in ids(&inner["items"]) {
                    let member = self.item(id);
                    self.member(&full, member, true);
                }
            }
            "function" => self.add(item, &signature(&full, inner)),
            "type_alias" => self.add(item, &format!("type {full} = {}", type_of(&inner["type"]))),
            "constant" => self.add(item, &format!("const {full}: {}", type_of(&inner["type"]))),
            "static" => self.add(item, &format!("static {full}: {}", type_of(&inner["type"]))),
            "macro" | "proc_macro" => self.add(item, &format!("macro {full}!")),
            other => self.add(item, &format!("{other} {full}")),
        }
    }

    fn re_export(&mut self, path: &str, inner: &'a Value) {
        let target = self.item(&inner["id"]);
        let source = inner["source"].as_str().unwrap_or_default();
        if target.is_null() {
            let glob = if inner["is_glob"] == true { "::*" } else { "" };
            self.lines.insert(format!("use {path}::{} = {source}{glob}", inner["name"].as_str().unwrap_or_default()));
        } else if inner["is_glob"] == true {
            self.module(path, target);
        } else {
            self.named(path, target, inner["name"].as_str());
        }
    }

    fn field(&mut self, path: &str, id: &Value) {
        let field = self.item(id);
        if field["visibility"] == "public" || field["visibility"] == "default" {
            let name = field["name"].as_str().unwrap_or_default();
            self.add(field, &format!("field {path}::{name}: {}", type_of(&field["inner"]["struct_field"])));
        }
    }

    fn variant(&mut self, path: &str, id: &Value) {
        let variant = self.item(id);
        let full = format!("{path}::{}", variant["name"].as_str().unwrap_or_default());
        self.add(variant, &format!("variant {full}"));
        let kind = &variant["inner"]["variant"]["kind"];
        for id in ids(&kind["struct"]["fields"]).chain(ids(&kind["tuple"])) {
            self.field(&full, id);
        }
    }

    /// Lists inherent members, and the traits that are implemented by hand or derived.
    fn impls(&mut self, path: &str, impls: &'a Value) {
        for id in ids(impls) {
            let item = self.item(id);
            let block = &item["inner"]["impl"];
            if block["is_synthetic"] == true || !block["blanket_impl"].is_null() {
                continue;
            }
            if block["trait"].is_null() {
                for id in ids(&block["items"]) {
                    let member = self.item(id);
                    self.member(path, member, false);
                }
            } else if let Some(name) = path_of(&block["trait"]).filter(|name| !name.contains("Structural")) {
                self.uses(&block["trait"]);
                self.lines.insert(format!("impl {name} for {path}"));
            }
        }
    }

    fn member(&mut self, path: &str, item: &'a Value, of_trait: bool) {
        if !of_trait && item["visibility"] != "public" {
            return;
        }
        self.named(path, item, None);
    }

    /// Adds a line, with the attributes that are part of the interface, and records foreign types.
    fn add(&mut self, item: &'a Value, line: &str) {
        let attributes = item["attrs"].to_string();
        let open = if attributes.contains("non_exhaustive") { "#[non_exhaustive] " } else { "" };
        self.lines.insert(format!("{open}{line}"));
        let inner = &item["inner"];
        let signature = inner.as_object().and_then(|inner| inner.values().next()).unwrap_or(&Value::Null);
        for part in ["sig", "generics", "type", "bounds"] {
            self.uses(&signature[part]);
        }
        self.uses(&inner["struct_field"]);
    }

    /// Records the crates of all types in `value`.
    fn uses(&mut self, value: &Value) {
        match value {
            Value::Object(object) => {
                if let (Some(id), Some(_)) = (object.get("id"), object.get("path")) {
                    self.record(id);
                }
                object.values().for_each(|value| self.uses(value));
            }
            Value::Array(values) => values.iter().for_each(|value| self.uses(value)),
            _ => {}
        }
    }

    fn record(&mut self, id: &Value) {
        let owner = &self.json["paths"][id.to_string()]["crate_id"];
        let Some(owner) = owner.as_u64().filter(|&owner| owner != 0) else { return };
        let name = self.json["external_crates"][owner.to_string()]["name"].as_str().unwrap_or_default();
        if !matches!(name, "std" | "core" | "alloc" | "") && !name.starts_with("ferromcp") {
            self.foreign.insert(name.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn crate_with(field: &Value) -> Value {
        json!({
            "root": 0,
            "index": {
                "0": { "name": "demo", "inner": { "module": { "items": [1] } } },
                "1": { "name": null, "visibility": "public", "attrs": [],
                       "inner": { "use": { "source": "inner::Point", "name": "Dot", "id": 2, "is_glob": false } } },
                "2": { "name": "Point", "visibility": "public", "attrs": ["#[non_exhaustive]"],
                       "inner": { "struct": { "kind": { "plain": { "fields": [3] } }, "generics": {}, "impls": [] } } },
                "3": { "name": "x", "visibility": "public", "attrs": [], "inner": { "struct_field": field } }
            },
            "paths": { "9": { "crate_id": 4, "path": ["bytes", "Bytes"] } },
            "external_crates": { "4": { "name": "bytes" } }
        })
    }

    #[test]
    fn re_exports_are_listed_under_their_public_name() {
        let api = Api::read(&crate_with(&json!({ "primitive": "u8" })));
        assert_eq!(api.lines, ["#[non_exhaustive] struct demo::Dot", "field demo::Dot::x: u8"]);
        assert!(api.foreign.is_empty());
    }

    #[test]
    fn foreign_types_are_recorded() {
        let api = Api::read(&crate_with(&json!({ "resolved_path": { "path": "Bytes", "id": 9, "args": null } })));
        assert_eq!(api.lines[1], "field demo::Dot::x: Bytes");
        assert!(api.foreign.contains("bytes"));
    }
}
