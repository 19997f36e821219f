//! Why a value does not follow its schema, in a few sentences.

use serde_json::Value;

use super::{
    check::Run,
    error::{Mismatch, place, quote},
    limits::SchemaLimits,
    marks::Marks,
    rule::{Id, Rule, Rules, Stop, Types},
};

/// Looks for reasons within the same limits as the check had.
pub(super) fn explain(rules: &Rules, limits: SchemaLimits, value: &Value) -> Mismatch {
    let mut explainer = Explainer { run: Run::new(rules, limits), path: Vec::new(), reasons: Vec::new(), limits };
    // Where the limits end it, what was found so far has to do.
    let _ = explainer.schema(rules.root(), value);
    Mismatch::different(explainer.reasons)
}

struct Explainer<'r> {
    run: Run<'r>,
    path: Vec<String>,
    reasons: Vec<String>,
    limits: SchemaLimits,
}

impl Explainer<'_> {
    fn schema(&mut self, id: Id, value: &Value) -> Result<(), Stop> {
        let entered = self.run.enter(id)?;
        let node = self.run.rules().node(id);
        let mut marks = node.tracks.then(Marks::default);
        for rule in &node.rules {
            if self.reasons.len() >= self.limits.reasons {
                break;
            }
            // `unevaluated…` after another failure only repeats it.
            let is_last = matches!(rule, Rule::UnevaluatedItems(_) | Rule::UnevaluatedProperties(_));
            if is_last && !self.reasons.is_empty() {
                break;
            }
            if !self.run.follows(rule, value, marks.as_mut())? {
                self.rule(rule, value, marks.as_ref())?;
            }
        }
        self.run.leave(entered);
        Ok(())
    }

    fn rule(&mut self, rule: &Rule, value: &Value, marks: Option<&Marks>) -> Result<(), Stop> {
        match rule {
            Rule::Ref(_) | Rule::DynamicRef(..) => self.schema(self.run.target(rule), value),
            Rule::AllOf(ids) => ids.iter().try_for_each(|id| self.unless_valid(*id, value)),
            Rule::If(condition, then, otherwise) => {
                let branch = if self.run.valid(*condition, value, None)? { then } else { otherwise };
                branch.map_or(Ok(()), |id| self.schema(id, value))
            }
            Rule::DependentSchemas(all) => {
                let mut met = all.iter().filter(|(name, _)| value.get(name).is_some());
                met.try_for_each(|(_, id)| self.unless_valid(*id, value))
            }
            Rule::AnyOf(ids) | Rule::OneOf(ids) => self.alternatives(ids, value),
            Rule::Properties(properties) => {
                for (name, member) in value.as_object().into_iter().flatten() {
                    for id in self.run.of_member(properties, name)? {
                        self.part(name, id, member)?;
                    }
                }
                Ok(())
            }
            Rule::PropertyNames(id) => {
                for name in value.as_object().into_iter().flat_map(|members| members.keys()) {
                    if !self.run.name(*id, name)? {
                        self.tell(&format!("`{}` is no name that is allowed", quote(name)));
                    }
                }
                Ok(())
            }
            Rule::Items(prefix, rest) => {
                let items = value.as_array().into_iter().flatten();
                let ids = prefix.iter().copied().chain(rest.iter().copied().cycle());
                items.zip(ids).enumerate().try_for_each(|(at, (item, id))| self.part(&at.to_string(), id, item))
            }
            Rule::UnevaluatedProperties(id) => {
                let members = value.as_object().into_iter().flatten().enumerate();
                let mut rest = members.filter(|(at, _)| !marks.is_some_and(|marks| marks.has(*at)));
                rest.try_for_each(|(_, (name, member))| self.part(name, *id, member))
            }
            Rule::UnevaluatedItems(id) => {
                let items = value.as_array().into_iter().flatten().enumerate();
                let mut rest = items.filter(|(at, _)| !marks.is_some_and(|marks| marks.has(*at)));
                rest.try_for_each(|(at, item)| self.part(&at.to_string(), *id, item))
            }
            rule => {
                self.tell(&sentence(rule, value));
                Ok(())
            }
        }
    }

    /// If only one alternative is for values of this type, it is most likely the one that was meant.
    fn alternatives(&mut self, ids: &[Id], value: &Value) -> Result<(), Stop> {
        let mut count = 0_usize;
        for id in ids {
            count += usize::from(self.run.valid(*id, value, None)?);
        }
        if count > 1 {
            self.tell(&format!("it follows {count} of {} alternatives, and may follow one only", ids.len()));
            return Ok(());
        }
        let rules = self.run.rules();
        let mut meant = ids.iter().filter(|id| match rules.node(**id).rules.first() {
            Some(Rule::Type(types)) => types.has(value),
            Some(Rule::Never) => false,
            _ => true,
        });
        if let (Some(id), None) = (meant.next(), meant.next()) {
            return self.schema(*id, value);
        }
        self.tell(&format!("it follows none of {} alternatives", ids.len()));
        Ok(())
    }

    fn unless_valid(&mut self, id: Id, value: &Value) -> Result<(), Stop> {
        if self.reasons.len() >= self.limits.reasons || self.run.valid(id, value, None)? {
            return Ok(());
        }
        self.schema(id, value)
    }

    fn part(&mut self, step: &str, id: Id, value: &Value) -> Result<(), Stop> {
        self.path.push(step.replace('~', "~0").replace('/', "~1"));
        let done = self.unless_valid(id, value);
        self.path.pop();
        done
    }

    fn tell(&mut self, sentence: &str) {
        let pointer: String = self.path.iter().flat_map(|step| ["/", step]).collect();
        if self.reasons.len() < self.limits.reasons {
            self.reasons.push(format!("at {}: {sentence}", place(&pointer)));
        }
    }
}

