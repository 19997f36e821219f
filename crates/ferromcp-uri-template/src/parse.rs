//! Parses a template into literals and expressions, with the full grammar of RFC 6570.
//!
//! <https://www.rfc-editor.org/rfc/rfc6570#section-2>

use std::ops::Range;

use super::{
    encode,
    error::{Problem, TemplateError},
    limits::{MAX_VARIABLES, TemplateLimits},
    variable::{Operator, Variable},
};

/// A parsed template.
pub(super) struct Syntax {
    pub(super) parts: Vec<Part>,
    pub(super) variables: Vec<Variable>,
    /// The byte offset of each variable, for errors.
    pub(super) positions: Vec<usize>,
}

/// A piece of a template.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// Literal text.
    Literal { at: usize, text: String },
    /// An expression; `variables` is a non-empty range of indices into the list of all variables.
    Expression { at: usize, operator: Operator, variables: Range<usize> },
}

impl Part {
    pub(super) fn literal_len(&self) -> usize {
        match self {
            Self::Literal { text, .. } => text.len(),
            Self::Expression { .. } => 0,
        }
    }

    pub(super) fn position(&self) -> usize {
        match self {
            Self::Literal { at, .. } | Self::Expression { at, .. } => *at,
        }
    }
}

pub(super) fn parse(text: &str, limits: TemplateLimits) -> Result<Syntax, TemplateError> {
    let limit = limits.template_bytes;
    if text.len() > limit {
        return Err(TemplateError::new(limit, Problem::TooLong { limit }));
    }
    let mut syntax = Syntax { parts: Vec::new(), variables: Vec::new(), positions: Vec::new() };
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if let Some(inside) = rest.strip_prefix('{') {
            let length = inside.find('}').ok_or_else(|| TemplateError::new(at, Problem::Unclosed))?;
            expression(&mut syntax, at, &inside[..length])?;
            at += length + 2;
        } else {
            let length = rest.find('{').unwrap_or(rest.len());
            let literal = &rest[..length];
            check_literal(at, literal)?;
            syntax.parts.push(Part::Literal { at, text: literal.to_owned() });
            at += length;
        }
    }
    Ok(syntax)
}

fn check_literal(start: usize, text: &str) -> Result<(), TemplateError> {
    for (offset, symbol) in text.char_indices() {
        let problem = match symbol {
            '}' => Problem::Unopened,
            '%' if encode::triplet(&text.as_bytes()[offset..]).is_none() => Problem::BadPercent,
            ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '|' => Problem::BadLiteral(symbol),
            _ if symbol.is_control() => Problem::BadLiteral(symbol),
            _ => continue,
        };
        return Err(TemplateError::new(start + offset, problem));
    }
    Ok(())
}

fn expression(syntax: &mut Syntax, at: usize, inside: &str) -> Result<(), TemplateError> {
    if let Some(inner) = inside.find('{') {
        // `{a{b}`: the first brace is the unclosed one.
        let problem = if inner == 0 { Problem::BadName { name: "{".to_owned() } } else { Problem::Unclosed };
        return Err(TemplateError::new(at, problem));
    }
    let (operator, list) = match inside.chars().next() {
        None => return Err(TemplateError::new(at + 1, Problem::Empty)),
        Some(symbol @ ('=' | ',' | '!' | '@' | '|')) => {
            return Err(TemplateError::new(at + 1, Problem::ReservedOperator(symbol)));
        }
        Some(symbol) => match Operator::of(symbol) {
            Some(operator) => (operator, &inside[1..]),
            None => (Operator::Simple, inside),
        },
    };
    let first = syntax.variables.len();
    let mut position = at + 1 + (inside.len() - list.len());
    for spec in list.split(',') {
        if syntax.variables.len() == MAX_VARIABLES {
            return Err(TemplateError::new(position, Problem::TooManyVariables { limit: MAX_VARIABLES }));
        }
        let variable = variable(spec, operator).map_err(|problem| TemplateError::new(position, problem))?;
        syntax.variables.push(variable);
        syntax.positions.push(position);
        position += spec.len() + 1;
    }
    let variables = first..syntax.variables.len();
    syntax.parts.push(Part::Expression { at, operator, variables });
    Ok(())
}

fn variable(spec: &str, operator: Operator) -> Result<Variable, Problem> {
    let (name, explode, prefix) = if let Some(name) = spec.strip_suffix('*') {
        (name, true, None)
    } else if let Some((name, digits)) = spec.split_once(':') {
        (name, false, Some(length(digits)?))
    } else {
        (spec, false, None)
    };
    if name.is_empty() {
        return Err(Problem::Empty);
    }
    if !is_name(name) {
        return Err(Problem::BadName { name: name.to_owned() });
    }
    Ok(Variable { name: name.to_owned(), operator, explode, prefix })
}

fn length(digits: &str) -> Result<u16, Problem> {
    let wellformed = digits.len() <= 4 && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    if wellformed { digits.parse().map_err(|_| Problem::BadPrefix) } else { Err(Problem::BadPrefix) }
}

fn is_name(name: &str) -> bool {
    name.split('.').all(|piece| {
        let bytes = piece.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at += match byte {
                b'_' => 1,
                b'%' if encode::triplet(&bytes[at..]).is_some() => 3,
                byte if byte.is_ascii_alphanumeric() => 1,
                _ => return false,
            };
        }
        !bytes.is_empty()
    })
}
