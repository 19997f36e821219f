//! What a server offers: tools, resources, prompts and completions, each a function with a description.

mod completion;
mod namespace;
mod parts;
mod prompt;
mod resource;
mod tool;

pub use completion::Completion;
pub use parts::{Component, Parts};
pub use prompt::Prompt;
pub use resource::Resource;
pub use tool::Tool;

pub(crate) use completion::{CompletionKey, ReadyCompletion};
pub(crate) use prompt::{ReadyPrompt, texts as prompt_texts};
pub(crate) use resource::{Listed, ReadyResource, texts as resource_texts};
pub(crate) use tool::ReadyTool;

/// A tool as a type, as `#[tool]` makes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tool",
    note = "a function is one under `#[tool]`; a value with `#[component]` is given by `.mount(\"\", value)`"
)]
pub trait ToolDef {
    /// The tool.
    fn tool() -> Tool;
}

/// A resource as a type, as `#[resource]` makes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no resource",
    note = "a function is one under `#[resource]`; a value with `#[component]` is given by `.mount(\"\", value)`"
)]
pub trait ResourceDef {
    /// The resource.
    fn resource() -> Resource;
}

/// A prompt as a type, as `#[prompt]` makes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no prompt",
    note = "a function is one under `#[prompt]`; a value with `#[component]` is given by `.mount(\"\", value)`"
)]
pub trait PromptDef {
    /// The prompt.
    fn prompt() -> Prompt;
}

/// A completion as a type, as `#[completion]` makes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no completion",
    note = "a function is one under `#[completion]`; a value with `#[component]` is given by `.mount(\"\", value)`"
)]
pub trait CompletionDef {
    /// The completion.
    fn completion() -> Completion;
}
