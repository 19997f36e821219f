//! Parses the keywords of one subschema into rules.

use std::collections::HashSet;

use serde_json::{Map, Number, Value};

use super::{
    arena::{Arena, Reference},
    error::{SchemaError, quote},
    pattern::Pattern,
    rule::{Id, Properties, Rule, Types},
    value::canonical,
};

/// Approximate maximum length of a JSON Pointer in an error text, in bytes.
const MAX_POINTER: usize = 256;

/// Supported dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// draft-07
    V7,
    /// 2020-12
    V2020,
}

/// Parses one subschema.
pub(super) struct KeywordParser<'a, 'd> {
    arena: &'a mut Arena<'d>,
    id: Id,
    members: &'d Map<String, Value>,
    resource: u32,
    pointer: &'a str,
    dialect: Dialect,
    rules: Vec<Rule>,
}

impl<'a, 'd> KeywordParser<'a, 'd> {
    pub(super) fn new(
        arena: &'a mut Arena<'d>,
        id: Id,
        members: &'d Map<String, Value>,
        resource: u32,
        pointer: &'a str,
        dialect: Dialect,
    ) -> Self {
        Self { arena, id, members, resource, pointer, dialect, rules: Vec::new() }
    }

    /// Parses all keywords. Cheap rules come first, because evaluation stops at the first failure.
    pub(super) fn parse(mut self, ref_only: bool) -> Result<Vec<Rule>, SchemaError> {
        if ref_only {
            self.references()?;
            return Ok(self.rules);
        }
        self.values()?;
        self.numbers()?;
        self.size_limits()?;
        self.required()?;
        self.references()?;
        self.in_place_applicators()?;
        self.object_applicators()?;
        self.array_applicators()?;
        self.alternatives()?;
        self.definitions()?;
        if self.dialect == Dialect::V2020 {
            for (key, rule) in [
                ("unevaluatedItems", Rule::UnevaluatedItems as fn(Id) -> Rule),
                ("unevaluatedProperties", Rule::UnevaluatedProperties),
            ] {
                let schema = self.child(key)?;
                self.rules.extend(schema.map(rule));
            }
        }
        Ok(self.rules)
    }

    fn values(&mut self) -> Result<(), SchemaError> {
        if let Some(value) = self.members.get("type") {
            let names = match value {
                Value::Array(names) => names.as_slice(),
                one => std::slice::from_ref(one),
            };
            let mut types = Types::default();
            if !names.iter().all(|name| name.as_str().is_some_and(|name| types.add(name))) {
                return Err(self.invalid("type", "must be a type name or an array of type names"));
            }
            self.rules.push(Rule::Type(types));
        }
        if let Some(value) = self.members.get("const") {
            self.rules.push(Rule::Enum(HashSet::from([canonical(value)])));
        }
        if let Some(values) = self.array("enum")? {
            self.rules.push(Rule::Enum(values.iter().map(canonical).collect()));
        }
        Ok(())
    }

    fn numbers(&mut self) -> Result<(), SchemaError> {
        for (key, rule) in [
            ("minimum", Rule::Minimum as fn(Number) -> Rule),
            ("exclusiveMinimum", Rule::ExclusiveMinimum),
            ("maximum", Rule::Maximum),
            ("exclusiveMaximum", Rule::ExclusiveMaximum),
            ("multipleOf", Rule::MultipleOf),
        ] {
            match self.members.get(key) {
                None => {}
                Some(Value::Number(number))
                    if key != "multipleOf" || number.as_f64().is_some_and(|float| float > 0.0) =>
                {
                    self.rules.push(rule(number.clone()));
                }
                Some(_) => return Err(self.invalid(key, "must be a number (`multipleOf`: greater than 0)")),
            }
        }
        Ok(())
    }

    fn size_limits(&mut self) -> Result<(), SchemaError> {
        for (key, rule) in [
            ("minLength", Rule::MinLength as fn(u64) -> Rule),
            ("maxLength", Rule::MaxLength),
            ("minItems", Rule::MinItems),
            ("maxItems", Rule::MaxItems),
            ("minProperties", Rule::MinProperties),
            ("maxProperties", Rule::MaxProperties),
        ] {
            let count = self.count(key)?;
            self.rules.extend(count.map(rule));
        }
        if let Some(value) = self.members.get("pattern") {
            let Some(pattern) = value.as_str() else {
                return Err(self.invalid("pattern", "must be a string"));
            };
            let pattern = self.pattern("pattern", pattern)?;
            self.rules.push(Rule::Pattern(pattern));
        }
        Ok(())
    }

