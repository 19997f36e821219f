//! [`Shape`]: the properties that an object schema describes.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::merge::{either, merge};
use super::plain::texts;

/// The properties of an object.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    pub(super) properties: Map<String, Value>,
    pub(super) required: Vec<String>,
    pub(super) rest: Rest,
    /// The schema of unlisted properties, if some variant makes them part of the value.
    pub(super) unlisted: Option<Value>,
    /// The properties that only some variants of a union list.
    pub(super) partial: HashSet<String>,
    /// The description of the schema.
    pub(super) description: Option<String>,
    /// Sentences about the combinations of properties.
    pub(super) notes: Vec<String>,
}

/// What a schema says about properties that it does not list.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Rest {
    /// Nothing: serde ignores them.
    #[default]
    Unstated,
    /// They are part of the value, as in a map.
    Any,
    /// They are part of the value and have this schema.
    Schema(Value),
    /// They are errors.
    Closed,
}

impl Shape {
    /// Returns the shape of the keywords of one schema, without its references and unions.
    pub(super) fn of_keywords(schema: &Map<String, Value>) -> Self {
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let rest = schema.get("additionalProperties").map(Rest::of).unwrap_or_default();
        let shape = Self {
            properties: schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default(),
            required: required.filter_map(Value::as_str).map(str::to_owned).collect(),
            description: schema.get("description").and_then(Value::as_str).map(str::to_owned),
            ..Self::default()
        };
        shape.with_rest(rest)
    }

    pub(super) fn with_rest(mut self, rest: Rest) -> Self {
        self.unlisted = match &rest {
            Rest::Any => Some(Value::Bool(true)),
            Rest::Schema(schema) => Some(schema.clone()),
            Rest::Unstated | Rest::Closed => None,
        };
        self.rest = rest;
        self
    }

    /// Returns the shapes of the unit variants of an externally tagged enum. A unit variant deserializes from a string, or
    /// from an object such as `{"Variant": null}`, where only an object is possible.
    pub(super) fn of_units(schema: &Map<String, Value>) -> Option<Vec<Self>> {
        let unit = |variant: &str| Self {
            properties: Map::from_iter([(variant.to_owned(), json!({ "type": "null" }))]),
            required: vec![variant.to_owned()],
            rest: Rest::Closed,
            description: schema.get("description").and_then(Value::as_str).map(str::to_owned),
            ..Self::default()
        };
        texts(schema).map(|variants| variants.into_iter().map(unit).collect())
    }

    /// Returns the shape of the objects that match both shapes.
    pub(super) fn and(mut self, other: Self) -> Self {
        let names: Vec<String> = self.properties.keys().chain(other.properties.keys()).cloned().collect();
        let mut partial = HashSet::new();
        for name in names {
            let (property, is_partial) = match (self.listed(&name), other.listed(&name)) {
                // Listed by every variant of a shape: no other value matches that shape.
                (Some((property, false)), _) | (_, Some((property, false))) => (property, false),
                (Some((one, true)), Some((other, true))) => (merge(vec![one, other]), true),
                (Some((property, true)), None) => {
                    (merge([property].into_iter().chain(other.unlisted.clone()).collect()), true)
                }
                (None, Some((property, true))) => {
                    (merge([property].into_iter().chain(self.unlisted.clone()).collect()), true)
                }
                (None, None) => continue,
            };
            if is_partial {
                partial.insert(name.clone());
            }
            self.properties.insert(name, property);
        }
        self.partial = partial;
        self.unlisted = either(self.unlisted, other.unlisted);
        for name in other.required {
            if !self.required.contains(&name) {
                self.required.push(name);
            }
        }
        self.rest = match (self.rest, other.rest) {
            (Rest::Closed, _) | (_, Rest::Closed) => Rest::Closed,
            (Rest::Unstated | Rest::Any, rest) | (rest @ Rest::Schema(_), _) => rest,
        };
        self.description = self.description.or(other.description);
        self.notes.extend(other.notes);
        self
    }

    /// Returns the schema of a property, and whether only some variants list it.
    fn listed(&self, name: &str) -> Option<(Value, bool)> {
        self.properties.get(name).map(|property| (property.clone(), self.partial.contains(name)))
    }
}

impl Rest {
    /// Returns the meaning of `additionalProperties`.
    pub(super) fn of(additional: &Value) -> Self {
        match additional {
            Value::Bool(false) => Self::Closed,
            Value::Bool(true) => Self::Any,
            schema => Self::Schema(schema.clone()),
        }
    }
}
