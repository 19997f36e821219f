//! What functions may return, and how it becomes a result.
//!
//! | what | as a tool's result |
//! |---|---|
//! | `String`, `&'static str`, `()` | text, or nothing |
//! | numbers, `bool` | text and `{"result": …}`, with an output schema |
//! | [`Json<T>`](Json) | the value and the same as text, with `T`'s schema |
//! | [`Image`], [`Audio`], [`File`], content blocks | content |
//! | `Vec`, `Option` and tuples of the above content | content in order |
//! | `Result<_, E>` | the success, or words for the model |
//! | `CallToolResult` | as it is |

mod completion;
mod content;
mod media;
mod prompt;
mod resource;
mod tool;

pub use completion::CompletionOutput;
pub use content::IntoContent;
pub use media::{Audio, File, Image, MediaError};
pub use prompt::PromptOutput;
pub use resource::ResourceOutput;
pub use tool::{Json, OutputShape, ToolOutput};
