//! The keywords of one subschema.

use std::collections::HashSet;

use serde_json::{Map, Number, Value};

use super::{
    arena::{Arena, Reference},
    error::{SchemaError, quote},
    pattern::Pattern,
    rule::{Id, Properties, Rule, Types},
    value::canonical,
};

/// How long a pointer in an error grows, in bytes and about.
const MAX_POINTER: usize = 256;

/// The dialects that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// draft-07
    V7,
    /// 2020-12
    V2020,
}

/// Reads one subschema.
pub(super) struct Reader<'a, 'd> {
    arena: &'a mut Arena<'d>,
    id: Id,
    members: &'d Map<String, Value>,
    resource: u32,
    pointer: &'a str,
    dialect: Dialect,
    rules: Vec<Rule>,
}

impl<'a, 'd> Reader<'a, 'd> {
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

    /// Its rules: cheap ones first, as the first that fails decides.
    pub(super) fn read(mut self, only_ref: bool) -> Result<Vec<Rule>, SchemaError> {
        if only_ref {
            self.references()?;
            return Ok(self.rules);
        }
        self.values()?;
        self.numbers()?;
        self.sizes()?;
        self.required()?;
        self.references()?;
        self.in_place()?;
        self.parts_of_objects()?;
        self.parts_of_arrays()?;
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
                return Err(self.invalid("type", "is neither a type nor a list of types"));
            }
            self.rules.push(Rule::Type(types));
        }
        if let Some(value) = self.members.get("const") {
            self.rules.push(Rule::Among(HashSet::from([canonical(value)])));
        }
        if let Some(values) = self.array("enum")? {
            self.rules.push(Rule::Among(values.iter().map(canonical).collect()));
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
                Some(_) => return Err(self.invalid(key, "is not a number it may be")),
            }
        }
        Ok(())
    }

    fn sizes(&mut self) -> Result<(), SchemaError> {
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
                return Err(self.invalid("pattern", "is not a text"));
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
                return Err(self.invalid(key, "is not a text"));
            };
            self.arena.refer(Reference {
                node: self.id,
                rule: self.rules.len(),
                text: text.to_owned(),
                resource: self.resource,
                is_dynamic,
                pointer: format!("{}/{key}", self.pointer),
            });
            self.rules.push(Rule::Never); // until it is settled
        }
        Ok(())
    }

    fn in_place(&mut self) -> Result<(), SchemaError> {
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

    fn parts_of_objects(&mut self) -> Result<(), SchemaError> {
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

    fn parts_of_arrays(&mut self) -> Result<(), SchemaError> {
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
            let (least, most) = match self.dialect {
                Dialect::V7 => (None, None),
                Dialect::V2020 => (self.count("minContains")?, self.count("maxContains")?),
            };
            self.rules.push(Rule::Contains(id, least.unwrap_or(1), most));
        }
        match self.members.get("uniqueItems") {
            None | Some(Value::Bool(false)) => {}
            Some(Value::Bool(true)) => self.rules.push(Rule::UniqueItems),
            Some(_) => return Err(self.invalid("uniqueItems", "is neither true nor false")),
        }
        Ok(())
    }

    /// Subschemas that only references lead to. They may have names that references know.
    fn definitions(&mut self) -> Result<(), SchemaError> {
        for key in ["$defs", "definitions"] {
            for (name, schema) in self.object(key)?.into_iter().flatten() {
                self.schema(schema, key, Some(name))?;
            }
        }
        Ok(())
    }

    fn schema(&mut self, value: &'d Value, key: &str, part: Option<&str>) -> Result<Id, SchemaError> {
        // Cut where it would grow with the names on its way; it is for people only.
        let mut pointer = self.pointer.to_owned();
        for step in [Some(key), part].into_iter().flatten().filter(|_| self.pointer.len() < MAX_POINTER) {
            pointer.push('/');
            pointer.push_str(&quote(step));
        }
        self.arena.schema(value, self.resource, pointer)
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
            Some(_) => Err(self.invalid(key, "is not a list")),
        }
    }

    fn object(&self, key: &str) -> Result<Option<&'d Map<String, Value>>, SchemaError> {
        match self.members.get(key) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(_) => Err(self.invalid(key, "is not an object")),
        }
    }

    fn names(&self, key: &str, value: &Value) -> Result<Vec<String>, SchemaError> {
        let names = value.as_array().map(|names| names.iter().map(|name| name.as_str().map(str::to_owned)));
        names.and_then(Iterator::collect).ok_or_else(|| self.invalid(key, "is not a list of names"))
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and not below 0")]
    fn count(&self, key: &str) -> Result<Option<u64>, SchemaError> {
        let Some(value) = self.members.get(key) else { return Ok(None) };
        let float = value.as_f64().filter(|float| *float >= 0.0 && float.fract() == 0.0).map(|float| float as u64);
        match value.as_u64().or(float) {
            Some(count) => Ok(Some(count)),
            None => Err(self.invalid(key, "is not a whole number from 0 on")),
        }
    }

    fn pattern(&mut self, key: &str, pattern: &str) -> Result<Pattern, SchemaError> {
        let place = || format!("{}/{key}", self.pointer);
        let compiled = Pattern::new(pattern).ok_or_else(|| SchemaError::pattern(&place(), pattern))?;
        self.arena.count_pattern(compiled.size())?;
        Ok(compiled)
    }

    fn invalid(&self, key: &str, what: &str) -> SchemaError {
        SchemaError::invalid(&format!("{}/{key}", self.pointer), what)
    }
}
