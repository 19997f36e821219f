//! A description of the definitions of a server, in text or Markdown.

use std::fmt::Write;

use ferromcp_core::RawJson;
use ferromcp_core::model::{Implementation, PromptDefinition, ToolAnnotations, ToolDefinition};
use ferromcp_core::text::{escape, excerpt};
use serde_json::Value;

use super::Surface;
use super::capabilities::describe;
use super::fields::{COLUMNS, Row, fields};
use super::markdown;

/// Maximum width of a column in text, in characters. Longer cells move the columns after them.
const MAX_WIDTH: usize = 32;

/// A part of a document. The text is that of the server, without escapes.
enum Block {
    /// A heading of this level, of text of this command.
    Heading(&'static str),
    /// The name of a definition.
    Name(String),
    Paragraph(String),
    /// A label and its value.
    Field(&'static str, String),
    Table(&'static [&'static str], Vec<Row>),
}

/// Escapes text of a server for Markdown, in one line.
pub(crate) fn markdown_text(text: &str) -> String {
    markdown::inline(text)
}

/// Describes the definitions as text.
pub(crate) fn to_text(surface: &Surface) -> String {
    let mut text = String::new();
    for block in blocks(surface) {
        match block {
            Block::Heading(heading) => {
                let _ = writeln!(text, "\n{heading}");
            }
            Block::Name(name) => {
                let _ = writeln!(text, "\n  {name}");
            }
            Block::Paragraph(paragraph) => {
                for line in paragraph.trim().lines() {
                    let _ = writeln!(text, "{}", format!("      {line}").trim_end());
                }
            }
            Block::Field(label, value) => {
                let _ = writeln!(text, "{}", format!("      {label}: {value}").trim_end());
            }
            Block::Table(columns, rows) => text_table(columns, &rows, &mut text),
        }
    }
    text.trim_start().to_owned()
}

fn text_table(columns: &[&str], rows: &[Row], text: &mut String) {
    let header: Row = columns.iter().map(|column| column.to_uppercase()).collect();
    let one_line = |cell: &String| escape(&cell.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned();
    let rows: Vec<Row> = rows.iter().map(|row| row.iter().map(one_line).collect()).collect();
    let width = |column: usize| {
        let cells = std::iter::once(&header).chain(&rows).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default().min(MAX_WIDTH)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    for row in std::iter::once(&header).chain(&rows) {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let _ = writeln!(text, "{}", format!("      {}", cells.join("  ")).trim_end());
    }
}

/// Describes the definitions as Markdown. All text of the server is escaped.
pub(crate) fn to_markdown(surface: &Surface) -> String {
    let mut text = String::new();
    for block in blocks(surface) {
        match block {
            Block::Heading(heading) => {
                let _ = writeln!(text, "\n## {heading}");
            }
            Block::Name(name) => {
                let _ = writeln!(text, "\n### {}", markdown::code(&name, false));
            }
            Block::Paragraph(paragraph) => {
                let _ = writeln!(text, "\n{}", markdown::block(&paragraph));
            }
            Block::Field(label, value) => {
                let _ = writeln!(text, "{}", format!("\n{label}: {}", markdown::inline(&value)).trim_end());
            }
            Block::Table(columns, rows) => {
                let _ = writeln!(text, "\n| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len()));
                for row in rows {
                    let last = row.len().saturating_sub(1);
                    let cells = row.iter().enumerate().map(|(index, cell)| match index {
                        // "yes" and "no" are text of this command.
                        _ if cell == "yes" || cell == "no" => cell.clone(),
                        index if index == last => markdown::inline(cell),
                        _ => markdown::code(cell, true),
                    });
                    let _ = writeln!(text, "| {} |", cells.collect::<Vec<_>>().join(" | "));
                }
            }
        }
    }
    text.trim_start().to_owned()
}

fn blocks(surface: &Surface) -> Vec<Block> {
    let mut blocks = vec![Block::Heading("Server")];
    server(surface, &mut blocks);
    let mut section = |heading: &'static str, items: Vec<Block>| {
        if !items.is_empty() {
            blocks.push(Block::Heading(heading));
            blocks.extend(items);
        }
    };
    section("Tools", surface.tools.iter().flat_map(tool).collect());
    section("Resources", {
        let resources = surface.resources.iter();
        resources
            .flat_map(|it| resource(&it.uri, &it.name, it.mime_type.as_deref(), it.description.as_deref()))
            .collect()
    });
    section("Resource templates", {
        let templates = surface.resource_templates.iter();
        let blocks = templates
            .flat_map(|it| resource(&it.uri_template, &it.name, it.mime_type.as_deref(), it.description.as_deref()));
        blocks.collect()
    });
    section("Prompts", surface.prompts.iter().flat_map(prompt).collect());
    blocks
}

fn server(surface: &Surface, blocks: &mut Vec<Block>) {
    if let Some(info) = &surface.server_info {
        let Implementation { name, title, version, description, website_url, .. } = info;
        blocks.push(Block::Name(excerpt(name).to_string()));
        blocks.extend(title.as_deref().map(|title| Block::Field("title", excerpt(title).to_string())));
        blocks.push(Block::Field("version", excerpt(version).to_string()));
        blocks.extend(website_url.as_deref().map(|url| Block::Field("website", excerpt(url).to_string())));
        blocks.extend(description.clone().map(Block::Paragraph));
    }
    blocks.push(Block::Field("revision", excerpt(&surface.protocol_version).to_string()));
    let capabilities = describe(&surface.capabilities);
    let capabilities = if capabilities.is_empty() { "none".to_owned() } else { capabilities.join(", ") };
    blocks.push(Block::Field("capabilities", capabilities));
    if let Some(instructions) = &surface.instructions {
        blocks.push(Block::Heading("Instructions"));
        blocks.push(Block::Paragraph(instructions.clone()));
    }
}

fn tool(tool: &ToolDefinition) -> Vec<Block> {
    let mut blocks = vec![Block::Name(excerpt(&tool.name).to_string())];
    blocks.extend(tool.title.as_deref().map(|title| Block::Field("title", excerpt(title).to_string())));
    blocks.extend(tool.description.clone().map(Block::Paragraph));
    let hints = tool.annotations.as_ref().map(hints).unwrap_or_default();
    if !hints.is_empty() {
        blocks.push(Block::Field("hints", hints));
    }
    table(&tool.input_schema, "arguments", &mut blocks);
    if let Some(schema) = &tool.output_schema {
        table(schema, "result", &mut blocks);
    }
    blocks
}

/// Adds the table of a schema. A schema that is not readable is mentioned.
fn table(schema: &RawJson, label: &'static str, blocks: &mut Vec<Block>) {
    match schema.decode::<Value>() {
        Ok(document) => {
            let rows = fields(&document);
            if rows.is_empty() {
                blocks.push(Block::Field(label, "none declared".to_owned()));
            } else {
                blocks.push(Block::Field(label, String::new()));
                blocks.push(Block::Table(&COLUMNS, rows));
            }
        }
        Err(_) => blocks.push(Block::Field(label, "the schema is not readable".to_owned())),
    }
}

fn hints(annotations: &ToolAnnotations) -> String {
    let hints = [
        ("read-only", "not read-only", annotations.read_only_hint),
        ("destructive", "not destructive", annotations.destructive_hint),
        ("idempotent", "not idempotent", annotations.idempotent_hint),
        ("open world", "closed world", annotations.open_world_hint),
    ];
    let hints = hints.into_iter().filter_map(|(yes, no, hint)| Some(if hint? { yes } else { no }));
    hints.collect::<Vec<_>>().join(", ")
}

fn resource(uri: &str, name: &str, mime_type: Option<&str>, description: Option<&str>) -> Vec<Block> {
    let mut blocks = vec![Block::Name(excerpt(uri).to_string()), Block::Field("name", excerpt(name).to_string())];
    blocks.extend(mime_type.map(|mime_type| Block::Field("MIME type", excerpt(mime_type).to_string())));
    blocks.extend(description.map(|text| Block::Paragraph(text.to_owned())));
    blocks
}

fn prompt(prompt: &PromptDefinition) -> Vec<Block> {
    let mut blocks = vec![Block::Name(excerpt(&prompt.name).to_string())];
    blocks.extend(prompt.title.as_deref().map(|title| Block::Field("title", excerpt(title).to_string())));
    blocks.extend(prompt.description.clone().map(Block::Paragraph));
    let rows = prompt.arguments.iter().map(|argument| {
        vec![
            excerpt(&argument.name).to_string(),
            if argument.required == Some(true) { "yes" } else { "no" }.to_owned(),
            argument.description.clone().unwrap_or_default(),
        ]
    });
    let rows: Vec<Row> = rows.collect();
    if !rows.is_empty() {
        blocks.push(Block::Table(&["name", "required", "description"], rows));
    }
    blocks
}
