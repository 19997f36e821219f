//! The arguments of a tool as rows of a table.

use ferromcp_core::text::excerpt;
use serde_json::Value;

use crate::schema::Schema;
use crate::signature::type_name;

/// The cells of a row. The last one is text; the others are code.
pub(super) type Row = Vec<String>;

/// Maximum nesting of objects that is shown.
const MAX_DEPTH: usize = 6;

/// Maximum number of rows of a table.
const MAX_ROWS: usize = 500;

/// Maximum nesting of array types that is shown.
const MAX_NESTING: usize = 3;

/// The columns of [`fields`].
pub(super) const COLUMNS: [&str; 5] = ["name", "type", "required", "default", "description"];

/// Returns the properties of a schema and of nested objects, such as `place.city` and `tags[].name`.
pub(super) fn fields(document: &Value) -> Vec<Row> {
    let mut rows = Vec::new();
    collect(Schema::new(document), "", MAX_DEPTH, &mut rows);
    if rows.len() > MAX_ROWS {
        rows.truncate(MAX_ROWS);
        rows.push(vec!["…".to_owned(); COLUMNS.len()]);
    }
    rows
}

fn collect(schema: Schema<'_>, path: &str, depth: usize, rows: &mut Vec<Row>) {
    let required = schema.required();
    for (name, property) in schema.properties() {
        if rows.len() > MAX_ROWS {
            return;
        }
        let path = if path.is_empty() { excerpt(name).to_string() } else { format!("{path}.{}", excerpt(name)) };
        let default = property.alternatives().iter().find_map(|it| it.default());
        rows.push(vec![
            path.clone(),
            type_name(property, MAX_NESTING),
            if required.contains(&name) { "yes" } else { "no" }.to_owned(),
            default.map(|value| excerpt(&value.to_string()).to_string()).unwrap_or_default(),
            property.description().unwrap_or_default().to_owned(),
        ]);
        if depth == 0 {
            continue;
        }
        collect(property, &path, depth - 1, rows);
        if let Some(items) = property.items() {
            collect(items, &format!("{path}[]"), depth - 1, rows);
        }
    }
}
