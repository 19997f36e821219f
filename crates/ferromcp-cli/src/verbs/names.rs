//! `mcp names`: lists the saved names.

use serde_json::{Map, json};

use crate::cli::Names;
use crate::exit::Failure;
use crate::output::Output;
use crate::target::saved;
use crate::terminal::message;

/// Prints each name with its target. The values of headers and variables are omitted.
pub(crate) fn run(args: &Names) -> Result<(), Failure> {
    let targets = saved::load()?;
    let mut out = Output::stdout();
    if args.json {
        let entries: Map<String, serde_json::Value> = targets
            .iter()
            .map(|(name, saved)| {
                let entry = json!({ "target": saved.target, "command": saved.command, "folder": saved.folder });
                (name.clone(), entry)
            })
            .collect();
        out.json(&entries)?;
        return out.flush();
    }
    if targets.is_empty() {
        message("no names are saved; `mcp add NAME TARGET` saves one");
    }
    for (name, saved) in &targets {
        out.line(&format!("{name}\t{}", saved.describe()))?;
    }
    out.flush()
}