    fn required(&mut self) -> Result<(), SchemaError> {
        if let Some(names) = self.members.get("required") {
            let names = self.names("required", names)?;
            self.rules.push(Rule::Required(names));
        }
        let mut dependent = Vec::new();
        for key in ["dependentRequired", "dependencies"] {
            if (key == "dependencies") != (self.dialect == Dialect::V7) {
                continue;
            }
            for (name, names) in self.object(key)?.into_iter().flatten() {
                if key == "dependentRequired" || names.is_array() {
                    dependent.push((name.clone(), self.names(key, names)?));
                }
            }
        }
        if !dependent.is_empty() {
            self.rules.push(Rule::DependentRequired(dependent));
        }
        Ok(())
    }

    fn references(&mut self) -> Result<(), SchemaError> {
        for (key, is_dynamic) in [("$ref", false), ("$dynamicRef", true)] {
            let Some(value) = self.members.get(key).filter(|_| !is_dynamic || self.dialect == Dialect::V2020) else {
                continue;
            };
            let Some(text) = value.as_str() else {
                return Err(self.invalid(key, "must be a string"));
            };
            self.arena.add_reference(Reference {
                node: self.id,
                rule: self.rules.len(),
                text: text.to_owned(),
                resource: self.resource,
                is_dynamic,
                pointer: format!("{}/{key}", self.pointer),
            });
            self.rules.push(Rule::False); // replaced once the reference is resolved
        }
        Ok(())
    }

    fn in_place_applicators(&mut self) -> Result<(), SchemaError> {
        let all = self.children("allOf")?;
        self.rules.extend(all.map(Rule::AllOf));
        let (then, otherwise) = (self.child("then")?, self.child("else")?);
        if let Some(condition) = self.child("if")? {
            self.rules.push(Rule::If(condition, then, otherwise));
        }
        let mut dependent = Vec::new();
        let key = if self.dialect == Dialect::V7 { "dependencies" } else { "dependentSchemas" };
        for (name, schema) in self.object(key)?.into_iter().flatten() {
            if !schema.is_array() {
                dependent.push((name.clone(), self.schema(schema, key, Some(name))?));
            }
        }
        if !dependent.is_empty() {
            self.rules.push(Rule::DependentSchemas(dependent));
        }
        Ok(())
    }

    fn object_applicators(&mut self) -> Result<(), SchemaError> {
        let mut properties = Properties::default();
        for (name, schema) in self.object("properties")?.into_iter().flatten() {
            let id = self.schema(schema, "properties", Some(name))?;
            properties.named.insert(name.clone(), id);
        }
        for (pattern, schema) in self.object("patternProperties")?.into_iter().flatten() {
            let id = self.schema(schema, "patternProperties", Some(pattern))?;
            properties.patterns.push((self.pattern("patternProperties", pattern)?, id));
        }
        properties.additional = self.child("additionalProperties")?;
        if !properties.named.is_empty() || !properties.patterns.is_empty() || properties.additional.is_some() {
            self.rules.push(Rule::Properties(Box::new(properties)));
        }
        let names = self.child("propertyNames")?;
        self.rules.extend(names.map(Rule::PropertyNames));
        Ok(())
    }

    fn array_applicators(&mut self) -> Result<(), SchemaError> {
        let is_list = self.members.get("items").is_some_and(Value::is_array);
        let (prefix, rest) = match self.dialect {
            Dialect::V7 if is_list => (self.children("items")?, self.child("additionalItems")?),
            Dialect::V7 => (None, self.child("items")?),
            Dialect::V2020 => (self.children("prefixItems")?, self.child("items")?),
        };
        if prefix.is_some() || rest.is_some() {
            self.rules.push(Rule::Items(prefix.unwrap_or_default(), rest));
        }
        Ok(())
    }

