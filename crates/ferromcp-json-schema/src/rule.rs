//! The compiled form of a schema: numbered subschemas, each a list of rules.

use std::collections::{HashMap, HashSet};

use serde_json::{Number, Value};

use super::pattern::Pattern;

/// The id of a subschema.
pub(super) type Id = u32;

/// The limit that stopped an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LimitExceeded {
    Steps,
    Nesting,
}

/// All subschemas of a schema.
#[derive(Debug)]
pub(super) struct CompiledSchema {
    nodes: Vec<Node>,
    /// The `$dynamicAnchor`s of each schema resource.
    dynamic: Vec<HashMap<String, Id>>,
    root: Id,
    is_dynamic: bool,
}

/// One subschema.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Rules in order of evaluation: cheap ones first, `unevaluated…` last.
    pub(super) rules: Vec<Rule>,
    /// The schema resource (`$id`) that contains the subschema.
    pub(super) resource: u32,
    /// Whether the subschema has an `unevaluated…` keyword, and so must track evaluated items and properties.
    pub(super) tracks_evaluated: bool,
}

impl CompiledSchema {
    pub(super) fn new(nodes: Vec<Node>, dynamic: Vec<HashMap<String, Id>>, root: Id) -> Self {
        let is_dynamic = nodes.iter().flat_map(|node| &node.rules).any(|rule| matches!(rule, Rule::DynamicRef(..)));
        Self { nodes, dynamic, root, is_dynamic }
    }

    pub(super) fn root(&self) -> Id {
        self.root
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    /// Returns the subschema with this `$dynamicAnchor` in `resource`.
    pub(super) fn dynamic(&self, resource: u32, anchor: &str) -> Option<Id> {
        self.dynamic[resource as usize].get(anchor).copied()
    }

    /// Returns whether the schema uses `$dynamicRef`, so that results depend on the evaluation path.
    pub(super) fn is_dynamic(&self) -> bool {
        self.is_dynamic
    }
}

/// A constraint on a value.
#[derive(Debug)]
pub(super) enum Rule {
    /// `false`
    False,
    Type(Types),
    /// `const` or `enum`, as canonical texts.
    Enum(HashSet<String>),
    Minimum(Number),
    ExclusiveMinimum(Number),
    Maximum(Number),
    ExclusiveMaximum(Number),
    MultipleOf(Number),
    MinLength(u64),
    MaxLength(u64),
    Pattern(Pattern),
    MinItems(u64),
    MaxItems(u64),
    MinProperties(u64),
    MaxProperties(u64),
    Required(Vec<String>),
    DependentRequired(Vec<(String, Vec<String>)>),
    Ref(Id),
    DynamicRef(String, Id),
    AllOf(Vec<Id>),
    If(Id, Option<Id>, Option<Id>),
    DependentSchemas(Vec<(String, Id)>),
    Properties(Box<Properties>),
    PropertyNames(Id),
    Items(Vec<Id>, Option<Id>),
    AnyOf(Vec<Id>),
    OneOf(Vec<Id>),
    Not(Id),
    Contains(Id, u64, Option<u64>),
    UniqueItems,
    UnevaluatedItems(Id),
    UnevaluatedProperties(Id),
}

/// `properties`, `patternProperties` and `additionalProperties`, which are evaluated together.
#[derive(Debug, Default)]
pub(super) struct Properties {
    pub(super) named: HashMap<String, Id>,
    pub(super) patterns: Vec<(Pattern, Id)>,
    pub(super) additional: Option<Id>,
}

/// A set of JSON types.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Types(u8);

/// Type names, in the order of their bits.
const TYPES: [&str; 7] = ["null", "boolean", "object", "array", "number", "string", "integer"];

impl Types {
    /// Adds a type by name. Returns `false` if the name is unknown.
    pub(super) fn add(&mut self, name: &str) -> bool {
        let bit = TYPES.iter().position(|known| *known == name);
        self.0 |= bit.map_or(0, |bit| 1 << bit);
        bit.is_some()
    }

    pub(super) fn contains(self, value: &Value) -> bool {
        let bit = match value {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Object(_) => 2,
            Value::Array(_) => 3,
            Value::Number(number) => {
                let is_integer = !number.is_f64() || number.as_f64().is_some_and(|float| float.fract() == 0.0);
                return self.0 & (1 << 4) != 0 || (is_integer && self.0 & (1 << 6) != 0);
            }
            Value::String(_) => 5,
        };
        self.0 & (1 << bit) != 0
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        TYPES.iter().enumerate().filter(move |(bit, _)| self.0 & (1 << bit) != 0).map(|(_, name)| *name)
    }
}
