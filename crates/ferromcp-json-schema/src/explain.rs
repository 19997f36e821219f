//! Collects the reasons why a value does not match its schema.

use serde_json::Value;

use super::{
    error::{ValidationError, location, quote},
    evaluated::Evaluated,
    evaluator::Evaluator,
    limits::MAX_REASONS,
    rule::{CompiledSchema, Id, LimitExceeded, Rule, Types},
};

/// Collects reasons, within the same number of steps as the validation.
pub(super) fn explain(schema: &CompiledSchema, steps: u64, value: &Value) -> ValidationError {
    let mut explainer = Explainer { evaluator: Evaluator::new(schema, steps), path: Vec::new(), reasons: Vec::new() };
    // When a limit is reached, return the reasons found so far.
    let _ = explainer.explain_schema(schema.root(), value);
    ValidationError::mismatch(explainer.reasons)
}

struct Explainer<'r> {
    evaluator: Evaluator<'r>,
    path: Vec<String>,
    reasons: Vec<String>,
}

impl Explainer<'_> {
    fn explain_schema(&mut self, id: Id, value: &Value) -> Result<(), LimitExceeded> {
        let entered = self.evaluator.enter(id)?;
        let node = self.evaluator.schema().node(id);
        let mut evaluated = node.tracks_evaluated.then(Evaluated::default);
        for rule in &node.rules {
            if self.reasons.len() >= MAX_REASONS {
                break;
            }
            // A failure of `unevaluated…` after another failure is a consequence of it.
            let is_last = matches!(rule, Rule::UnevaluatedItems(_) | Rule::UnevaluatedProperties(_));
            if is_last && !self.reasons.is_empty() {
                break;
            }
            if !self.evaluator.evaluate_rule(rule, value, evaluated.as_mut())? {
                self.explain_rule(rule, value, evaluated.as_ref())?;
            }
        }
        self.evaluator.leave(entered);
        Ok(())
    }

    fn explain_rule(&mut self, rule: &Rule, value: &Value, evaluated: Option<&Evaluated>) -> Result<(), LimitExceeded> {
        match rule {
            Rule::Ref(_) | Rule::DynamicRef(..) => self.explain_schema(self.evaluator.target(rule), value),
            Rule::AllOf(ids) => ids.iter().try_for_each(|id| self.explain_unless_valid(*id, value)),
            Rule::If(condition, then, otherwise) => {
                let branch = if self.evaluator.evaluate(*condition, value, None)? { then } else { otherwise };
                branch.map_or(Ok(()), |id| self.explain_schema(id, value))
            }
            Rule::DependentSchemas(all) => {
                let mut present = all.iter().filter(|(name, _)| value.get(name).is_some());
                present.try_for_each(|(_, id)| self.explain_unless_valid(*id, value))
            }
            Rule::AnyOf(ids) | Rule::OneOf(ids) => self.explain_alternatives(ids, value),
            Rule::Properties(properties) => {
                for (name, member) in value.as_object().into_iter().flatten() {
                    for id in self.evaluator.property_schemas(properties, name)? {
                        self.explain_part(name, id, member)?;
                    }
                }
                Ok(())
            }
            Rule::PropertyNames(id) => {
                for name in value.as_object().into_iter().flat_map(|members| members.keys()) {
                    if !self.evaluator.evaluate_name(*id, name)? {
                        self.add_reason(&format!("property name `{}` is not allowed", quote(name)));
                    }
                }
                Ok(())
            }
            Rule::Items(prefix, rest) => {
                let items = value.as_array().into_iter().flatten();
                let ids = prefix.iter().copied().chain(rest.iter().copied().cycle());
                items.zip(ids).enumerate().try_for_each(|(at, (item, id))| self.explain_part(&at.to_string(), id, item))
            }
            Rule::UnevaluatedProperties(id) => {
                let members = value.as_object().into_iter().flatten().enumerate();
                let mut rest = members.filter(|(at, _)| !evaluated.is_some_and(|evaluated| evaluated.contains(*at)));
                rest.try_for_each(|(_, (name, member))| self.explain_part(name, *id, member))
            }
            Rule::UnevaluatedItems(id) => {
                let items = value.as_array().into_iter().flatten().enumerate();
                let mut rest = items.filter(|(at, _)| !evaluated.is_some_and(|evaluated| evaluated.contains(*at)));
                rest.try_for_each(|(at, item)| self.explain_part(&at.to_string(), *id, item))
            }
            rule => {
                self.add_reason(&describe(rule, value));
                Ok(())
            }
        }
    }

    /// Explains the only alternative whose type matches, because it is most likely the intended one.
    fn explain_alternatives(&mut self, ids: &[Id], value: &Value) -> Result<(), LimitExceeded> {
        let mut count = 0_usize;
        for id in ids {
            count += usize::from(self.evaluator.evaluate(*id, value, None)?);
        }
        if count > 1 {
            self.add_reason(&format!("matches {count} of {} `oneOf` alternatives; must match exactly one", ids.len()));
            return Ok(());
        }
        let schema = self.evaluator.schema();
        let mut candidates = ids.iter().filter(|id| match schema.node(**id).rules.first() {
            Some(Rule::Type(types)) => types.contains(value),
            Some(Rule::False) => false,
            _ => true,
        });
        if let (Some(id), None) = (candidates.next(), candidates.next()) {
            return self.explain_schema(*id, value);
        }
        self.add_reason(&format!("matches none of {} alternatives", ids.len()));
        Ok(())
    }

    fn explain_unless_valid(&mut self, id: Id, value: &Value) -> Result<(), LimitExceeded> {
        if self.reasons.len() >= MAX_REASONS || self.evaluator.evaluate(id, value, None)? {
            return Ok(());
        }
        self.explain_schema(id, value)
    }

    fn explain_part(&mut self, step: &str, id: Id, value: &Value) -> Result<(), LimitExceeded> {
        self.path.push(step.replace('~', "~0").replace('/', "~1"));
        let done = self.explain_unless_valid(id, value);
        self.path.pop();
        done
    }

    fn add_reason(&mut self, reason: &str) {
        let pointer: String = self.path.iter().flat_map(|step| ["/", step]).collect();
        if self.reasons.len() < MAX_REASONS {
            self.reasons.push(format!("at {}: {reason}", location(&pointer)));
        }
    }
}

