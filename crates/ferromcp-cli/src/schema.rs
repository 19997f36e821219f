//! The parts of a JSON Schema that the command line uses: types, properties, items and enums.
//!
//! References within the schema are followed, and the alternatives of `anyOf`, `oneOf` and `allOf` are merged. The server
//! validates the arguments; this module only decides how a word is converted.

use serde_json::Value;

/// Maximum number of nested references and combinations that are followed.
const MAX_DEPTH: usize = 16;

/// Maximum number of alternatives of one value.
const MAX_ALTERNATIVES: usize = 64;

/// A schema within its document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema<'a> {
    document: &'a Value,
    node: &'a Value,
}

impl<'a> Schema<'a> {
    /// Creates the schema of a whole document.
    pub(crate) fn new(document: &'a Value) -> Self {
        Self { document, node: document }
    }

    fn at(self, node: &'a Value) -> Self {
        Self { node, ..self }
    }

    /// Returns the schemas that a value can match: the node itself, the targets of references, and the members of
    /// combinations.
    pub(crate) fn alternatives(self) -> Vec<Self> {
        let mut found = Vec::new();
        self.collect(MAX_DEPTH, &mut found);
        found
    }

    fn collect(self, depth: usize, found: &mut Vec<Self>) {
        if depth == 0 || found.len() >= MAX_ALTERNATIVES {
            return;
        }
        found.push(self);
        if let Some(target) = self.node.get("$ref").and_then(Value::as_str).and_then(|name| self.target(name)) {
            target.collect(depth - 1, found);
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            for part in self.node.get(key).and_then(Value::as_array).into_iter().flatten() {
                self.at(part).collect(depth - 1, found);
            }
        }
    }

    /// Returns the target of a reference within the document, `#` or `#/…`.
    fn target(self, reference: &str) -> Option<Self> {
        let pointer = reference.strip_prefix('#')?;
        self.document.pointer(pointer).map(|node| self.at(node))
    }

    /// Returns the names of the types in this node, without alternatives.
    pub(crate) fn own_types(self) -> Vec<&'a str> {
        match self.node.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the values of `enum` and `const` in this node, without alternatives.
    pub(crate) fn own_values(self) -> Vec<&'a Value> {
        let listed = self.node.get("enum").and_then(Value::as_array);
        listed.into_iter().flatten().chain(self.node.get("const")).collect()
    }

    /// Returns the default value.
    pub(crate) fn default(self) -> Option<&'a Value> {
        self.node.get("default")
    }

    /// Returns the description: its own, or the first of the alternatives.
    pub(crate) fn description(self) -> Option<&'a str> {
        self.alternatives().into_iter().find_map(|schema| schema.node.get("description")?.as_str())
    }

    /// Returns the names and schemas of the properties.
    pub(crate) fn properties(self) -> Vec<(&'a str, Self)> {
        let mut found: Vec<(&str, Self)> = Vec::new();
        for schema in self.alternatives() {
            for (name, node) in schema.node.get("properties").and_then(Value::as_object).into_iter().flatten() {
                if !found.iter().any(|(other, _)| other == name) {
                    found.push((name, self.at(node)));
                }
            }
        }
        found
    }

    /// Returns the schema of a property: its own, or that of additional properties.
    pub(crate) fn property(self, name: &str) -> Option<Self> {
        let own = self.properties().into_iter().find(|(other, _)| *other == name);
        own.map(|(_, schema)| schema).or_else(|| {
            let mut extra =
                self.alternatives().into_iter().filter_map(|schema| schema.node.get("additionalProperties"));
            extra.find(|node| node.is_object()).map(|node| self.at(node))
        })
    }

    /// Returns the names of the required properties.
    pub(crate) fn required(self) -> Vec<&'a str> {
        let lists = self.alternatives().into_iter().filter_map(|schema| schema.node.get("required")?.as_array());
        lists.flatten().filter_map(Value::as_str).collect()
    }

    /// Returns whether properties that are not declared are accepted on purpose.
    pub(crate) fn accepts_others(self) -> bool {
        let accepts = |key: &str, node: &Value| match node.get(key) {
            Some(Value::Object(patterns)) => !patterns.is_empty() || key == "additionalProperties",
            Some(Value::Bool(accepts)) => *accepts,
            _ => false,
        };
        let nodes = self.alternatives();
        nodes.iter().any(|it| accepts("additionalProperties", it.node) || accepts("patternProperties", it.node))
    }

    /// Returns the schema of the items of an array.
    pub(crate) fn items(self) -> Option<Self> {
        self.alternatives().into_iter().find_map(|schema| schema.node.get("items")).map(|node| self.at(node))
    }

    /// Returns whether a value can be an array.
    pub(crate) fn is_array(self) -> bool {
        self.alternatives().iter().any(|schema| schema.own_types().contains(&"array"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_and_alternatives_are_followed() {
        let document = json!({
            "$defs": { "Unit": { "enum": ["c", "f"] }, "Place": { "properties": { "city": { "type": "string" } } } },
            "properties": {
                "unit": { "$ref": "#/$defs/Unit" },
                "place": { "anyOf": [{ "$ref": "#/$defs/Place" }, { "type": "null" }] },
                "tags": { "type": ["array", "null"], "items": { "type": "integer" } },
            },
            "required": ["unit"],
        });
        let schema = Schema::new(&document);
        let values = |name: &str| -> usize {
            schema.property(name).unwrap().alternatives().iter().map(|it| it.own_values().len()).sum()
        };
        assert_eq!((values("unit"), values("place")), (2, 0));
        assert!(schema.property("place").unwrap().property("city").is_some());
        assert!(schema.property("tags").unwrap().is_array() && schema.property("tags").unwrap().items().is_some());
        assert_eq!(schema.required(), ["unit"]);
        assert!(schema.property("other").is_none() && !schema.accepts_others());
    }

    #[test]
    fn recursion_and_invalid_schemas_end() {
        let recursive = json!({ "$ref": "#", "anyOf": [{ "$ref": "#" }, { "$ref": "#" }], "allOf": 3, "type": {} });
        assert!(Schema::new(&recursive).alternatives().len() <= MAX_ALTERNATIVES);
        for invalid in [json!(true), json!(null), json!({ "properties": [], "required": {} }), json!({ "$ref": "x" })] {
            let schema = Schema::new(&invalid);
            assert!(schema.properties().is_empty() && schema.required().is_empty() && schema.items().is_none());
        }
    }
}
