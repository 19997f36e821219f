//! The types of the protocol, independent of revision and transport.
//!
//! Fields that exist only on the wire (`jsonrpc`, `resultType`, the server info in each result) are
//! not part of these types; [`crate::wire`] adds and removes them. Field names are those of the
//! specification in snake case.
//!
//! `new` takes the required fields of a struct. Structs without required fields implement [`Default`]. Each optional field
//! has a setter with the name of the field:
//!
//! ```
//! use ferromcp_core::RawJson;
//! use ferromcp_core::model::{ToolAnnotations, ToolDefinition};
//!
//! let tool = ToolDefinition::new("read", RawJson::parse(r#"{"type":"object"}"#)?)
//!     .title("Read a file")
//!     .annotations(ToolAnnotations::default().read_only_hint(true));
//! assert_eq!(tool.title.as_deref(), Some("Read a file"));
//! # Ok::<_, serde_json::Error>(())
//! ```

pub(crate) mod annotations;
pub(crate) mod cache;
pub(crate) mod capability;
pub(crate) mod completion;
pub(crate) mod content;
pub(crate) mod elicit;
pub(crate) mod implementation;
pub(crate) mod input;
pub(crate) mod lifecycle;
pub(crate) mod log;
pub(crate) mod log_level;
pub(crate) mod page;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod resource;
pub(crate) mod root;
pub(crate) mod sampling;
pub(crate) mod subscription;
pub(crate) mod task;
pub(crate) mod tool;

pub use annotations::{Annotations, Role};
pub use cache::{CacheHint, CacheScope};
pub use capability::{
    ClientCapabilities, ElicitationCapability, ListChanged, ResourcesCapability, SamplingCapability,
    ServerCapabilities, TaskRequests, TasksCapability,
};
pub use completion::{
    CompleteParams, CompleteResult, CompletionArgument, CompletionContext, CompletionValues, Reference,
};
pub use content::{AudioContent, ContentBlock, EmbeddedResource, ImageContent, TextContent};
pub use elicit::{
    Choice, ChoiceItems, ElicitAction, ElicitParams, ElicitResult, ElicitationCompleteParams, FieldType, FormParams,
    FormSchema, PrimitiveSchema, UrlParams,
};
pub use implementation::{Icon, IconTheme, Implementation};
pub use input::{InputRequest, InputRequired};
pub use lifecycle::{
    DiscoverParams, DiscoverResult, EmptyParams, EmptyResult, InitializeParams, InitializeResult, NotificationParams,
};
pub use log::{LogMessageParams, SetLevelParams};
pub use log_level::LogLevel;
pub use page::{
    Items, ListParams, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
};
pub use progress::{CancelledParams, ProgressParams};
pub use prompt::{GetPromptParams, GetPromptResult, PromptArgument, PromptDefinition, PromptMessage};
pub use resource::{
    ReadResourceParams, ReadResourceResult, ResourceBody, ResourceContents, ResourceDefinition, ResourceLink,
    ResourceTemplate, ResourceUpdatedParams, ResourceUriParams,
};
pub use root::{ListRootsResult, Root};
pub use sampling::{
    CreateMessageParams, CreateMessageResult, IncludeContext, ModelHint, ModelPreferences, SamplingContent,
    SamplingMessage, ToolChoice, ToolChoiceMode, ToolResultContent, ToolUseContent,
};
pub use subscription::{AcknowledgedParams, ListenParams, ListenResult, SubscriptionFilter};
pub use task::{CreateTaskResult, ListTasksResult, Task, TaskIdParams, TaskMetadata, TaskPayload, TaskStatus};
pub use tool::{CallToolParams, CallToolResult, TaskSupport, ToolAnnotations, ToolDefinition, ToolExecution};
