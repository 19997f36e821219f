//! Edits JSON, and JSON with comments.

use jsonc_parser::ast::{Object, ObjectProp, Value as Node};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::Value;

use super::super::table::Format;
use super::error::EditError;
use super::json_layout::{Layout, compact_property, pieces};
use super::place::{Leaf, Place};
use super::splice::{Splice, apply, indent_at, line_end, line_of, line_start};

/// Parses a file. Accepts only the extensions that hosts accept. `None` if the file has no value.
fn parse(text: &str, format: Format) -> Result<Option<Node<'_>>, EditError> {
    let extended = format == Format::Jsonc;
    let options = ParseOptions {
        allow_comments: extended,
        allow_loose_object_property_names: false,
        allow_trailing_commas: extended,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options).map_err(|error| {
        let cause = format!("invalid JSON: {}", error.kind());
        EditError::syntax(Some(error.line_display()), cause, "fix this line, or restore the file from a backup")
            .at_column(Some(error.column_display()))
    })?;
    match &parsed.value {
        None | Some(Node::Object(_)) => Ok(parsed.value),
        Some(other) => Err(EditError::wrong_type(Some(line_of(text, other.start())), "the file", kind(other), "`{}`")),
    }
}

/// Names the type of a value.
fn kind(node: &Node<'_>) -> &'static str {
    match node {
        Node::Object(_) => "an object",
        Node::Array(_) => "an array",
        Node::StringLit(_) => "a string",
        Node::NumberLit(_) => "a number",
        Node::BooleanLit(_) => "a boolean",
        Node::NullKeyword(_) => "`null`",
    }
}

/// Returns the property with this name. Duplicates are an error, because parsers disagree about them.
fn property<'a, 'b>(
    text: &str,
    object: &'b Object<'a>,
    name: &str,
) -> Result<Option<(usize, &'b ObjectProp<'a>)>, EditError> {
    let mut found = object.properties.iter().enumerate().filter(|(_, property)| property.name.as_str() == name);
    let first = found.next();
    let others: Vec<usize> = found.map(|(_, property)| line_of(text, property.range.start)).collect();
    match first {
        Some((_, property)) if !others.is_empty() => {
            let lines: Vec<usize> = std::iter::once(line_of(text, property.range.start)).chain(others).collect();
            Err(EditError::duplicate(&lines, name))
        }
        found => Ok(found),
    }
}

/// Follows a path of keys. Returns the last table that exists, and the keys that are missing.
fn descend<'a, 'b, 'k>(
    text: &str,
    root: &'b Object<'a>,
    key: &'k [String],
) -> Result<(&'b Object<'a>, &'k [String]), EditError> {
    let mut object = root;
    for (depth, name) in key.iter().enumerate() {
        match property(text, object, name)? {
            None => return Ok((object, &key[depth..])),
            Some((_, ObjectProp { value: Node::Object(inner), .. })) => object = inner,
            Some((_, other)) => {
                let (line, path) = (line_of(text, other.range.start), key[..=depth].join("."));
                return Err(EditError::wrong_type(Some(line), &format!("`{path}`"), kind(&other.value), "`{}`"));
            }
        }
    }
    Ok((object, &[]))
}

/// Adds or replaces an entry.
pub(super) fn insert(text: &str, format: Format, place: Place<'_>, value: &Value) -> Result<String, EditError> {
    let layout = Layout::of(text, line_end(text));
    let Some(Node::Object(root)) = parse(text, format)? else {
        let object = layout.render(&nest(place.key, place.name, value), "");
        let content = text.trim_end();
        let separator = if content.is_empty() { "" } else { layout.line_end };
        return Ok(format!("{content}{separator}{object}{}", layout.line_end));
    };
    let (object, missing) = descend(text, &root, place.key)?;
    if let [first, rest @ ..] = missing {
        let inner = nest(rest, place.name, value);
        return Ok(apply(text, insert_property(text, &layout, object, first, &inner)));
    }
    let splices = match property(text, object, place.name)? {
        Some((_, existing)) => {
            let range = existing.value.range();
            let indent = indent_at(text, existing.range.start);
            vec![Splice { range: range.start..range.end, text: layout.render(value, indent) }]
        }
        None => insert_property(text, &layout, object, place.name, value),
    };
    Ok(apply(text, splices))
}

