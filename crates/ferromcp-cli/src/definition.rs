//! Finds the definition of a tool or a prompt by its name.

use ferromcp_client::{ListCall, Listable};
use ferromcp_core::model::{PromptDefinition, ToolDefinition};
use ferromcp_core::text::excerpt;

use crate::exit::Failure;
use crate::signature::{prompt_signature, tool_signature};
use crate::suggestion::{Closest, closest};

/// A definition with arguments.
pub(crate) trait Definition: Listable {
    /// The word in errors.
    const KIND: &'static str;

    fn name(&self) -> &str;

    fn signature(&self) -> String;
}

impl Definition for ToolDefinition {
    const KIND: &'static str = "tool";

    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> String {
        tool_signature(self)
    }
}

impl Definition for PromptDefinition {
    const KIND: &'static str = "prompt";

    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> String {
        prompt_signature(self)
    }
}

/// Returns the definition with this name. Pages after it are not fetched.
///
/// # Errors
/// Fails if the server does not list it; the text contains the signature of the closest one.
pub(crate) async fn find_definition<T: Definition>(mut list: ListCall<T>, name: &str) -> Result<T, Failure> {
    let mut closest = Closest::to(name);
    let mut similar = None;
    while let Some(item) = list.next().await {
        let item = item?;
        if item.name() == name {
            return Ok(item);
        }
        if closest.add(item.name()) {
            similar = Some(item.signature());
        }
    }
    let remedy = match similar {
        Some(signature) => format!("did you mean `{signature}`?"),
        None => format!("`mcp list TARGET {0}s` lists the {0}s", T::KIND),
    };
    Err(Failure::usage(format!("the server has no {} `{}`; {remedy}", T::KIND, excerpt(name))))
}

/// Describes an argument that is not one of `known`.
pub(crate) fn unknown_argument<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Failure {
    let similar = closest(name, known).map(|name| format!("; did you mean `{}`?", excerpt(&name))).unwrap_or_default();
    Failure::usage(format!("unknown argument `{}`{similar}", excerpt(name)))
}

/// Adds the signature to an error about arguments.
pub(crate) fn with_signature(failure: Failure, definition: &impl Definition) -> Failure {
    failure.with_remedy(format_args!("usage: {}", definition.signature()))
}
