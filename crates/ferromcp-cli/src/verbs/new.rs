//! `mcp new`: creates the project of a server.

use std::path::Path;

use clap::ValueEnum;

use crate::cli::{New, TemplateName};
use crate::exit::Failure;
use crate::output::Output;
use crate::project::{Project, check_name};
use crate::terminal::message;

/// Creates a project, or lists the templates.
pub(crate) fn run(args: &New) -> Result<(), Failure> {
    let Some(name) = args.name.as_deref().filter(|_| !args.list) else { return list() };
    check_name(name)?;
    let folder = args.path.as_deref().unwrap_or(Path::new(name));
    let project = Project { name, template: args.template, folder, library: args.library_path.as_deref() };
    project.create()?;
    message(next_steps(&project));
    Ok(())
}

/// Prints the templates, with a description of each.
fn list() -> Result<(), Failure> {
    let mut out = Output::stdout();
    for template in TemplateName::value_variants() {
        if let Some(value) = template.to_possible_value() {
            let help = value.get_help().map(ToString::to_string).unwrap_or_default();
            out.line(&format!("{:<13}{help}", value.get_name()))?;
        }
    }
    out.flush()
}

fn next_steps(project: &Project<'_>) -> String {
    let Project { name, folder, template, .. } = project;
    let folder = folder.display();
    let workspace = project.workspace().map(|workspace| {
        let workspace = workspace.display();
        format!("add it to `members` of `{workspace}`, because it is inside this workspace\n")
    });
    let workspace = workspace.unwrap_or_default();
    let steps = match template {
        TemplateName::Http => "cargo run &\n  mcp list http://127.0.0.1:8000/mcp".to_owned(),
        TemplateName::Oauth => "set MCP_URL and MCP_ISSUER, see README.md".to_owned(),
        _ => format!("mcp list {name}"),
    };
    format!("created `{name}` in `{folder}`\n{workspace}next steps:\n  cd {folder}\n  cargo test\n  {steps}")
}
