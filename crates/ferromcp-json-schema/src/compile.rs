//! Compiles a schema into rules.

use serde_json::Value;

use super::{
    arena::{Arena, Pending},
    error::SchemaError,
    keywords::{Dialect, KeywordParser},
    rule::{CompiledSchema, Node, Rule},
};

/// Compiles a schema and everything it references, which must be part of the schema.
pub(super) fn compile(schema: &Value) -> Result<CompiledSchema, SchemaError> {
    let dialect = match schema.get("$schema") {
        None => Dialect::V2020,
        Some(name) => dialect(name, "")?,
    };
    let mut arena = Arena::new(schema)?;
    loop {
        while let Some(pending) = arena.next_pending() {
            parse(&mut arena, pending, dialect)?;
        }
        // A reference may point to a location that is not a known subschema; that adds a pending subschema.
        match arena.next_reference() {
            Some(reference) => arena.resolve_reference(&reference)?,
            None => return Ok(arena.into_compiled()),
        }
    }
}

fn parse<'d>(arena: &mut Arena<'d>, pending: Pending<'d>, dialect: Dialect) -> Result<(), SchemaError> {
    let Pending { id, value, mut resource, pointer } = pending;
    let members = match value {
        Value::Bool(allowed) => {
            let rules = if *allowed { Vec::new() } else { vec![Rule::False] };
            arena.set(id, Node { rules, resource, tracks_evaluated: false });
            return Ok(());
        }
        Value::Object(members) => members,
        _ => return Err(SchemaError::invalid(&pointer, "a schema must be an object or a boolean")),
    };
    if let Some(name) = members.get("$schema") {
        if self::dialect(name, &pointer)? != dialect {
            return Err(SchemaError::invalid(&pointer, "all parts of a schema must use the same dialect"));
        }
    }
    // Before draft 2019-09, siblings of `$ref` are ignored.
    let ref_only = dialect == Dialect::V7 && members.contains_key("$ref");
    if let Some(own) = members.get("$id").and_then(Value::as_str).filter(|_| !ref_only) {
        match own.strip_prefix('#') {
            Some(name) if dialect == Dialect::V7 => arena.add_anchor(resource, name, id, false),
            Some(_) => {}
            None => resource = arena.add_resource(resource, own, value)?,
        }
    }
    if dialect == Dialect::V2020 {
        for (key, is_dynamic) in [("$anchor", false), ("$dynamicAnchor", true)] {
            if let Some(name) = members.get(key).and_then(Value::as_str) {
                arena.add_anchor(resource, name, id, is_dynamic);
            }
        }
    }
    let rules = KeywordParser::new(arena, id, members, resource, &pointer, dialect).parse(ref_only)?;
    let tracks_evaluated =
        rules.iter().any(|rule| matches!(rule, Rule::UnevaluatedItems(_) | Rule::UnevaluatedProperties(_)));
    arena.set(id, Node { rules, resource, tracks_evaluated });
    Ok(())
}

fn dialect(name: &Value, pointer: &str) -> Result<Dialect, SchemaError> {
    let Some(name) = name.as_str() else {
        return Err(SchemaError::invalid(pointer, "`$schema` must be a string"));
    };
    let plain = name.strip_suffix('#').unwrap_or(name);
    let plain = plain.strip_prefix("https://").or(plain.strip_prefix("http://"));
    match plain {
        Some("json-schema.org/draft/2020-12/schema") => Ok(Dialect::V2020),
        Some("json-schema.org/draft-07/schema") => Ok(Dialect::V7),
        _ => Err(SchemaError::dialect(name)),
    }
}
