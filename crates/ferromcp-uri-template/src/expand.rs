//! Expansion of templates, with the algorithm of the RFC.
//!
//! <https://www.rfc-editor.org/rfc/rfc6570#section-3.2.1>

use std::borrow::Cow;

use super::{
    encode,
    parse::Part,
    variable::{Operator, Variable},
};

/// The value of a variable in an expansion. Empty lists and maps count as undefined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A string.
    One(Cow<'a, str>),
    /// A list of strings. A prefix (`{x:3}`) does not apply.
    List(Vec<Cow<'a, str>>),
    /// An ordered map of strings. A prefix does not apply.
    Map(Vec<(Cow<'a, str>, Cow<'a, str>)>),
}

pub(super) fn expand<'v>(parts: &[Part], variables: &[Variable], lookup: impl Fn(&str) -> Option<Value<'v>>) -> String {
    let mut out = String::new();
    for part in parts {
        let (operator, range) = match part {
            Part::Literal { text, .. } => {
                encode::push_literal(&mut out, text);
                continue;
            }
            Part::Expression { operator, variables, .. } => (*operator, variables.clone()),
        };
        let mut lead = operator.marker();
        for variable in &variables[range] {
            let Some(value) = lookup(&variable.name).filter(|value| !value.is_undefined()) else {
                continue;
            };
            out.extend(lead);
            lead = Some(operator.separator());
            push(&mut out, variable, &value);
        }
    }
    out
}

fn push(out: &mut String, variable: &Variable, value: &Value<'_>) {
    let operator = variable.operator;
    let keep = operator.keeps_reserved();
    match value {
        Value::One(text) => {
            let text = variable.prefix.map_or(&**text, |limit| encode::prefix(text, limit, keep));
            if operator.is_named() {
                push_name(out, operator, &variable.name, text.is_empty());
            }
            encode::push_value(out, text, keep);
        }
        Value::List(items) if variable.explode => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(operator.separator());
                }
                if operator.is_named() {
                    push_name(out, operator, &variable.name, item.is_empty());
                }
                encode::push_value(out, item, keep);
            }
        }
        Value::Map(pairs) if variable.explode => {
            for (index, (key, item)) in pairs.iter().enumerate() {
                if index > 0 {
                    out.push(operator.separator());
                }
                encode::push_value(out, key, keep);
                if operator.is_named() {
                    push_name(out, operator, "", item.is_empty());
                } else {
                    out.push('=');
                }
                encode::push_value(out, item, keep);
            }
        }
        Value::List(items) => push_joined(out, variable, items.iter()),
        Value::Map(pairs) => push_joined(out, variable, pairs.iter().flat_map(|(key, item)| [key, item])),
    }
}

fn push_joined<'i>(out: &mut String, variable: &Variable, items: impl Iterator<Item = &'i Cow<'i, str>>) {
    if variable.operator.is_named() {
        push_name(out, variable.operator, &variable.name, false);
    }
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        encode::push_value(out, item, variable.operator.keeps_reserved());
    }
}

/// Writes a parameter name. An empty path parameter has no `=`; an empty query parameter does.
fn push_name(out: &mut String, operator: Operator, name: &str, empty: bool) {
    encode::push_literal(out, name);
    if !(empty && operator == Operator::Parameter) {
        out.push('=');
    }
}

impl Value<'_> {
    fn is_undefined(&self) -> bool {
        match self {
            Self::One(_) => false,
            Self::List(items) => items.is_empty(),
            Self::Map(pairs) => pairs.is_empty(),
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::One(text.into())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::One(text.into())
    }
}

impl<'a> From<&'a [String]> for Value<'a> {
    fn from(items: &'a [String]) -> Self {
        Self::List(items.iter().map(|item| item.as_str().into()).collect())
    }
}

impl<'a, T: Into<Cow<'a, str>>> From<Vec<T>> for Value<'a> {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}