/// What is wrong with a value that breaks a rule of its own.
fn sentence(rule: &Rule, value: &Value) -> String {
    let missing =
        |names: &[String]| names.iter().find(|name| value.get(name.as_str()).is_none()).map(|name| quote(name));
    match rule {
        Rule::Never => "nothing is allowed here".to_owned(),
        Rule::Type(types) => format!("{}, where {} is expected", kind(value), kinds(*types)),
        Rule::Among(values) if values.len() == 1 => "it is not the one value that is allowed".to_owned(),
        Rule::Among(_) => "it is none of the values that are allowed".to_owned(),
        Rule::Minimum(limit) => format!("it is less than {limit}"),
        Rule::ExclusiveMinimum(limit) => format!("it is not more than {limit}"),
        Rule::Maximum(limit) => format!("it is more than {limit}"),
        Rule::ExclusiveMaximum(limit) => format!("it is not less than {limit}"),
        Rule::MultipleOf(unit) => format!("it is no multiple of {unit}"),
        Rule::MinLength(limit) => format!("it has fewer than {limit} characters"),
        Rule::MaxLength(limit) => format!("it has more than {limit} characters"),
        Rule::Pattern(pattern) => format!("it does not match the pattern `{}`", quote(pattern.source())),
        Rule::MinItems(limit) => format!("it has fewer than {limit} items"),
        Rule::MaxItems(limit) => format!("it has more than {limit} items"),
        Rule::MinProperties(limit) => format!("it has fewer than {limit} members"),
        Rule::MaxProperties(limit) => format!("it has more than {limit} members"),
        Rule::Required(names) => format!("`{}` is missing", missing(names).unwrap_or_default()),
        Rule::DependentRequired(all) => {
            let mut met = all.iter().filter(|(name, _)| value.get(name).is_some());
            let broken = met.find_map(|(name, names)| missing(names).map(|missing| (name, missing)));
            broken.map_or_else(String::new, |(name, missing)| {
                format!("`{missing}` is missing, which `{}` needs", quote(name))
            })
        }
        Rule::Contains(_, least, None) => format!("fewer than {least} of its items are of the kind asked for"),
        Rule::Contains(_, least, Some(most)) => {
            format!("not {least} to {most} of its items are of the kind asked for")
        }
        Rule::UniqueItems => "two of its items are equal".to_owned(),
        _ => "it is what it must not be".to_owned(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn kinds(types: Types) -> String {
    let names = types.names().map(|name| match name {
        "null" => "null".to_owned(),
        "array" | "integer" | "object" => format!("an {name}"),
        name => format!("a {name}"),
    });
    names.collect::<Vec<_>>().join(" or ")
}
