//! Edits TOML: appends tables, and removes them by their lines.
//!
//! `toml_edit` parses the file, but does not write it, because it replaces the line ends of Windows.

use std::fmt::Write as _;
use std::ops::Range;

use serde_json::{Map, Value};
use toml_edit::{Document, Item, Key, Table, TableLike, Value as TomlValue};

use super::error::EditError;
use super::place::{Leaf, Place};
use super::splice::{Splice, apply, line_end, line_of, line_start, next_line};

fn parse(text: &str) -> Result<Document<&str>, EditError> {
    Document::parse(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, span.start));
        let cause = format!("invalid TOML: {}", error.message());
        let column = error.span().map(|span| text[line_start(text, span.start)..span.start].chars().count() + 1);
        EditError::syntax(line, cause, "fix this line, or restore the file from a backup").at_column(column)
    })
}

/// Adds or replaces an entry. A replaced entry moves to the end of the file.
pub(super) fn insert(text: &str, place: Place<'_>, value: &Value) -> Result<String, EditError> {
    let document = parse(text)?;
    let text = match find(text, document.as_table(), place)? {
        Some(_) => &remove(text, place)?,
        None => text,
    };
    let end = line_end(text);
    let mut block = header(place);
    for (key, value) in value.as_object().into_iter().flatten() {
        let _ = write!(block, "\n{} = {}", quoted(key), to_toml(value));
    }
    let block = block.replace('\n', end);
    Ok(match text {
        "" => format!("{block}{end}"),
        // A file without a line end at its end has none afterwards.
        text if !text.ends_with('\n') => format!("{text}{end}{end}{block}"),
        text => format!("{text}{end}{block}{end}"),
    })
}

/// Returns the header of the table of an entry.
fn header(place: Place<'_>) -> String {
    let keys: Vec<String> = place.path().iter().map(|key| quoted(key)).collect();
    format!("[{}]", keys.join("."))
}

/// Returns the text of a key, with quotes if it requires them.
fn quoted(key: &str) -> String {
    Key::new(key).display_repr().into_owned()
}

/// Removes an entry: its tables, or its line.
pub(super) fn remove(text: &str, place: Place<'_>) -> Result<String, EditError> {
    let document = parse(text)?;
    let Some((parent, item)) = find(text, document.as_table(), place)? else {
        return Err(EditError::missing(place.name));
    };
    let by_hand = |found: &str| {
        let line = item.span().map(|span| line_of(text, span.start));
        EditError::structure(line, format!("the entry `{}` is {found}", place.name), "remove it by hand")
    };
    match item {
        Item::Table(table) if table.is_dotted() => Err(by_hand("written with dotted keys")),
        Item::Table(table) => {
            let mut headers = Vec::new();
            collect_headers(text, document.as_table(), &mut headers);
            headers.sort_by_key(|header| header.start);
            let mut own = Vec::new();
            collect_headers(text, table, &mut own);
            let regions = own.iter().map(|header| Splice::delete(region(text, header, &headers)));
            Ok(apply(text, regions.collect()))
        }
        Item::Value(value) => {
            let key = parent.get_key_value(place.name).and_then(|(key, _)| key.span());
            let (Some(key), Some(value)) = (key, value.span()) else { return Err(by_hand("not at a known position")) };
            let start = line_start(text, key.start);
            if !text[start..key.start].trim().is_empty() {
                return Err(by_hand("part of an inline table"));
            }
            Ok(apply(text, vec![Splice::delete(start..next_line(text, value.end))]))
        }
        Item::None | Item::ArrayOfTables(_) => Err(by_hand("an array of tables")),
    }
}

/// Returns the table that contains the entry, and the entry. `None` if it does not exist.
fn find<'a>(text: &str, root: &'a Table, place: Place<'_>) -> Result<Option<(&'a dyn TableLike, &'a Item)>, EditError> {
    let mut table: &dyn TableLike = root;
    for (depth, key) in place.key.iter().enumerate() {
        let Some(item) = table.get(key) else { return Ok(None) };
        let line = item.span().map(|span| line_of(text, span.start));
        let path = format!("`{}`", place.key[..=depth].join("."));
        match item {
            Item::Table(inner) => table = inner,
            Item::Value(TomlValue::InlineTable(_)) => {
                let cause = format!("{path} is an inline table");
                let remedy = format!("write its servers as tables such as `{}`", header(place));
                return Err(EditError::structure(line, cause, remedy));
            }
            other => {
                let remedy = format!("`{}`", header(place));
                return Err(EditError::wrong_type(line, &path, &format!("of type {}", other.type_name()), &remedy));
            }
        }
    }
    Ok(table.get(place.name).map(|item| (table, item)))
}