/// Returns `{key: {name: value}}` for a path of keys.
fn nest(key: &[String], name: &str, value: &Value) -> Value {
    let path = key.iter().map(String::as_str).chain([name]).rev();
    path.fold(value.clone(), |inner, key| Value::Object(std::iter::once((key.to_owned(), inner)).collect()))
}

/// Appends a property to an object.
fn insert_property(text: &str, layout: &Layout<'_>, object: &Object<'_>, name: &str, value: &Value) -> Vec<Splice> {
    let (open, close) = (object.range.start + 1, object.range.end - 1);
    let base = indent_at(text, object.range.start);
    let Some(last) = object.properties.last() else {
        return insert_first(text, layout, object, name, value);
    };
    let after = pieces(text, last.range.end, close);
    let comma = after.iter().find(|piece| piece.is_comma).map(|piece| piece.end);
    // Comments on the line of the last property describe that property.
    let mut point = comma.unwrap_or(last.range.end);
    let mut after_line_comment = false;
    let behind = point;
    for piece in after.iter().filter(|piece| piece.start >= behind) {
        if text[point..piece.start].contains('\n') {
            break;
        }
        point = piece.end;
        after_line_comment |= piece.is_line_comment;
    }
    let starts_line = |property: &&ObjectProp<'_>| {
        text[line_start(text, property.range.start)..property.range.start].trim().is_empty()
    };
    let on_lines = object.properties.iter().find(starts_line).filter(|p| text[open..p.range.start].contains('\n'));
    let spread = on_lines.is_some() || after_line_comment;
    let indent =
        on_lines.map_or_else(|| format!("{base}{}", layout.unit), |p| indent_at(text, p.range.start).to_owned());
    let property = if spread {
        format!("{}{indent}{}", layout.line_end, layout.property(name, value, &indent))
    } else {
        format!(" {}", compact_property(name, value))
    };
    if comma.is_some() {
        return vec![Splice::insert(point, format!("{property},"))];
    }
    if point == last.range.end {
        return vec![Splice::insert(point, format!(",{property}"))];
    }
    vec![Splice::insert(last.range.end, ","), Splice::insert(point, property)]
}

/// Adds the first property of an object, after its comments.
fn insert_first(text: &str, layout: &Layout<'_>, object: &Object<'_>, name: &str, value: &Value) -> Vec<Splice> {
    let (open, close) = (object.range.start + 1, object.range.end - 1);
    let base = indent_at(text, object.range.start);
    let indent = format!("{base}{}", layout.unit);
    let property = format!("{}{indent}{}", layout.line_end, layout.property(name, value, &indent));
    let closing = format!("{}{base}", layout.line_end);
    let point = pieces(text, open, close).last().map_or(open, |piece| piece.end);
    let rest = &text[point..close];
    if rest.contains('\n') {
        return vec![Splice::insert(point, property)];
    }
    vec![Splice { range: point..close, text: format!("{property}{closing}") }]
}

/// Removes an entry. Comments of other entries, and comments above the entry, are preserved.
pub(super) fn remove(text: &str, format: Format, place: Place<'_>) -> Result<String, EditError> {
    let Some(Node::Object(root)) = parse(text, format)? else {
        return Err(EditError::missing(place.name));
    };
    let (object, missing) = descend(text, &root, place.key)?;
    let found = if missing.is_empty() { property(text, object, place.name)? } else { None };
    let Some((index, property)) = found else {
        return Err(EditError::missing(place.name));
    };
    let (open, close) = (object.range.start + 1, object.range.end - 1);
    let previous = index.checked_sub(1).map(|previous| &object.properties[previous]);
    let next = object.properties.get(index + 1);
    let before = pieces(text, previous.map_or(open, |p| p.range.end), property.range.start);
    let after = pieces(text, property.range.end, next.map_or(close, |p| p.range.start));
    let comma_after = after.iter().find(|piece| piece.is_comma);
    // The white space before the entry belongs to it, but not the end of a line comment with text behind it.
    let mut start = before.last().map_or(previous.map_or(open, |p| p.range.end), |piece| piece.end);
    let end = property.range.end;
    let mut splices = Vec::new();
    match (comma_after, previous) {
        (Some(comma), _) => {
            let same_line = !text[start..property.range.start].contains('\n');
            let mut after_comma = comma.end;
            if same_line && previous.is_none() {
                start = property.range.start;
                after_comma += text[comma.end..].len() - text[comma.end..].trim_start_matches([' ', '\t']).len();
            }
            if comma.start == end {
                splices.push(Splice::delete(start..after_comma));
            } else {
                splices.extend([Splice::delete(start..end), Splice::delete(comma.start..after_comma)]);
            }
        }
        (None, Some(_)) => {
            let comma = before.iter().find(|piece| piece.is_comma).map_or(start..start, |comma| comma.start..comma.end);
            if comma.end == start {
                splices.push(Splice::delete(comma.start..end));
            } else {
                splices.extend([Splice::delete(comma), Splice::delete(start..end)]);
            }
        }
        (None, None) => splices.push(Splice::delete(start..end)),
    }
    if object.properties.len() == 1 && before.is_empty() && after.iter().all(|piece| piece.is_comma) {
        return Ok(apply(text, vec![Splice::delete(open..close)]));
    }
    let behind = text[end..].trim_start_matches([' ', '\t', ',']);
    if before.last().is_some_and(|piece| piece.is_line_comment) && !behind.starts_with(['\n', '\r']) {
        splices.push(Splice::insert(end, line_end(text)));
    }
    Ok(apply(text, splices))
}

