//! All subschemas of a schema while it is read, and which of them a reference means.
//!
//! Nothing here recurses: subschemas wait in a list until they are read, so that neither deep nesting nor a
//! long chain of references needs stack.

use std::{collections::HashMap, ptr};

use serde_json::Value;

use super::{
    error::{SchemaError, quote},
    limits::SchemaLimits,
    rule::{Id, Node, Rule, Rules},
    uri::{percent_decode, resolve, split_fragment},
};

/// The longest URI a part of a schema may have, in bytes; every reference is put together with one.
const MAX_URI: usize = 4096;

/// A subschema that is to be read.
#[derive(Debug)]
pub(super) struct Pending<'d> {
    pub(super) id: Id,
    pub(super) value: &'d Value,
    pub(super) resource: u32,
    /// Where it is in the schema, for errors.
    pub(super) pointer: String,
}

/// A reference that is to be resolved once all subschemas are read.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) node: Id,
    /// Which of the node's rules it is.
    pub(super) rule: usize,
    pub(super) text: String,
    pub(super) resource: u32,
    pub(super) is_dynamic: bool,
    pub(super) pointer: String,
}

/// A part of the schema that has a URI of its own.
#[derive(Debug)]
struct Resource<'d> {
    base: String,
    root: &'d Value,
    anchors: HashMap<String, Id>,
    dynamic: HashMap<String, Id>,
}

#[derive(Debug)]
pub(super) struct Arena<'d> {
    limits: SchemaLimits,
    nodes: Vec<Node>,
    /// By where they are in memory; the schema does not move while it is read.
    ids: HashMap<*const Value, Id>,
    pending: Vec<Pending<'d>>,
    references: Vec<Reference>,
    resources: Vec<Resource<'d>>,
    by_uri: HashMap<String, u32>,
    patterns: usize,
    pattern_bytes: usize,
}

impl<'d> Arena<'d> {
    pub(super) fn new(root: &'d Value, limits: SchemaLimits) -> Result<Self, SchemaError> {
        let mut arena = Self {
            limits,
            nodes: Vec::new(),
            ids: HashMap::new(),
            pending: Vec::new(),
            references: Vec::new(),
            resources: Vec::new(),
            by_uri: HashMap::new(),
            patterns: 0,
            pattern_bytes: 0,
        };
        arena.open(String::new(), root);
        arena.schema(root, 0, String::new())?;
        Ok(arena)
    }

    /// The number of a subschema, which is to be read if it was not met before.
    pub(super) fn schema(&mut self, value: &'d Value, resource: u32, pointer: String) -> Result<Id, SchemaError> {
        if let Some(&id) = self.ids.get(&ptr::from_ref(value)) {
            return Ok(id);
        }
        if self.nodes.len() >= self.limits.subschemas {
            return Err(SchemaError::too_large("subschemas", self.limits.subschemas));
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

    pub(super) fn refer(&mut self, reference: Reference) {
        self.references.push(reference);
    }

    /// Counts a pattern that takes `size` bytes.
    pub(super) fn count_pattern(&mut self, size: usize) -> Result<(), SchemaError> {
        self.patterns += 1;
        self.pattern_bytes += size;
        if self.patterns > self.limits.patterns {
            return Err(SchemaError::too_large("patterns", self.limits.patterns));
        }
        if self.pattern_bytes > self.limits.pattern_bytes {
            return Err(SchemaError::too_large("bytes of patterns, once compiled", self.limits.pattern_bytes));
        }
        Ok(())
    }

    /// Begins a resource: `root` has the `$id` `id` as seen from `parent`.
    pub(super) fn resource(&mut self, parent: u32, id: &str, root: &'d Value) -> Result<u32, SchemaError> {
        let base = resolve(&self.resources[parent as usize].base, id);
        if base.len() > MAX_URI {
            return Err(SchemaError::too_large("bytes in a `$id`", MAX_URI));
        }
        Ok(self.open(split_fragment(&base).0.to_owned(), root))
    }

    fn open(&mut self, base: String, root: &'d Value) -> u32 {
        let number = u32::try_from(self.resources.len()).unwrap_or(u32::MAX); // no more than there are nodes
        // Of two with one URI the first is meant; the specification leaves it open.
        self.by_uri.entry(base.clone()).or_insert(number);
        self.resources.push(Resource { base, root, anchors: HashMap::new(), dynamic: HashMap::new() });
        number
    }

    pub(super) fn anchor(&mut self, resource: u32, name: &str, id: Id, is_dynamic: bool) {
        let resource = &mut self.resources[resource as usize];
        resource.anchors.insert(name.to_owned(), id);
        if is_dynamic {
            resource.dynamic.insert(name.to_owned(), id);
        }
    }

    /// Puts what a reference means in its place.
    pub(super) fn settle(&mut self, reference: &Reference) -> Result<(), SchemaError> {
        let lost = || SchemaError::reference(&reference.pointer, &reference.text);
        let uri = resolve(&self.resources[reference.resource as usize].base, &reference.text);
        let (document, fragment) = split_fragment(&uri);
        let number = *self.by_uri.get(document).ok_or_else(lost)?;
        let resource = &self.resources[number as usize];
        let fragment = percent_decode(fragment.unwrap_or_default());
        let mut rule = None;
        let id = if fragment.is_empty() || fragment.starts_with('/') {
            let value = resource.root.pointer(&fragment).ok_or_else(lost)?;
            self.schema(value, number, quote(&reference.text))?
        } else {
            if reference.is_dynamic {
                rule = resource.dynamic.get(&fragment).map(|id| Rule::DynamicRef(fragment.clone(), *id));
            }
            *resource.anchors.get(&fragment).ok_or_else(lost)?
        };
        self.nodes[reference.node as usize].rules[reference.rule] = rule.unwrap_or(Rule::Ref(id));
        Ok(())
    }

    pub(super) fn finish(self) -> Rules {
        let dynamic = self.resources.into_iter().map(|resource| resource.dynamic).collect();
        Rules::new(self.nodes, dynamic, 0)
    }
}