/// Collects the headers of a table and of the tables in it.
fn collect_headers(text: &str, table: &Table, headers: &mut Vec<Range<usize>>) {
    headers.extend(table.span().filter(|span| text[span.clone()].starts_with('[')));
    for (_, item) in table {
        match item {
            Item::Table(inner) => collect_headers(text, inner, headers),
            Item::ArrayOfTables(array) => array.iter().for_each(|inner| collect_headers(text, inner, headers)),
            Item::None | Item::Value(_) => {}
        }
    }
}

/// Returns the lines of a table: up to the comments above the next header, with one empty line above.
fn region(text: &str, header: &Range<usize>, headers: &[Range<usize>]) -> Range<usize> {
    let next = headers.iter().find(|other| other.start > header.start);
    let mut end = next.map_or(text.len(), |next| line_start(text, next.start));
    let start = line_start(text, header.start);
    while end > start {
        let last = line_start(text, end - 1);
        let line = text[last..end].trim();
        if last <= start || !(line.is_empty() || line.starts_with('#')) {
            break;
        }
        end = last;
    }
    // The file ends without a line end before and after.
    let above = text[..start].trim_end_matches([' ', '\t']);
    let above = above.strip_suffix('\n').map(|rest| rest.strip_suffix('\r').unwrap_or(rest));
    let is_empty_above = above.is_some_and(|rest| rest.ends_with('\n'));
    match above {
        Some(rest) if is_empty_above && end == text.len() && !text.ends_with('\n') => {
            let rest = rest.strip_suffix('\n').unwrap_or(rest);
            rest.strip_suffix('\r').unwrap_or(rest).len()..end
        }
        Some(rest) if is_empty_above => rest.len()..end,
        _ => start..end,
    }
}

/// Returns the value at a path.
pub(super) fn value_at(text: &str, path: &[String]) -> Result<Option<Value>, EditError> {
    let document = parse(text)?;
    Ok(path.iter().try_fold(document.as_item(), |item, key| item.get(key)).map(to_json))
}

/// Returns the scalars of a file.
pub(super) fn leaves(text: &str) -> Result<Vec<Leaf>, EditError> {
    let mut found = Vec::new();
    collect_leaves(&to_json(parse(text)?.as_item()), &mut Vec::new(), &mut found);
    Ok(found)
}

/// Collects the scalars of a value. Empty tables are not values of the user.
pub(super) fn collect_leaves(value: &Value, path: &mut Vec<String>, found: &mut Vec<Leaf>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        scalar => return found.push((path.clone(), scalar.to_string())),
    };
    for (key, value) in children {
        path.push(key);
        collect_leaves(value, path, found);
        path.pop();
    }
}

fn to_toml(value: &Value) -> TomlValue {
    match value {
        Value::Null => "".into(),
        Value::Bool(boolean) => (*boolean).into(),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => integer.into(),
            None => number.as_f64().unwrap_or_default().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => TomlValue::Array(items.iter().map(to_toml).collect()),
        Value::Object(members) => {
            TomlValue::InlineTable(members.iter().map(|(key, value)| (Key::new(key), to_toml(value))).collect())
        }
    }
}

fn to_json(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => value_to_json(value),
        Item::Table(table) => Value::Object(table.iter().map(|(key, item)| (key.to_owned(), to_json(item))).collect()),
        Item::ArrayOfTables(tables) => tables.iter().map(|table| to_json(&Item::Table(table.clone()))).collect(),
    }
}

fn value_to_json(value: &TomlValue) -> Value {
    match value {
        TomlValue::String(text) => text.value().as_str().into(),
        TomlValue::Integer(number) => (*number.value()).into(),
        TomlValue::Float(number) => serde_json::Number::from_f64(*number.value())
            .map_or_else(|| number.value().to_string().into(), Value::Number),
        TomlValue::Boolean(boolean) => (*boolean.value()).into(),
        TomlValue::Datetime(time) => time.value().to_string().into(),
        TomlValue::Array(items) => items.iter().map(value_to_json).collect(),
        TomlValue::InlineTable(table) => {
            let members: Map<_, _> = table.iter().map(|(key, value)| (key.to_owned(), value_to_json(value))).collect();
            Value::Object(members)
        }
    }
}
