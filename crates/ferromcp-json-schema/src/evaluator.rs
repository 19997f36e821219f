//! Evaluates a value against a compiled schema, counting steps.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
    ptr,
};

use serde_json::{Map, Value};

use super::{
    evaluated::Evaluated,
    limits::MAX_NESTING,
    rule::{CompiledSchema, Id, LimitExceeded, Properties, Rule},
    value::{canonical, compare, is_multiple},
};

/// Maximum number of memoized results of one evaluation.
const MAX_MEMO: usize = 1 << 16;

type EvalResult = Result<bool, LimitExceeded>;

/// One evaluation of one value.
pub(super) struct Evaluator<'r> {
    schema: &'r CompiledSchema,
    /// The remaining steps.
    steps: u64,
    nesting: usize,
    /// The dynamic scope: the schema resources on the evaluation path, for `$dynamicRef`.
    scope: Vec<u32>,
    /// Results of references by value, so that repeated evaluation of a pair is free.
    memo: HashMap<(Id, *const Value), bool>,
    /// Number of temporary values in evaluation; their addresses must not be memoized.
    temporaries: usize,
}

impl<'r> Evaluator<'r> {
    pub(super) fn new(schema: &'r CompiledSchema, steps: u64) -> Self {
        Self { schema, steps, nesting: 0, scope: Vec::new(), memo: HashMap::new(), temporaries: 0 }
    }

