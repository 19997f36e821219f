//! Capabilities as text.

use ferromcp_core::model::{ListChanged, ServerCapabilities};
use ferromcp_core::text::excerpt;

/// Returns the capabilities with their options.
pub(crate) fn describe(capabilities: &ServerCapabilities) -> Vec<String> {
    let mut names = Vec::new();
    let mut add = |name: &str, options: &[(&str, Option<bool>)]| {
        let options: Vec<&str> =
            options.iter().filter(|(_, is_set)| *is_set == Some(true)).map(|(name, _)| *name).collect();
        let options = if options.is_empty() { String::new() } else { format!(" ({})", options.join(", ")) };
        names.push(format!("{name}{options}"));
    };
    let changes = |list: &ListChanged| [("list changes", list.list_changed)];
    if let Some(tools) = &capabilities.tools {
        add("tools", &changes(tools));
    }
    if let Some(resources) = &capabilities.resources {
        add("resources", &[("list changes", resources.list_changed), ("subscriptions", resources.subscribe)]);
    }
    if let Some(prompts) = &capabilities.prompts {
        add("prompts", &changes(prompts));
    }
    if capabilities.completions.is_some() {
        add("completions", &[]);
    }
    if capabilities.logging.is_some() {
        add("logging", &[]);
    }
    if capabilities.tasks.is_some() {
        add("tasks", &[]);
    }
    for (name, _) in capabilities.extensions.iter().chain(capabilities.experimental.iter()) {
        add(&excerpt(name).to_string(), &[]);
    }
    names
}