    fn alternatives(&mut self) -> Result<(), SchemaError> {
        let (any, one) = (self.children("anyOf")?, self.children("oneOf")?);
        self.rules.extend(any.map(Rule::AnyOf));
        self.rules.extend(one.map(Rule::OneOf));
        let not = self.child("not")?;
        self.rules.extend(not.map(Rule::Not));
        if let Some(id) = self.child("contains")? {
            let (min, max) = match self.dialect {
                Dialect::V7 => (None, None),
                Dialect::V2020 => (self.count("minContains")?, self.count("maxContains")?),
            };
            self.rules.push(Rule::Contains(id, min.unwrap_or(1), max));
        }
        match self.members.get("uniqueItems") {
            None | Some(Value::Bool(false)) => {}
            Some(Value::Bool(true)) => self.rules.push(Rule::UniqueItems),
            Some(_) => return Err(self.invalid("uniqueItems", "must be a boolean")),
        }
        Ok(())
    }

    /// Parses subschemas that are reachable only by reference, because they may declare anchors and `$id`s.
    fn definitions(&mut self) -> Result<(), SchemaError> {
        for key in ["$defs", "definitions"] {
            for (name, schema) in self.object(key)?.into_iter().flatten() {
                self.schema(schema, key, Some(name))?;
            }
        }
        Ok(())
    }

    fn schema(&mut self, value: &'d Value, key: &str, part: Option<&str>) -> Result<Id, SchemaError> {
        // Stop appending at the limit; the pointer is used for error texts only.
        let mut pointer = self.pointer.to_owned();
        for step in [Some(key), part].into_iter().flatten().filter(|_| self.pointer.len() < MAX_POINTER) {
            pointer.push('/');
            pointer.push_str(&quote(step));
        }
        self.arena.intern(value, self.resource, pointer)
    }

    fn child(&mut self, key: &str) -> Result<Option<Id>, SchemaError> {
        self.members.get(key).map(|value| self.schema(value, key, None)).transpose()
    }

    fn children(&mut self, key: &str) -> Result<Option<Vec<Id>>, SchemaError> {
        let Some(values) = self.array(key)? else { return Ok(None) };
        let each = values.iter().enumerate();
        each.map(|(n, value)| self.schema(value, key, Some(&n.to_string()))).collect::<Result<_, _>>().map(Some)
    }

    fn array(&self, key: &str) -> Result<Option<&'d Vec<Value>>, SchemaError> {
        match self.members.get(key) {
            None => Ok(None),
            Some(Value::Array(values)) => Ok(Some(values)),
            Some(_) => Err(self.invalid(key, "must be an array")),
        }
    }

    fn object(&self, key: &str) -> Result<Option<&'d Map<String, Value>>, SchemaError> {
        match self.members.get(key) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(_) => Err(self.invalid(key, "must be an object")),
        }
    }

    fn names(&self, key: &str, value: &Value) -> Result<Vec<String>, SchemaError> {
        let names = value.as_array().map(|names| names.iter().map(|name| name.as_str().map(str::to_owned)));
        names.and_then(Iterator::collect).ok_or_else(|| self.invalid(key, "must be an array of strings"))
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is a non-negative integer")]
    fn count(&self, key: &str) -> Result<Option<u64>, SchemaError> {
        let Some(value) = self.members.get(key) else { return Ok(None) };
        let float = value.as_f64().filter(|float| *float >= 0.0 && float.fract() == 0.0).map(|float| float as u64);
        match value.as_u64().or(float) {
            Some(count) => Ok(Some(count)),
            None => Err(self.invalid(key, "must be a non-negative integer")),
        }
    }

    fn pattern(&mut self, key: &str, pattern: &str) -> Result<Pattern, SchemaError> {
        let location = || format!("{}/{key}", self.pointer);
        let compiled = Pattern::new(pattern).ok_or_else(|| SchemaError::pattern(&location(), pattern))?;
        self.arena.count_pattern(compiled.size())?;
        Ok(compiled)
    }

    fn invalid(&self, key: &str, problem: &str) -> SchemaError {
        SchemaError::invalid(&format!("{}/{key}", self.pointer), problem)
    }
}
