//! Return types of handlers and their conversion to results.
//!
//! | type | result of a tool |
//! |---|---|
//! | `String`, `&'static str`, `()` | text, or an empty result |
//! | numbers, `bool` | text and `{"result": …}`, with an output schema |
//! | [`Json<T>`](Json) | structured content with the schema of `T`, and the same JSON as text |
//! | [`Image`], [`Audio`], [`File`], content blocks | a content block |
//! | `Vec`, `Option` and tuples of content | the content blocks in order |
//! | `Result<_, E>` | the value, or a tool error |
//! | [`RoundOutcome<_>`](crate::RoundOutcome) | the value, or the next round of the call |
//! | `CallToolResult` | the result unchanged |

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
