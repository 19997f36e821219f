//! From a schema to rules.

use serde_json::Value;

use super::{
    arena::{Arena, Pending},
    error::SchemaError,
    keywords::{Dialect, Reader},
    limits::SchemaLimits,
    rule::{Node, Rule, Rules},
};

/// Reads a schema, and all it refers to, which has to be within it.
pub(super) fn compile(schema: &Value, limits: SchemaLimits) -> Result<Rules, SchemaError> {
    let dialect = match schema.get("$schema") {
        None => Dialect::V2020,
        Some(name) => dialect(name, "")?,
    };
    let mut arena = Arena::new(schema, limits)?;
    loop {
        while let Some(pending) = arena.next_pending() {
            read(&mut arena, pending, dialect)?;
        }
        // What a reference means may be in a place where no subschema was looked for.
        match arena.next_reference() {
            Some(reference) => arena.settle(&reference)?,
            None => return Ok(arena.finish()),
        }
    }
}

fn read<'d>(arena: &mut Arena<'d>, pending: Pending<'d>, dialect: Dialect) -> Result<(), SchemaError> {
    let Pending { id, value, mut resource, pointer } = pending;
    let members = match value {
        Value::Bool(allowed) => {
            let rules = if *allowed { Vec::new() } else { vec![Rule::Never] };
            arena.set(id, Node { rules, resource, tracks: false });
            return Ok(());
        }
        Value::Object(members) => members,
        _ => return Err(SchemaError::invalid(&pointer, "a schema is an object, `true` or `false`")),
    };
    if let Some(name) = members.get("$schema") {
        if self::dialect(name, &pointer)? != dialect {
            return Err(SchemaError::invalid(&pointer, "all of a schema has to be of one dialect"));
        }
    }
    // Before 2019, what stands beside a `$ref` says nothing.
    let is_alone = dialect == Dialect::V7 && members.contains_key("$ref");
    if let Some(own) = members.get("$id").and_then(Value::as_str).filter(|_| !is_alone) {
        match own.strip_prefix('#') {
            Some(name) if dialect == Dialect::V7 => arena.anchor(resource, name, id, false),
            Some(_) => {}
            None => resource = arena.resource(resource, own, value)?,
        }
    }
    if dialect == Dialect::V2020 {
        for (key, is_dynamic) in [("$anchor", false), ("$dynamicAnchor", true)] {
            if let Some(name) = members.get(key).and_then(Value::as_str) {
                arena.anchor(resource, name, id, is_dynamic);
            }
        }
    }
    let rules = Reader::new(arena, id, members, resource, &pointer, dialect).read(is_alone)?;
    let tracks = rules.iter().any(|rule| matches!(rule, Rule::UnevaluatedItems(_) | Rule::UnevaluatedProperties(_)));
    arena.set(id, Node { rules, resource, tracks });
    Ok(())
}

fn dialect(name: &Value, pointer: &str) -> Result<Dialect, SchemaError> {
    let Some(name) = name.as_str() else {
        return Err(SchemaError::invalid(pointer, "`$schema` is not a text"));
    };
    let plain = name.strip_suffix('#').unwrap_or(name);
    let plain = plain.strip_prefix("https://").or(plain.strip_prefix("http://"));
    match plain {
        Some("json-schema.org/draft/2020-12/schema") => Ok(Dialect::V2020),
        Some("json-schema.org/draft-07/schema") => Ok(Dialect::V7),
        _ => Err(SchemaError::dialect(name)),
    }
}
