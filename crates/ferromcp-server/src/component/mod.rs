//! Tools, resources, prompts and completions: functions with a description that a server registers.

mod completion;
mod parts;
mod prompt;
mod resource;
mod resource_list;
mod tool;

pub use completion::Completion;
pub use parts::{Component, Parts};
pub use prompt::Prompt;
pub use resource::Resource;
pub use resource_list::{ListFunction, ResourceListOutput};
pub use tool::Tool;

pub(crate) use completion::{CompletionKey, Owner, ReadyCompletion};
pub(crate) use prompt::{ReadyPrompt, texts as prompt_texts};
pub(crate) use resource::{Listed, ReadyResource, texts as resource_texts};
pub(crate) use tool::ReadyTool;

/// A type that defines a tool; implemented by `#[tool]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tool; annotate the function with `#[tool]`",
    note = "a value with `#[component]` is mounted with `.mount(\"\", value)`"
)]
pub trait ToolDef {
    /// Returns the tool.
    fn tool() -> Tool;
}

/// A type that defines a resource; implemented by `#[resource]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a resource; annotate the function with `#[resource]`",
    note = "a value with `#[component]` is mounted with `.mount(\"\", value)`"
)]
pub trait ResourceDef {
    /// Returns the resource.
    fn resource() -> Resource;
}

/// A type that defines a prompt; implemented by `#[prompt]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a prompt; annotate the function with `#[prompt]`",
    note = "a value with `#[component]` is mounted with `.mount(\"\", value)`"
)]
pub trait PromptDef {
    /// Returns the prompt.
    fn prompt() -> Prompt;
}

/// A type that defines a completion; implemented by `#[completion]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a completion; annotate the function with `#[completion]`",
    note = "a value with `#[component]` is mounted with `.mount(\"\", value)`"
)]
pub trait CompletionDef {
    /// Returns the completion.
    fn completion() -> Completion;
}
