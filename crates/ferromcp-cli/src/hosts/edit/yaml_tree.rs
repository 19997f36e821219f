//! Parses YAML to a tree with the positions of its values.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Number, Value};

use super::error::EditError;

/// Maximum depth of a document.
const MAX_DEPTH: usize = 100;

/// A value, with its bytes. A collection ends at the end of its last value.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) content: Content,
}

/// The content of a [`Node`].
#[derive(Debug)]
pub(super) enum Content {
    /// The text, and whether it has quotes or a block style.
    Scalar(String, bool),
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
    /// A reference to another value.
    Alias(usize),
}

impl Node {
    /// Returns the members of a mapping.
    pub(super) fn members(&self) -> Option<&[(Node, Node)]> {
        match &self.content {
            Content::Mapping(members) => Some(members),
            _ => None,
        }
    }

    /// Returns whether the value is empty or `null`.
    pub(super) fn is_null(&self) -> bool {
        self.to_json().is_null()
    }

    /// Returns whether the value is a key with this name.
    pub(super) fn is_key(&self, name: &str) -> bool {
        matches!(&self.content, Content::Scalar(text, _) if text == name)
    }

    /// Converts the value, with the types of the core schema.
    pub(super) fn to_json(&self) -> Value {
        match &self.content {
            Content::Scalar(text, true) => text.as_str().into(),
            Content::Scalar(text, false) => plain(text),
            Content::Alias(id) => format!("*{id}").into(),
            Content::Sequence(items) => items.iter().map(Self::to_json).collect(),
            Content::Mapping(members) => {
                let key = |key: &Self| match &key.content {
                    Content::Scalar(text, _) => text.clone(),
                    _ => key.to_json().to_string(),
                };
                Value::Object(members.iter().map(|(name, value)| (key(name), value.to_json())).collect())
            }
        }
    }
}

/// Returns the value of a scalar without quotes.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => true.into(),
        "false" | "False" | "FALSE" => false.into(),
        _ => number(text).map_or_else(|| text.into(), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    if let Ok(integer) = text.parse::<i64>() {
        return Some(integer.into());
    }
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    text.parse::<f64>().ok().filter(|_| is_number).and_then(Number::from_f64)
}

/// Parses a file of one document. `None` if it has no value.
pub(super) fn parse(text: &str) -> Result<Option<Node>, EditError> {
    let mut events = Vec::new();
    let mut documents = 0;
    // Positions of the parser count characters.
    let bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let at = |index: usize| bytes.get(index).copied().unwrap_or(text.len());
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let cause = format!("invalid YAML: {}", error.info());
            EditError::syntax(Some(error.marker().line()), cause, "fix this line, or restore the file from a backup")
                .at_column(Some(error.marker().col() + 1))
        })?;
        match event {
            Event::DocumentStart(_) => documents += 1,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            event => events.push((event, span)),
        }
    }
    if documents > 1 {
        return Err(EditError::structure(None, "it has several documents", "edit it by hand"));
    }
    let mut events = events.into_iter();
    let Some(first) = events.next() else { return Ok(None) };
    build(first, &mut events, &at, 0).map(Some)
}

type Events<'a> = std::vec::IntoIter<(Event<'a>, Span)>;

fn build<'a>(
    (event, span): (Event<'a>, Span),
    events: &mut Events<'a>,
    at: &impl Fn(usize) -> usize,
    depth: usize,
) -> Result<Node, EditError> {
    let unexpected =
        || EditError::structure(Some(span.start.line()), "the document is nested too deeply", "edit it by hand");
    let (start, end) = (at(span.start.index()), at(span.end.index()));
    if depth > MAX_DEPTH {
        return Err(unexpected());
    }
    let mut last = end;
    let content = match event {
        Event::Scalar(text, style, ..) => Content::Scalar(text.into_owned(), style != ScalarStyle::Plain),
        Event::Alias(id) => Content::Alias(id),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match events.next() {
                    Some((Event::SequenceEnd, span)) => break last = closing(last, span, at),
                    Some(event) => items.push(build(event, events, at, depth + 1)?),
                    None => return Err(unexpected()),
                }
                last = items.last().map_or(last, |item: &Node| item.end);
            }
            Content::Sequence(items)
        }
        Event::MappingStart(..) => {
            let mut members = Vec::new();
            loop {
                let key = match events.next() {
                    Some((Event::MappingEnd, span)) => break last = closing(last, span, at),
                    Some(event) => build(event, events, at, depth + 1)?,
                    None => return Err(unexpected()),
                };
                let mut value = build(events.next().ok_or_else(unexpected)?, events, at, depth + 1)?;
                if value.start == value.end {
                    // An empty value has the position of the next token.
                    (value.start, value.end) = (key.end, key.end);
                }
                last = value.end;
                members.push((key, value));
            }
            Content::Mapping(members)
        }
        _ => return Err(unexpected()),
    };
    Ok(Node { start, end: last, content })
}

/// Returns the end of a collection: its closing bracket, if it has one. The span contains the white space after it.
fn closing(last: usize, span: Span, at: &impl Fn(usize) -> usize) -> usize {
    if span.start.index() < span.end.index() { at(span.start.index() + 1) } else { last }
}