/// Describes the violation of a rule without subschemas.
fn describe(rule: &Rule, value: &Value) -> String {
    let missing =
        |names: &[String]| names.iter().find(|name| value.get(name.as_str()).is_none()).map(|name| quote(name));
    match rule {
        Rule::False => "no value is allowed here".to_owned(),
        Rule::Type(types) => format!("expected {}, got {}", type_names(*types), type_name(value)),
        Rule::Enum(values) if values.len() == 1 => "does not equal the `const` value".to_owned(),
        Rule::Enum(_) => "is not one of the `enum` values".to_owned(),
        Rule::Minimum(limit) => format!("is less than {limit}"),
        Rule::ExclusiveMinimum(limit) => format!("is not greater than {limit}"),
        Rule::Maximum(limit) => format!("is greater than {limit}"),
        Rule::ExclusiveMaximum(limit) => format!("is not less than {limit}"),
        Rule::MultipleOf(unit) => format!("is not a multiple of {unit}"),
        Rule::MinLength(limit) => format!("has fewer than {limit} characters"),
        Rule::MaxLength(limit) => format!("has more than {limit} characters"),
        Rule::Pattern(pattern) => format!("does not match pattern `{}`", quote(pattern.source())),
        Rule::MinItems(limit) => format!("has fewer than {limit} items"),
        Rule::MaxItems(limit) => format!("has more than {limit} items"),
        Rule::MinProperties(limit) => format!("has fewer than {limit} properties"),
        Rule::MaxProperties(limit) => format!("has more than {limit} properties"),
        Rule::Required(names) => format!("missing required property `{}`", missing(names).unwrap_or_default()),
        Rule::DependentRequired(all) => {
            let mut present = all.iter().filter(|(name, _)| value.get(name).is_some());
            let violation = present.find_map(|(name, names)| missing(names).map(|missing| (name, missing)));
            violation.map_or_else(String::new, |(name, missing)| {
                format!("missing property `{missing}`, which `{}` requires", quote(name))
            })
        }
        Rule::Contains(_, min, None) => format!("fewer than {min} items match `contains`"),
        Rule::Contains(_, min, Some(max)) => {
            format!("the number of items that match `contains` is not within {min}..={max}")
        }
        Rule::UniqueItems => "has duplicate items".to_owned(),
        _ => "matches a `not` schema".to_owned(),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn type_names(types: Types) -> String {
    let names = types.names().map(|name| match name {
        "null" => "null".to_owned(),
        "array" | "integer" | "object" => format!("an {name}"),
        name => format!("a {name}"),
    });
    names.collect::<Vec<_>>().join(" or ")
}
