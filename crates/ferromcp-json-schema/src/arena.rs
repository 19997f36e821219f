//! All subschemas of a schema during compilation, and resolution of references to them.
//!
//! Compilation does not recurse: subschemas are queued until they are parsed, so that neither deep nesting nor a long
//! chain of references consumes stack.

use std::{collections::HashMap, ptr};

use serde_json::Value;

use super::{
    error::{SchemaError, quote},
    limits::{MAX_PATTERN_BYTES, MAX_PATTERNS, MAX_SUBSCHEMAS},
    rule::{CompiledSchema, Id, Node, Rule},
    uri::{percent_decode, resolve, split_fragment},
};

/// Maximum length of a base URI, in bytes. Each reference is resolved against one.
const MAX_URI: usize = 4096;

/// A subschema that is queued for parsing.
#[derive(Debug)]
pub(super) struct Pending<'d> {
    pub(super) id: Id,
    pub(super) value: &'d Value,
    pub(super) resource: u32,
    /// JSON Pointer to the subschema, for error texts.
    pub(super) pointer: String,
}

/// A reference that is resolved once all subschemas are parsed.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) node: Id,
    /// Index of the rule within the node.
    pub(super) rule: usize,
    pub(super) text: String,
    pub(super) resource: u32,
    pub(super) is_dynamic: bool,
    pub(super) pointer: String,
}

/// A schema resource: a part of the schema with its own `$id`.
#[derive(Debug)]
struct Resource<'d> {
    base: String,
    root: &'d Value,
    anchors: HashMap<String, Id>,
    dynamic: HashMap<String, Id>,
}

#[derive(Debug)]
pub(super) struct Arena<'d> {
    nodes: Vec<Node>,
    /// Subschemas by address; the schema does not move during compilation.
    ids: HashMap<*const Value, Id>,
    pending: Vec<Pending<'d>>,
    references: Vec<Reference>,
    resources: Vec<Resource<'d>>,
    by_uri: HashMap<String, u32>,
    patterns: usize,
    pattern_bytes: usize,
}

impl<'d> Arena<'d> {
    pub(super) fn new(root: &'d Value) -> Result<Self, SchemaError> {
        let mut arena = Self {
            nodes: Vec::new(),
            ids: HashMap::new(),
            pending: Vec::new(),
            references: Vec::new(),
            resources: Vec::new(),
            by_uri: HashMap::new(),
            patterns: 0,
            pattern_bytes: 0,
        };
        arena.open_resource(String::new(), root);
        arena.intern(root, 0, String::new())?;
        Ok(arena)
    }

    /// Returns the id of a subschema, and queues the subschema when it is new.
    pub(super) fn intern(&mut self, value: &'d Value, resource: u32, pointer: String) -> Result<Id, SchemaError> {
        if let Some(&id) = self.ids.get(&ptr::from_ref(value)) {
            return Ok(id);
        }
        if self.nodes.len() >= MAX_SUBSCHEMAS {
            return Err(SchemaError::too_large("subschemas", MAX_SUBSCHEMAS));
        }
        let id = Id::try_from(self.nodes.len()).map_err(|_| SchemaError::too_large("subschemas", self.nodes.len()))?;
        self.nodes.push(Node::default());
        self.ids.insert(ptr::from_ref(value), id);
        self.pending.push(Pending { id, value, resource, pointer });
        Ok(id)
    }

    pub(super) fn next_pending(&mut self) -> Option<Pending<'d>> {
        self.pending.pop()
    }

    pub(super) fn next_reference(&mut self) -> Option<Reference> {
        self.references.pop()
    }

    pub(super) fn set(&mut self, id: Id, node: Node) {
        self.nodes[id as usize] = node;
    }

    pub(super) fn add_reference(&mut self, reference: Reference) {
        self.references.push(reference);
    }

    /// Counts a compiled pattern of `size` bytes against the limits.
    pub(super) fn count_pattern(&mut self, size: usize) -> Result<(), SchemaError> {
        self.patterns += 1;
        self.pattern_bytes += size;
        if self.patterns > MAX_PATTERNS {
            return Err(SchemaError::too_large("patterns", MAX_PATTERNS));
        }
        if self.pattern_bytes > MAX_PATTERN_BYTES {
            return Err(SchemaError::too_large("bytes of patterns, once compiled", MAX_PATTERN_BYTES));
        }
        Ok(())
    }

    /// Adds a schema resource whose root has this `$id`, resolved against its parent resource.
    pub(super) fn add_resource(&mut self, parent: u32, id: &str, root: &'d Value) -> Result<u32, SchemaError> {
        let base = resolve(&self.resources[parent as usize].base, id);
        if base.len() > MAX_URI {
            return Err(SchemaError::too_large("bytes in a `$id`", MAX_URI));
        }
        Ok(self.open_resource(split_fragment(&base).0.to_owned(), root))
    }

    fn open_resource(&mut self, base: String, root: &'d Value) -> u32 {
        let number = u32::try_from(self.resources.len()).unwrap_or(u32::MAX); // bounded by the number of nodes
        // The first resource with a URI wins; the specification leaves duplicates undefined.
        self.by_uri.entry(base.clone()).or_insert(number);
        self.resources.push(Resource { base, root, anchors: HashMap::new(), dynamic: HashMap::new() });
        number
    }

    pub(super) fn add_anchor(&mut self, resource: u32, name: &str, id: Id, is_dynamic: bool) {
        let resource = &mut self.resources[resource as usize];
        resource.anchors.insert(name.to_owned(), id);
        if is_dynamic {
            resource.dynamic.insert(name.to_owned(), id);
        }
    }

    /// Resolves a reference and stores the resulting rule.
    pub(super) fn resolve_reference(&mut self, reference: &Reference) -> Result<(), SchemaError> {
        let unresolved = || SchemaError::reference(&reference.pointer, &reference.text);
        let uri = resolve(&self.resources[reference.resource as usize].base, &reference.text);
        let (document, fragment) = split_fragment(&uri);
        let number = *self.by_uri.get(document).ok_or_else(unresolved)?;
        let resource = &self.resources[number as usize];
        let fragment = percent_decode(fragment.unwrap_or_default());
        let mut rule = None;
        let id = if fragment.is_empty() || fragment.starts_with('/') {
            let value = resource.root.pointer(&fragment).ok_or_else(unresolved)?;
            self.intern(value, number, quote(&reference.text))?
        } else {
            if reference.is_dynamic {
                rule = resource.dynamic.get(&fragment).map(|id| Rule::DynamicRef(fragment.clone(), *id));
            }
            *resource.anchors.get(&fragment).ok_or_else(unresolved)?
        };
        self.nodes[reference.node as usize].rules[reference.rule] = rule.unwrap_or(Rule::Ref(id));
        Ok(())
    }

    pub(super) fn into_compiled(self) -> CompiledSchema {
        let dynamic = self.resources.into_iter().map(|resource| resource.dynamic).collect();
        CompiledSchema::new(self.nodes, dynamic, 0)
    }
}