/// Returns the value at a path; the last one of duplicate keys.
pub(super) fn value_at(text: &str, format: Format, path: &[String]) -> Result<Option<Value>, EditError> {
    let Some(root) = parse(text, format)? else { return Ok(None) };
    let found = path.iter().try_fold(&root, |node, key| {
        node.as_object()?.properties.iter().rfind(|property| property.name.as_str() == key).map(|p| &p.value)
    });
    Ok(found.map(convert))
}

/// Returns an error for each duplicate key on the way to a table, in the table and in its entries.
pub(super) fn duplicates(text: &str, format: Format, key: &[String]) -> Result<Vec<EditError>, EditError> {
    let mut found = Vec::new();
    let mut next = parse(text, format)?;
    let mut keys = key.iter();
    while let Some(Node::Object(object)) = next {
        collect_duplicates(text, &object, &mut found);
        let Some(key) = keys.next() else {
            for entry in object.properties.iter().filter_map(|property| property.value.as_object()) {
                collect_duplicates(text, entry, &mut found);
            }
            break;
        };
        next = object.properties.into_iter().rfind(|property| property.name.as_str() == key).map(|it| it.value);
    }
    Ok(found)
}

fn collect_duplicates(text: &str, object: &Object<'_>, found: &mut Vec<EditError>) {
    let lines = object.properties.iter().map(|it| (it.name.as_str(), line_of(text, it.range.start)));
    found.extend(EditError::duplicates(lines));
}

/// Converts a node. A number that is not representable becomes its text.
fn convert(node: &Node<'_>) -> Value {
    match node {
        Node::StringLit(string) => string.value.as_ref().into(),
        Node::NumberLit(number) => serde_json::from_str(number.value).unwrap_or_else(|_| number.value.into()),
        Node::BooleanLit(boolean) => boolean.value.into(),
        Node::NullKeyword(_) => Value::Null,
        Node::Array(array) => array.elements.iter().map(convert).collect(),
        Node::Object(object) => {
            let members = object.properties.iter().map(|p| (p.name.as_str().to_owned(), convert(&p.value)));
            Value::Object(members.collect())
        }
    }
}

/// Returns the scalars of a file, as written.
pub(super) fn leaves(text: &str, format: Format) -> Result<Vec<Leaf>, EditError> {
    let mut found = Vec::new();
    if let Some(root) = parse(text, format)? {
        collect(text, &root, &mut Vec::new(), &mut found);
    }
    Ok(found)
}

fn collect(text: &str, node: &Node<'_>, path: &mut Vec<String>, found: &mut Vec<Leaf>) {
    match node {
        Node::Object(object) => {
            for property in &object.properties {
                path.push(property.name.as_str().to_owned());
                collect(text, &property.value, path, found);
                path.pop();
            }
        }
        Node::Array(array) if !array.elements.is_empty() => {
            for (index, element) in array.elements.iter().enumerate() {
                path.push(index.to_string());
                collect(text, element, path, found);
                path.pop();
            }
        }
        scalar => found.push((path.clone(), text[scalar.start()..scalar.end()].to_owned())),
    }
}
