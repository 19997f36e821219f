//! Compiles expressions into match steps, and rejects templates that cannot be matched unambiguously.

use std::{collections::HashSet, ops::Range};

use super::{
    encode,
    error::{Problem, TemplateError},
    parse::{Part, Syntax},
    variable::{Operator, Variable},
};

/// The steps of a match, in order.
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// True if a variable has a prefix length, so that characters must be counted.
    pub(super) counts: bool,
}

/// One step of a match.
pub(super) enum Step {
    /// Literal bytes, normalized by [`encode::normalise`].
    Literal(Vec<u8>),
    /// An optional part: continue with the next step, or skip to step `end`.
    Optional { end: usize },
    /// The value of one variable.
    Run(Run),
    /// Named parameters.
    Named(Named),
}

/// The value of one variable, which ends at a byte that it cannot contain.
pub(super) struct Run {
    pub(super) variable: usize,
    pub(super) excluded: Bytes,
    pub(super) may_be_empty: bool,
    /// The separator of list items.
    pub(super) split: Option<u8>,
    /// The maximum number of characters.
    pub(super) limit: Option<u16>,
}

/// Named parameters, from a marker up to the first of `stops` or the end.
pub(super) struct Named {
    /// `{?a}{&b}` without `a` starts with `&`, so both markers are accepted.
    pub(super) markers: Bytes,
    pub(super) separator: u8,
    pub(super) stops: Bytes,
    pub(super) variables: Range<usize>,
    /// The decoded names of `variables`.
    pub(super) names: Vec<String>,
}

/// A set of ASCII bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct Bytes(u128);

impl Bytes {
    pub(super) fn has(self, byte: u8) -> bool {
        byte.is_ascii() && self.0 >> byte & 1 == 1
    }

    fn of(text: &str) -> Self {
        text.bytes().filter(u8::is_ascii).fold(Self::default(), Self::with)
    }

    fn with(self, byte: u8) -> Self {
        Self(self.0 | 1 << byte)
    }

