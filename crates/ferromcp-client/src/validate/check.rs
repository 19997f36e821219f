//! Whether a value follows the rules, in counted steps.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
    ptr,
};

use serde_json::{Map, Value};

use super::{
    limits::SchemaLimits,
    marks::Marks,
    rule::{Id, Properties, Rule, Rules, Stop},
    value::{canonical, compare, is_multiple},
};

/// So many answers are remembered in one check.
const MAX_MEMO: usize = 1 << 16;

type Answer = Result<bool, Stop>;

/// One check.
pub(super) struct Run<'r> {
    rules: &'r Rules,
    limits: SchemaLimits,
    steps: u64,
    nesting: usize,
    /// The resources on the way to here, for `$dynamicRef`.
    scope: Vec<u32>,
    /// What a reference said of a value, so that many ways to the same question cost one answer.
    memo: HashMap<(Id, *const Value), bool>,
    /// Values are about that live shorter than the check; their place says nothing.
    passing: usize,
}

impl<'r> Run<'r> {
    pub(super) fn new(rules: &'r Rules, limits: SchemaLimits) -> Self {
        Self { rules, limits, steps: limits.steps, nesting: 0, scope: Vec::new(), memo: HashMap::new(), passing: 0 }
    }

    pub(super) fn rules(&self) -> &'r Rules {
        self.rules
    }

    /// Whether `value` follows a subschema. What is looked at of it is marked; if it does not follow, the
    /// marks mean nothing.
    pub(super) fn valid(&mut self, id: Id, value: &Value, marks: Option<&mut Marks>) -> Answer {
        let entered = self.enter(id)?;
        let node = self.rules.node(id);
        // `unevaluated…` sees what stands beside it and below, and not what its parents looked at.
        let mut own = (node.tracks || marks.is_some()).then(Marks::default);
        let mut answer = true;
        for rule in &node.rules {
            answer = self.follows(rule, value, own.as_mut())?;
            if !answer {
                break;
            }
        }
        if let (true, Some(marks), Some(own)) = (answer, marks, own) {
            self.spend(own.weight())?;
            marks.merge(&own);
        }
        self.leave(entered);
        Ok(answer)
    }

    /// Goes into a subschema; says whether it is of another resource than where it was come from.
    pub(super) fn enter(&mut self, id: Id) -> Answer {
        self.spend(1)?;
        self.nesting += 1;
        if self.nesting > self.limits.nesting {
            return Err(Stop::Nesting);
        }
        let resource = self.rules.node(id).resource;
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

    /// Whether `value` follows one rule.
    pub(super) fn follows(&mut self, rule: &Rule, value: &Value, marks: Option<&mut Marks>) -> Answer {
        match rule {
            Rule::Never => Ok(false),
            Rule::Type(types) => Ok(types.has(value)),
            Rule::Among(values) => {
                let text = canonical(value);
                self.spend(text.len() / 16)?;
                Ok(values.contains(&text))
            }
            Rule::Ref(_) | Rule::DynamicRef(..) => self.reference(self.target(rule), value, marks),
            Rule::AllOf(ids) => self.all_of(ids, value, marks),
            Rule::If(condition, then, otherwise) => self.condition((*condition, *then, *otherwise), value, marks),
            Rule::DependentSchemas(dependent) => self.dependent_schemas(dependent, value, marks),
            Rule::AnyOf(ids) => self.any_of(ids, value, marks),
            Rule::OneOf(ids) => self.one_of(ids, value, marks),
            Rule::Not(id) => self.valid(*id, value, None).map(|answer| !answer),
            _ => match value {
                Value::String(text) => self.string(rule, text),
                Value::Array(items) => self.array(rule, items, marks),
                Value::Object(members) => self.object(rule, members, marks),
                Value::Number(_) => Ok(number(rule, value)),
                _ => Ok(true),
            },
        }
    }

    /// The subschema that a rule refers to from here.
    pub(super) fn target(&self, rule: &Rule) -> Id {
        match rule {
            Rule::DynamicRef(anchor, id) => {
                let outermost = self.scope.iter().find_map(|resource| self.rules.dynamic(*resource, anchor));
                outermost.unwrap_or(*id)
            }
            Rule::Ref(id) => *id,
            _ => self.rules.root(),
        }
    }

    fn spend(&mut self, steps: usize) -> Result<(), Stop> {
        self.spend_many(steps as u64)
    }

    fn spend_many(&mut self, steps: u64) -> Result<(), Stop> {
        self.steps = self.steps.checked_sub(steps).ok_or(Stop::Steps)?;
        Ok(())
    }

    fn reference(&mut self, id: Id, value: &Value, marks: Option<&mut Marks>) -> Answer {
        if marks.is_some() || self.rules.is_dynamic() || self.passing > 0 {
            return self.valid(id, value, marks);
        }
        let question = (id, ptr::from_ref(value));
        if let Some(answer) = self.memo.get(&question) {
            return Ok(*answer);
        }
        let answer = self.valid(id, value, None)?;
        if self.memo.len() < MAX_MEMO {
            self.memo.insert(question, answer);
        }
        Ok(answer)
    }

    fn all_of(&mut self, ids: &[Id], value: &Value, mut marks: Option<&mut Marks>) -> Answer {
        for id in ids {
            if !self.valid(*id, value, marks.as_deref_mut())? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn any_of(&mut self, ids: &[Id], value: &Value, mut marks: Option<&mut Marks>) -> Answer {
        let mut answer = false;
        for id in ids {
            answer |= self.valid(*id, value, marks.as_deref_mut())?;
            if answer && marks.is_none() {
                break;
            }
        }
        Ok(answer)
    }

    fn one_of(&mut self, ids: &[Id], value: &Value, mut marks: Option<&mut Marks>) -> Answer {
        let mut count = 0;
        for id in ids {
            count += usize::from(self.valid(*id, value, marks.as_deref_mut())?);
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
        mut marks: Option<&mut Marks>,
    ) -> Answer {
        let branch = if self.valid(condition, value, marks.as_deref_mut())? { then } else { otherwise };
        branch.map_or(Ok(true), |id| self.valid(id, value, marks))
    }

    fn dependent_schemas(&mut self, all: &[(String, Id)], value: &Value, mut marks: Option<&mut Marks>) -> Answer {
        for (name, id) in all {
            if value.get(name).is_some() && !self.valid(*id, value, marks.as_deref_mut())? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn string(&mut self, rule: &Rule, text: &str) -> Answer {
        let (least, most) = match rule {
            Rule::MinLength(least) => (*least, u64::MAX),
            Rule::MaxLength(most) => (0, *most),
            Rule::Pattern(pattern) => {
                self.spend_many(pattern.steps(text))?;
                return Ok(pattern.is_match(text));
            }
            _ => return Ok(true),
        };
        self.spend(text.len() / 64)?;
        Ok((least..=most).contains(&(text.chars().count() as u64)))
    }

    fn array(&mut self, rule: &Rule, items: &[Value], marks: Option<&mut Marks>) -> Answer {
        let count = items.len() as u64;
        match rule {
            Rule::MinItems(least) => Ok(count >= *least),
            Rule::MaxItems(most) => Ok(count <= *most),
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
            Rule::Items(prefix, rest) => self.items(prefix, *rest, items, marks),
            Rule::Contains(id, least, most) => self.contains(*id, *least, *most, items, marks),
            Rule::UnevaluatedItems(id) => self.unevaluated_items(*id, items, marks),
            _ => Ok(true),
        }
    }

    fn items(&mut self, prefix: &[Id], rest: Option<Id>, items: &[Value], marks: Option<&mut Marks>) -> Answer {
        for (item, id) in items.iter().zip(prefix.iter().copied().chain(rest.into_iter().cycle())) {
            if !self.valid(id, item, None)? {
                return Ok(false);
            }
        }
        if let Some(marks) = marks {
            if rest.is_some() {
                marks.mark_all();
            }
            (0..prefix.len().min(items.len())).for_each(|at| marks.mark(at));
        }
        Ok(true)
    }

    fn contains(
        &mut self,
        id: Id,
        least: u64,
        most: Option<u64>,
        items: &[Value],
        mut marks: Option<&mut Marks>,
    ) -> Answer {
        let mut count = 0;
        for (at, item) in items.iter().enumerate() {
            if marks.is_none() && most.is_none() && count >= least {
                break;
            }
            if self.valid(id, item, None)? {
                count += 1;
                if let Some(marks) = marks.as_deref_mut() {
                    marks.mark(at);
                }
            }
        }
        Ok(count >= least && most.is_none_or(|most| count <= most))
    }

    fn unevaluated_items(&mut self, id: Id, items: &[Value], marks: Option<&mut Marks>) -> Answer {
        let Some(marks) = marks else { return Ok(true) }; // there always are, see `Node::tracks`
        for (at, item) in items.iter().enumerate() {
            self.spend(1)?;
            if !marks.has(at) && !self.valid(id, item, None)? {
                return Ok(false);
            }
        }
        marks.mark_all();
        Ok(true)
    }

    fn object(&mut self, rule: &Rule, members: &Map<String, Value>, marks: Option<&mut Marks>) -> Answer {
        let count = members.len() as u64;
        match rule {
            Rule::MinProperties(least) => Ok(count >= *least),
            Rule::MaxProperties(most) => Ok(count <= *most),
            Rule::Required(names) => {
                self.spend(names.len() / 8)?;
                Ok(names.iter().all(|name| members.contains_key(name)))
            }
            Rule::DependentRequired(all) => {
                self.spend(all.iter().map(|(_, names)| 1 + names.len()).sum::<usize>() / 8)?;
                let has = |name: &String| members.contains_key(name);
                Ok(all.iter().all(|(name, names)| !has(name) || names.iter().all(has)))
            }
            Rule::Properties(properties) => self.properties(properties, members, marks),
            Rule::PropertyNames(id) => {
                for name in members.keys() {
                    if !self.name(*id, name)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Rule::UnevaluatedProperties(id) => self.unevaluated_properties(*id, members, marks),
            _ => Ok(true),
        }
    }

    /// Whether a name follows a subschema.
    pub(super) fn name(&mut self, id: Id, name: &str) -> Answer {
        self.passing += 1;
        let answer = self.valid(id, &Value::String(name.to_owned()), None);
        self.passing -= 1;
        answer
    }

    /// The subschemas that a member of that name has to follow.
    pub(super) fn of_member(&mut self, properties: &Properties, name: &str) -> Result<Vec<Id>, Stop> {
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
        mut marks: Option<&mut Marks>,
    ) -> Answer {
        for (at, (name, member)) in members.iter().enumerate() {
            let ids = self.of_member(properties, name)?;
            for id in &ids {
                if !self.valid(*id, member, None)? {
                    return Ok(false);
                }
            }
            if let Some(marks) = marks.as_deref_mut().filter(|_| !ids.is_empty()) {
                marks.mark(at);
            }
        }
        Ok(true)
    }

    fn unevaluated_properties(&mut self, id: Id, members: &Map<String, Value>, marks: Option<&mut Marks>) -> Answer {
        let Some(marks) = marks else { return Ok(true) }; // there always are, see `Node::tracks`
        for (at, member) in members.values().enumerate() {
            self.spend(1)?;
            if !marks.has(at) && !self.valid(id, member, None)? {
                return Ok(false);
            }
        }
        marks.mark_all();
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