    pub(super) fn schema(&self) -> &'r CompiledSchema {
        self.schema
    }

    /// Evaluates whether `value` matches a subschema, and records evaluated items and properties. The record is valid
    /// only if the value matches.
    pub(super) fn evaluate(&mut self, id: Id, value: &Value, evaluated: Option<&mut Evaluated>) -> EvalResult {
        let entered = self.enter(id)?;
        let node = self.schema.node(id);
        // `unevaluated…` depends on adjacent keywords and their subschemas, not on parent schemas.
        let mut own = (node.tracks_evaluated || evaluated.is_some()).then(Evaluated::default);
        let mut answer = true;
        for rule in &node.rules {
            answer = self.evaluate_rule(rule, value, own.as_mut())?;
            if !answer {
                break;
            }
        }
        if let (true, Some(evaluated), Some(own)) = (answer, evaluated, own) {
            self.spend(own.merge_cost())?;
            evaluated.merge(&own);
        }
        self.leave(entered);
        Ok(answer)
    }

    /// Enters a subschema. Returns whether it belongs to another schema resource than the current one.
    pub(super) fn enter(&mut self, id: Id) -> EvalResult {
        self.spend(1)?;
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(LimitExceeded::Nesting);
        }
        let resource = self.schema.node(id).resource;
        let is_other = self.scope.last() != Some(&resource);
        if is_other {
            self.scope.push(resource);
        }
        Ok(is_other)
    }

    pub(super) fn leave(&mut self, entered: bool) {
        self.nesting -= 1;
        if entered {
            self.scope.pop();
        }
    }

    /// Evaluates whether `value` satisfies one rule.
    pub(super) fn evaluate_rule(
        &mut self,
        rule: &Rule,
        value: &Value,
        evaluated: Option<&mut Evaluated>,
    ) -> EvalResult {
        match rule {
            Rule::False => Ok(false),
            Rule::Type(types) => Ok(types.contains(value)),
            Rule::Enum(values) => {
                let text = canonical(value);
                self.spend(text.len() / 16)?;
                Ok(values.contains(&text))
            }
            Rule::Ref(_) | Rule::DynamicRef(..) => self.reference(self.target(rule), value, evaluated),
            Rule::AllOf(ids) => self.all_of(ids, value, evaluated),
            Rule::If(condition, then, otherwise) => self.condition((*condition, *then, *otherwise), value, evaluated),
            Rule::DependentSchemas(dependent) => self.dependent_schemas(dependent, value, evaluated),
            Rule::AnyOf(ids) => self.any_of(ids, value, evaluated),
            Rule::OneOf(ids) => self.one_of(ids, value, evaluated),
            Rule::Not(id) => self.evaluate(*id, value, None).map(|answer| !answer),
            _ => match value {
                Value::String(text) => self.string(rule, text),
                Value::Array(items) => self.array(rule, items, evaluated),
                Value::Object(members) => self.object(rule, members, evaluated),
                Value::Number(_) => Ok(number(rule, value)),
                _ => Ok(true),
            },
        }
    }

    /// Returns the subschema that a reference resolves to in the current dynamic scope.
    pub(super) fn target(&self, rule: &Rule) -> Id {
        match rule {
            Rule::DynamicRef(anchor, id) => {
                let outermost = self.scope.iter().find_map(|resource| self.schema.dynamic(*resource, anchor));
                outermost.unwrap_or(*id)
            }
            Rule::Ref(id) => *id,
            _ => self.schema.root(),
        }
    }

    fn spend(&mut self, steps: usize) -> Result<(), LimitExceeded> {
        self.spend_many(steps as u64)
    }

    fn spend_many(&mut self, steps: u64) -> Result<(), LimitExceeded> {
        self.steps = self.steps.checked_sub(steps).ok_or(LimitExceeded::Steps)?;
        Ok(())
    }

    fn reference(&mut self, id: Id, value: &Value, evaluated: Option<&mut Evaluated>) -> EvalResult {
        if evaluated.is_some() || self.schema.is_dynamic() || self.temporaries > 0 {
            return self.evaluate(id, value, evaluated);
        }
        let question = (id, ptr::from_ref(value));
        if let Some(answer) = self.memo.get(&question) {
            return Ok(*answer);
        }
        let answer = self.evaluate(id, value, None)?;
        if self.memo.len() < MAX_MEMO {
            self.memo.insert(question, answer);
        }
        Ok(answer)
    }

    fn all_of(&mut self, ids: &[Id], value: &Value, mut evaluated: Option<&mut Evaluated>) -> EvalResult {
        for id in ids {
            if !self.evaluate(*id, value, evaluated.as_deref_mut())? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn any_of(&mut self, ids: &[Id], value: &Value, mut evaluated: Option<&mut Evaluated>) -> EvalResult {
        let mut answer = false;
        for id in ids {
            answer |= self.evaluate(*id, value, evaluated.as_deref_mut())?;
            if answer && evaluated.is_none() {
                break;
            }
        }
        Ok(answer)
    }

    fn one_of(&mut self, ids: &[Id], value: &Value, mut evaluated: Option<&mut Evaluated>) -> EvalResult {
        let mut count = 0;
        for id in ids {
            count += usize::from(self.evaluate(*id, value, evaluated.as_deref_mut())?);
            if count > 1 {
                break;
            }
        }
        Ok(count == 1)
    }

    fn condition(
        &mut self,
        (condition, then, otherwise): (Id, Option<Id>, Option<Id>),
        value: &Value,
        mut evaluated: Option<&mut Evaluated>,
    ) -> EvalResult {
        let branch = if self.evaluate(condition, value, evaluated.as_deref_mut())? { then } else { otherwise };
        branch.map_or(Ok(true), |id| self.evaluate(id, value, evaluated))
    }

    fn dependent_schemas(
        &mut self,
        all: &[(String, Id)],
        value: &Value,
        mut evaluated: Option<&mut Evaluated>,
    ) -> EvalResult {
        for (name, id) in all {
            if value.get(name).is_some() && !self.evaluate(*id, value, evaluated.as_deref_mut())? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn string(&mut self, rule: &Rule, text: &str) -> EvalResult {
        let (min, max) = match rule {
            Rule::MinLength(min) => (*min, u64::MAX),
            Rule::MaxLength(max) => (0, *max),
            Rule::Pattern(pattern) => {
                self.spend_many(pattern.steps(text))?;
                return Ok(pattern.is_match(text));
            }
            _ => return Ok(true),
        };
        self.spend(text.len() / 64)?;
        Ok((min..=max).contains(&(text.chars().count() as u64)))
    }

    fn array(&mut self, rule: &Rule, items: &[Value], evaluated: Option<&mut Evaluated>) -> EvalResult {
        let count = items.len() as u64;
        match rule {
            Rule::MinItems(min) => Ok(count >= *min),
            Rule::MaxItems(max) => Ok(count <= *max),
            Rule::UniqueItems => {
                let mut seen = HashSet::new();
                for item in items {
                    let text = canonical(item);
                    self.spend(1 + text.len() / 16)?;
                    if !seen.insert(text) {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Rule::Items(prefix, rest) => self.items(prefix, *rest, items, evaluated),
            Rule::Contains(id, min, max) => self.contains(*id, *min, *max, items, evaluated),
            Rule::UnevaluatedItems(id) => self.unevaluated_items(*id, items, evaluated),
            _ => Ok(true),
        }
    }

    fn items(
        &mut self,
        prefix: &[Id],
        rest: Option<Id>,
        items: &[Value],
        evaluated: Option<&mut Evaluated>,
    ) -> EvalResult {
        for (item, id) in items.iter().zip(prefix.iter().copied().chain(rest.into_iter().cycle())) {
            if !self.evaluate(id, item, None)? {
                return Ok(false);
            }
        }
        if let Some(evaluated) = evaluated {
            if rest.is_some() {
                evaluated.insert_all();
            }
            (0..prefix.len().min(items.len())).for_each(|at| evaluated.insert(at));
        }
        Ok(true)
    }

    fn contains(
        &mut self,
        id: Id,
        min: u64,
        max: Option<u64>,
        items: &[Value],
        mut evaluated: Option<&mut Evaluated>,
    ) -> EvalResult {
        let mut count = 0;
        for (at, item) in items.iter().enumerate() {
            if evaluated.is_none() && max.is_none() && count >= min {
                break;
            }
            if self.evaluate(id, item, None)? {
                count += 1;
                if let Some(evaluated) = evaluated.as_deref_mut() {
                    evaluated.insert(at);
                }
            }
        }
        Ok(count >= min && max.is_none_or(|max| count <= max))
    }

    fn unevaluated_items(&mut self, id: Id, items: &[Value], evaluated: Option<&mut Evaluated>) -> EvalResult {
        let Some(evaluated) = evaluated else { return Ok(true) }; // always present, see `Node::tracks_evaluated`
        for (at, item) in items.iter().enumerate() {
            self.spend(1)?;
            if !evaluated.contains(at) && !self.evaluate(id, item, None)? {
                return Ok(false);
            }
        }
        evaluated.insert_all();
        Ok(true)
    }

    fn object(&mut self, rule: &Rule, members: &Map<String, Value>, evaluated: Option<&mut Evaluated>) -> EvalResult {
        let count = members.len() as u64;
        match rule {
            Rule::MinProperties(min) => Ok(count >= *min),
            Rule::MaxProperties(max) => Ok(count <= *max),
            Rule::Required(names) => {
                self.spend(names.len() / 8)?;
                Ok(names.iter().all(|name| members.contains_key(name)))
            }
            Rule::DependentRequired(all) => {
                self.spend(all.iter().map(|(_, names)| 1 + names.len()).sum::<usize>() / 8)?;
                let has = |name: &String| members.contains_key(name);
                Ok(all.iter().all(|(name, names)| !has(name) || names.iter().all(has)))
            }
            Rule::Properties(properties) => self.properties(properties, members, evaluated),
            Rule::PropertyNames(id) => {
                for name in members.keys() {
                    if !self.evaluate_name(*id, name)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Rule::UnevaluatedProperties(id) => self.unevaluated_properties(*id, members, evaluated),
            _ => Ok(true),
        }
    }

    /// Evaluates whether a property name matches a subschema.
    pub(super) fn evaluate_name(&mut self, id: Id, name: &str) -> EvalResult {
        self.temporaries += 1;
        let answer = self.evaluate(id, &Value::String(name.to_owned()), None);
        self.temporaries -= 1;
        answer
    }

    /// Returns the subschemas that apply to the property with this name.
    pub(super) fn property_schemas(&mut self, properties: &Properties, name: &str) -> Result<Vec<Id>, LimitExceeded> {
        self.spend(1)?;
        let mut ids: Vec<Id> = properties.named.get(name).copied().into_iter().collect();
        for (pattern, id) in &properties.patterns {
            self.spend_many(1 + pattern.steps(name))?;
            if pattern.is_match(name) {
                ids.push(*id);
            }
        }
        if ids.is_empty() {
            ids.extend(properties.additional);
        }
        Ok(ids)
    }

    fn properties(
        &mut self,
        properties: &Properties,
        members: &Map<String, Value>,
        mut evaluated: Option<&mut Evaluated>,
    ) -> EvalResult {
        for (at, (name, member)) in members.iter().enumerate() {
            let ids = self.property_schemas(properties, name)?;
            for id in &ids {
                if !self.evaluate(*id, member, None)? {
                    return Ok(false);
                }
            }
            if let Some(evaluated) = evaluated.as_deref_mut().filter(|_| !ids.is_empty()) {
                evaluated.insert(at);
            }
        }
        Ok(true)
    }

    fn unevaluated_properties(
        &mut self,
        id: Id,
        members: &Map<String, Value>,
        evaluated: Option<&mut Evaluated>,
    ) -> EvalResult {
        let Some(evaluated) = evaluated else { return Ok(true) }; // always present, see `Node::tracks_evaluated`
        for (at, member) in members.values().enumerate() {
            self.spend(1)?;
            if !evaluated.contains(at) && !self.evaluate(id, member, None)? {
                return Ok(false);
            }
        }
        evaluated.insert_all();
        Ok(true)
    }
}

fn number(rule: &Rule, value: &Value) -> bool {
    let Value::Number(number) = value else { return true };
    match rule {
        Rule::Minimum(limit) => compare(number, limit) != Ordering::Less,
        Rule::ExclusiveMinimum(limit) => compare(number, limit) == Ordering::Greater,
        Rule::Maximum(limit) => compare(number, limit) != Ordering::Greater,
        Rule::ExclusiveMaximum(limit) => compare(number, limit) == Ordering::Less,
        Rule::MultipleOf(unit) => is_multiple(number, unit),
        _ => true,
    }
}