    fn without(self, byte: u8) -> Self {
        Self(self.0 & !(1 << byte))
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

pub(super) fn compile(syntax: &Syntax) -> Result<Plan, TemplateError> {
    check_names(syntax)?;
    check_order(syntax)?;
    let parts = &syntax.parts;
    let later = stops_after(parts);
    let mut steps: Vec<Step> = Vec::new();
    let mut at = 0;
    while let Some(part) = parts.get(at) {
        match part {
            Part::Literal { text, .. } => {
                let mut encoded = String::new();
                encode::push_literal(&mut encoded, text);
                steps.push(Step::Literal(encode::normalise(&encoded).unwrap_or_default()));
            }
            Part::Expression { operator, variables, .. } if operator.is_named() => {
                let mut range = variables.clone();
                // `{?a}{&b}` is one set of parameters in any order.
                while let Some((next, more)) = expression(parts, at + 1).filter(|(next, _)| next.is_named()) {
                    if next.separator() != operator.separator() {
                        break;
                    }
                    range.end = more.end;
                    at += 1;
                }
                push_named(&mut steps, *operator, range, &syntax.variables);
            }
            Part::Expression { operator, variables, .. } => {
                push_unnamed(&mut steps, *operator, variables.clone(), &syntax.variables, later[at]);
                let labels = following(parts, at + 1, Operator::Label, &syntax.variables);
                if let Some(Step::Run(last)) = steps.last_mut().filter(|_| labels.are_many()) {
                    // The first of several labels starts at the first dot.
                    last.excluded = last.excluded.with(b'.');
                }
            }
        }
        at += 1;
    }
    let counts = syntax.variables.iter().any(|variable| variable.prefix.is_some());
    Ok(Plan { steps, counts })
}

fn push_named(steps: &mut Vec<Step>, operator: Operator, range: Range<usize>, variables: &[Variable]) {
    let names = variables[range.clone()].iter();
    let names = names.map(|variable| encode::decode(variable.name.as_bytes()).unwrap_or_else(|| variable.name.clone()));
    let markers = variables[range.clone()].iter().filter_map(|variable| variable.operator.marker()).map(ascii);
    steps.push(Step::Optional { end: steps.len() + 2 });
    steps.push(Step::Named(Named {
        markers: markers.fold(Bytes::default(), Bytes::with),
        separator: ascii(operator.separator()),
        stops: Bytes::of(if operator == Operator::Parameter { "/?#" } else { "#" }),
        variables: range,
        names: names.collect(),
    }));
}

fn push_unnamed(steps: &mut Vec<Step>, operator: Operator, range: Range<usize>, variables: &[Variable], later: Bytes) {
    let separator = ascii(operator.separator());
    let several = range.len() > 1;
    // Two steps per value: its marker or separator, and the option to skip it.
    let skips = match operator {
        Operator::Label | Operator::Path => range.len(),
        Operator::Fragment => 1,
        _ => 0,
    };
    let leads = range.len() - usize::from(operator.marker().is_none());
    let end = steps.len() + range.len() + leads + skips;
    for (index, variable) in range.clone().enumerate() {
        let lead = if index == 0 { operator.marker().map(ascii) } else { Some(separator) };
        if index < skips {
            steps.push(Step::Optional { end });
        }
        steps.extend(lead.map(|byte| Step::Literal(vec![byte])));
        let spec = &variables[variable];
        let mut excluded = if operator.keeps_reserved() { later } else { later.and(Bytes::of("/?#")) };
        if spec.explode {
            excluded = excluded.without(separator);
        } else if several {
            excluded = excluded.with(separator);
        }
        steps.push(Step::Run(Run {
            variable,
            excluded,
            may_be_empty: !spec.is_required(),
            split: spec.explode.then_some(separator),
            limit: spec.prefix,
        }));
    }
}

/// Returns, for each part, the first bytes of all later parts.
fn stops_after(parts: &[Part]) -> Vec<Bytes> {
    let mut later = Bytes::default();
    let mut stops: Vec<Bytes> = parts
        .iter()
        .rev()
        .map(|part| {
            let here = later;
            let marks = match part {
                Part::Literal { text, .. } => text.bytes().filter(|byte| matches!(byte, b'?' | b'#')).collect(),
                Part::Expression { operator: Operator::Label | Operator::Path, .. } => Vec::new(),
                Part::Expression { operator, .. } => operator.marker().map(ascii).into_iter().collect(),
            };
            later = marks.into_iter().fold(later, Bytes::with);
            here
        })
        .collect();
    stops.reverse();
    stops
}

fn check_names(syntax: &Syntax) -> Result<(), TemplateError> {
    let mut seen = HashSet::new();
    for (variable, &position) in syntax.variables.iter().zip(&syntax.positions) {
        // `a` and `%61` are the same parameter.
        let decoded = encode::decode(variable.name.as_bytes()).unwrap_or_else(|| variable.name.clone());
        if !seen.insert(decoded) {
            return Err(TemplateError::new(position, Problem::Duplicate(variable.name.clone())));
        }
    }
    Ok(())
}

fn check_order(syntax: &Syntax) -> Result<(), TemplateError> {
    let parts = &syntax.parts;
    for at in 0..parts.len() {
        let Some((operator, range)) = expression(parts, at) else {
            continue;
        };
        let last = range.end - 1;
        if !operator.is_named() {
            if let Some(list) = range.clone().find(|&index| index != last && syntax.variables[index].explode) {
                let name = syntax.variables[list].name.clone();
                return Err(TemplateError::new(syntax.positions[list], Problem::ListNotLast(name)));
            }
        }
        let Some(next) = parts.get(at + 1) else {
            continue;
        };
        if let Some(problem) = clash(operator, syntax.variables[last].explode, parts, at + 1, &syntax.variables) {
            return Err(TemplateError::new(next.position(), problem));
        }
    }
    Ok(())
}

/// Returns the problem of an expression with this operator before the part at `next`.
fn clash(operator: Operator, list: bool, parts: &[Part], next: usize, variables: &[Variable]) -> Option<Problem> {
    let Some((follower, _)) = expression(parts, next) else {
        let starts = if operator == Operator::Parameter { "/?#" } else { "#" };
        let Part::Literal { text, .. } = &parts[next] else {
            return None;
        };
        let fits = !operator.is_named() || text.starts_with(|start| starts.contains(start));
        return (!fits).then_some(Problem::AfterNamed);
    };
    let run = following(parts, next, follower, variables);
    match (operator, follower) {
        (Operator::Query | Operator::Continuation, Operator::Continuation | Operator::Fragment)
        | (Operator::Parameter, Operator::Parameter | Operator::Path | Operator::Query | Operator::Fragment) => None,
        (Operator::Query | Operator::Continuation | Operator::Parameter, _) => Some(Problem::AfterNamed),
        (Operator::Fragment, _) | (_, Operator::Simple | Operator::Reserved) => Some(Problem::Adjacent),
        (_, Operator::Path) => {
            let unclear = operator == Operator::Reserved && run.are_many() || operator == Operator::Path && list;
            unclear.then_some(Problem::Adjacent)
        }
        (_, Operator::Label) => {
            let wide = operator == Operator::Reserved || list;
            let unclear = wide && run.are_many() || operator == Operator::Label && list;
            unclear.then_some(Problem::Adjacent)
        }
        _ => None,
    }
}

/// Returns the variables of the adjacent expressions from `at` that have this operator.
fn following(parts: &[Part], at: usize, operator: Operator, variables: &[Variable]) -> Following {
    let mut found = Following { count: 0, list: false };
    let mut next = at;
    while let Some((_, range)) = expression(parts, next).filter(|(here, _)| *here == operator) {
        found.count += range.len();
        found.list |= variables[range].iter().any(|variable| variable.explode);
        next += 1;
    }
    found
}

struct Following {
    count: usize,
    list: bool,
}

impl Following {
    fn are_many(&self) -> bool {
        self.count > 1 || self.list
    }
}

fn expression(parts: &[Part], at: usize) -> Option<(Operator, Range<usize>)> {
    match parts.get(at)? {
        Part::Literal { .. } => None,
        Part::Expression { operator, variables, .. } => Some((*operator, variables.clone())),
    }
}

/// Converts a marker or separator, all of which are ASCII.
fn ascii(symbol: char) -> u8 {
    u8::try_from(symbol).unwrap_or(b'?')
}
