//! The layout of a JSON file: its indentation, and the text between its values.

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

/// The indentation and line ends of a file.
pub(super) struct Layout<'a> {
    pub(super) line_end: &'static str,
    /// The indentation of one level.
    pub(super) unit: &'a str,
}

impl<'a> Layout<'a> {
    /// Detects the layout: one level is the indentation of the first indented property.
    pub(super) fn of(text: &'a str, line_end: &'static str) -> Self {
        let property = text.lines().find(|line| line.starts_with([' ', '\t']) && line.trim_start().starts_with('"'));
        let unit = property.map_or("  ", |line| &line[..line.len() - line.trim_start().len()]);
        Self { line_end, unit }
    }

    /// Writes a value on several lines. Lines after the first begin with `indent`.
    pub(super) fn render(&self, value: &Value, indent: &str) -> String {
        // Line ends within strings are escaped.
        pretty(value, self.unit).replace('\n', &format!("{}{indent}", self.line_end))
    }

    /// Writes a property on several lines.
    pub(super) fn property(&self, name: &str, value: &Value, indent: &str) -> String {
        format!("{}: {}", Value::from(name), self.render(value, indent))
    }
}

/// Writes a property on one line.
pub(super) fn compact_property(name: &str, value: &Value) -> String {
    format!("{}: {}", Value::from(name), pretty(value, "").replace(",\n", ", ").replace('\n', ""))
}

fn pretty(value: &Value, unit: &str) -> String {
    let mut out = Vec::new();
    let formatter = PrettyFormatter::with_indent(unit.as_bytes());
    let written = value.serialize(&mut Serializer::with_formatter(&mut out, formatter));
    debug_assert!(written.is_ok(), "keys are strings, and memory does not fail");
    String::from_utf8(out).unwrap_or_default()
}

/// A comma or a comment between two values.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) start: usize,
    /// The end; the line end after a comment is not part of it.
    pub(super) end: usize,
    pub(super) is_comma: bool,
    pub(super) is_line_comment: bool,
}

/// Returns the commas and comments between two positions, which contain no value.
pub(super) fn pieces(text: &str, from: usize, to: usize) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut at = from;
    while at < to {
        let rest = &text[at..to];
        let (length, is_piece) = if rest.starts_with("//") {
            (rest.find(['\n', '\r']).unwrap_or(rest.len()), true)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            (comment.find("*/").map_or(rest.len(), |end| end + 4), true)
        } else {
            (rest.chars().next().map_or(1, char::len_utf8), rest.starts_with(','))
        };
        if is_piece {
            let (is_comma, is_line_comment) = (rest.starts_with(','), rest.starts_with("//"));
            found.push(Piece { start: at, end: at + length, is_comma, is_line_comment });
        }
        at += length;
    }
    found
}
