//! The table of methods: the sender, parameters, result and revisions of each method.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/schema>. Messages are decoded
//! according to their method in this table.

use crate::json::{RawJson, RawMap};
use crate::meta_object::Meta;
use crate::model::{
    AcknowledgedParams, CacheScope, CallToolParams, CallToolResult, CancelledParams, CompleteParams, CompleteResult,
    CreateMessageParams, CreateMessageResult, CreateTaskResult, DiscoverParams, DiscoverResult, ElicitParams,
    ElicitResult, ElicitationCompleteParams, EmptyParams, EmptyResult, GetPromptParams, GetPromptResult,
    InitializeParams, InitializeResult, ListParams, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListRootsResult, ListTasksResult, ListToolsResult, ListenParams, ListenResult,
    LogMessageParams, NotificationParams, ProgressParams, ReadResourceParams, ReadResourceResult,
    ResourceUpdatedParams, ResourceUriParams, SetLevelParams, Task, TaskIdParams, TaskPayload,
};
use crate::repair::{FieldError, Repairs, decode_result};
use crate::request_meta::RequestMeta;
use crate::revision::Revision;
use crate::revision::Revision::{V2024_11_05, V2025_06_18, V2025_11_25, V2026_07_28};

/// The properties of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Method {
    /// The name on the wire.
    pub name: &'static str,
    /// The first revision with this method.
    pub since: Revision,
    /// The last revision with this method.
    pub until: Revision,
    /// Whether a server can respond with an `input_required` result (2026-07-28).
    pub may_require_input: bool,
    /// Whether the result has cache hints (2026-07-28).
    pub cacheable: bool,
}

impl Method {
    /// Returns `true` if `revision` has this method.
    pub fn exists_in(&self, revision: Revision) -> bool {
        (self.since..=self.until).contains(&revision)
    }
}

/// A request or notification with a method that is not defined by the specification.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Custom {
    /// The method name.
    pub method: String,
    /// The parameters, as raw JSON.
    pub params: RawJson,
}

impl Custom {
    /// Creates a message with a custom method.
    pub fn new(method: impl Into<String>, params: RawJson) -> Self {
        Self { method: method.into(), params }
    }
}

macro_rules! messages {
    ($(#[$doc:meta])* $enum:ident {
        $($name:literal => $variant:ident($params:ty), $since:ident ..= $until:ident $(, $flag:ident)*;)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        #[allow(clippy::large_enum_variant)] // short-lived; a box would cost an allocation per call
        pub enum $enum {
            $(#[doc = concat!("`", $name, "`")] $variant($params),)*
            /// A custom method.
            Custom(Custom),
        }

        impl $enum {
            /// The methods of this kind, of all revisions.
            pub const METHODS: &'static [Method] = &[$(Method {
                name: $name,
                since: $since,
                until: $until,
                may_require_input: false $(|| messages!(@is may_require_input $flag))*,
                cacheable: false $(|| messages!(@is cacheable $flag))*,
            },)*];

            /// Returns the name of the method on the wire.
            pub fn method(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $name,)*
                    Self::Custom(custom) => &custom.method,
                }
            }

            /// Returns `true` if `method` is one of these methods.
            pub(crate) fn knows(method: &str) -> bool {
                matches!(method, $($name)|*)
            }

            /// Decodes the parameters of `method`, a part of `frame`.
            pub(crate) fn decode<'de, D: serde::Deserializer<'de>>(
                method: &str,
                params: D,
                frame: &crate::shared_str::Str,
            ) -> Result<Self, D::Error> {
                use crate::wire::params::WireParams;
                match method {
                    $($name => <$params>::read(params, frame).map(Self::$variant),)*
                    _ => <RawJson as WireParams>::read(params, frame).map(|params| Self::Custom(Custom::new(method, params))),
                }
            }
        }

        impl serde::Serialize for $enum {
            /// Serializes only the parameters.
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(params) => params.serialize(serializer),)*
                    Self::Custom(custom) => custom.params.serialize(serializer),
                }
            }
        }

        impl $enum {
            /// Returns the properties of the method, or `None` for a custom method.
            pub fn info(&self) -> Option<&'static Method> {
                let name = self.method();
                Self::METHODS.iter().find(|method| method.name == name)
            }
        }
    };
    (@is may_require_input may_require_input) => { true };
    (@is cacheable cacheable) => { true };
    (@is $($other:tt)*) => { false };
}

messages! {
    /// A request from client to server. Serializes to its parameters.
    ClientRequest {
        "initialize"               => Initialize(Box<InitializeParams>),  V2024_11_05 ..= V2025_11_25;
        "server/discover"          => Discover(DiscoverParams),           V2026_07_28 ..= V2026_07_28, cacheable;
        "ping"                     => Ping(EmptyParams),                  V2024_11_05 ..= V2025_11_25;
        "tools/list"               => ListTools(ListParams),              V2024_11_05 ..= V2026_07_28, cacheable;
        "tools/call"               => CallTool(CallToolParams),           V2024_11_05 ..= V2026_07_28, may_require_input;
        "resources/list"           => ListResources(ListParams),          V2024_11_05 ..= V2026_07_28, cacheable;
        "resources/templates/list" => ListResourceTemplates(ListParams),  V2024_11_05 ..= V2026_07_28, cacheable;
        "resources/read"           => ReadResource(ReadResourceParams),   V2024_11_05 ..= V2026_07_28, may_require_input, cacheable;
        "resources/subscribe"      => Subscribe(ResourceUriParams),       V2024_11_05 ..= V2025_11_25;
        "resources/unsubscribe"    => Unsubscribe(ResourceUriParams),     V2024_11_05 ..= V2025_11_25;
        "prompts/list"             => ListPrompts(ListParams),            V2024_11_05 ..= V2026_07_28, cacheable;
        "prompts/get"              => GetPrompt(GetPromptParams),         V2024_11_05 ..= V2026_07_28, may_require_input;
        "completion/complete"      => Complete(CompleteParams),           V2024_11_05 ..= V2026_07_28;
        "logging/setLevel"         => SetLevel(SetLevelParams),           V2024_11_05 ..= V2025_11_25;
        "subscriptions/listen"     => Listen(ListenParams),               V2026_07_28 ..= V2026_07_28;
        "tasks/get"                => GetTask(TaskIdParams),              V2025_11_25 ..= V2025_11_25;
        "tasks/result"             => GetTaskPayload(TaskIdParams),       V2025_11_25 ..= V2025_11_25;
        "tasks/list"               => ListTasks(ListParams),              V2025_11_25 ..= V2025_11_25;
        "tasks/cancel"             => CancelTask(TaskIdParams),           V2025_11_25 ..= V2025_11_25;
    }
}

messages! {
    /// A notification from client to server. Serializes to its parameters.
    ClientNotification {
        "notifications/initialized"        => Initialized(NotificationParams),      V2024_11_05 ..= V2025_11_25;
        "notifications/cancelled"          => Cancelled(CancelledParams),           V2024_11_05 ..= V2026_07_28;
        "notifications/progress"           => Progress(ProgressParams),             V2024_11_05 ..= V2025_11_25;
        "notifications/roots/list_changed" => RootsListChanged(NotificationParams), V2024_11_05 ..= V2025_11_25;
        "notifications/tasks/status"       => TaskStatus(Task),                     V2025_11_25 ..= V2025_11_25;
    }
}

messages! {
    /// A request from server to client (legacy era only). Serializes to its parameters.
    ServerRequest {
        "ping"                   => Ping(EmptyParams),                 V2024_11_05 ..= V2025_11_25;
        "sampling/createMessage" => CreateMessage(Box<CreateMessageParams>), V2024_11_05 ..= V2025_11_25;
        "roots/list"             => ListRoots(EmptyParams),            V2024_11_05 ..= V2025_11_25;
        "elicitation/create"     => Elicit(Box<ElicitParams>),         V2025_06_18 ..= V2025_11_25;
        "tasks/get"              => GetTask(TaskIdParams),             V2025_11_25 ..= V2025_11_25;
        "tasks/result"           => GetTaskPayload(TaskIdParams),      V2025_11_25 ..= V2025_11_25;
        "tasks/list"             => ListTasks(ListParams),             V2025_11_25 ..= V2025_11_25;
        "tasks/cancel"           => CancelTask(TaskIdParams),          V2025_11_25 ..= V2025_11_25;
    }
}

messages! {
    /// A notification from server to client. Serializes to its parameters.
    ServerNotification {
        "notifications/cancelled"                  => Cancelled(CancelledParams),               V2024_11_05 ..= V2026_07_28;
        "notifications/progress"                   => Progress(ProgressParams),                 V2024_11_05 ..= V2026_07_28;
        "notifications/message"                    => Message(LogMessageParams),                V2024_11_05 ..= V2026_07_28;
        "notifications/resources/updated"          => ResourceUpdated(ResourceUpdatedParams),   V2024_11_05 ..= V2026_07_28;
        "notifications/resources/list_changed"     => ResourceListChanged(NotificationParams),  V2024_11_05 ..= V2026_07_28;
        "notifications/tools/list_changed"         => ToolListChanged(NotificationParams),      V2024_11_05 ..= V2026_07_28;
        "notifications/prompts/list_changed"       => PromptListChanged(NotificationParams),    V2024_11_05 ..= V2026_07_28;
        "notifications/subscriptions/acknowledged" => Acknowledged(AcknowledgedParams),         V2026_07_28 ..= V2026_07_28;
        "notifications/elicitation/complete"       => ElicitationComplete(ElicitationCompleteParams), V2025_11_25 ..= V2025_11_25;
        "notifications/tasks/status"               => TaskStatus(Task),                         V2025_11_25 ..= V2025_11_25;
    }
}

impl ClientRequest {
    /// Returns the `_meta` of the request, or `None` for a custom method.
    pub fn meta(&self) -> Option<&RequestMeta> {
        Some(match self {
            Self::Initialize(params) => &params.meta,
            Self::Discover(params) | Self::Ping(params) => &params.meta,
            Self::ListTools(params)
            | Self::ListResources(params)
            | Self::ListResourceTemplates(params)
            | Self::ListPrompts(params)
            | Self::ListTasks(params) => &params.meta,
            Self::CallTool(params) => &params.meta,
            Self::ReadResource(params) => &params.meta,
            Self::Subscribe(params) | Self::Unsubscribe(params) => &params.meta,
            Self::GetPrompt(params) => &params.meta,
            Self::Complete(params) => &params.meta,
            Self::SetLevel(params) => &params.meta,
            Self::Listen(params) => &params.meta,
            Self::GetTask(params) | Self::GetTaskPayload(params) | Self::CancelTask(params) => &params.meta,
            Self::Custom(_) => return None,
        })
    }

    /// Returns the `_meta` of the request for modification, or `None` for a custom method.
    pub(crate) fn meta_mut(&mut self) -> Option<&mut RequestMeta> {
        Some(match self {
            Self::Initialize(params) => &mut params.meta,
            Self::Discover(params) | Self::Ping(params) => &mut params.meta,
            Self::ListTools(params)
            | Self::ListResources(params)
            | Self::ListResourceTemplates(params)
            | Self::ListPrompts(params)
            | Self::ListTasks(params) => &mut params.meta,
            Self::CallTool(params) => &mut params.meta,
            Self::ReadResource(params) => &mut params.meta,
            Self::Subscribe(params) | Self::Unsubscribe(params) => &mut params.meta,
            Self::GetPrompt(params) => &mut params.meta,
            Self::Complete(params) => &mut params.meta,
            Self::SetLevel(params) => &mut params.meta,
            Self::Listen(params) => &mut params.meta,
            Self::GetTask(params) | Self::GetTaskPayload(params) | Self::CancelTask(params) => &mut params.meta,
            Self::Custom(_) => return None,
        })
    }
}

macro_rules! results {
    ($(#[$doc:meta])* $enum:ident { $($(#[$variant_doc:meta])* $variant:ident($result:ty),)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum $enum {
            $($(#[$variant_doc])* $variant($result),)*
            /// The result of a custom method: a JSON object.
            Custom(RawJson),
        }

        $(impl From<$result> for $enum {
            fn from(result: $result) -> Self {
                Self::$variant(result)
            }
        })*

        impl serde::Serialize for $enum {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(result) => result.serialize(serializer),)*
                    Self::Custom(result) => result.serialize(serializer),
                }
            }
        }
    };
}

results! {
    /// The result of a client request.
    ServerResult {
        /// The result of `initialize`.
        Initialize(Box<InitializeResult>),
        /// The result of `server/discover`.
        Discover(Box<DiscoverResult>),
        /// The result of `ping`, `logging/setLevel`, `resources/subscribe` and `resources/unsubscribe`.
        Empty(EmptyResult),
        /// The result of `tools/list`.
        ListTools(ListToolsResult),
        /// The result of `tools/call`.
        CallTool(CallToolResult),
        /// The result of `resources/list`.
        ListResources(ListResourcesResult),
        /// The result of `resources/templates/list`.
        ListResourceTemplates(ListResourceTemplatesResult),
        /// The result of `resources/read`.
        ReadResource(ReadResourceResult),
        /// The result of `prompts/list`.
        ListPrompts(ListPromptsResult),
        /// The result of `prompts/get`.
        GetPrompt(GetPromptResult),
        /// The result of `completion/complete`.
        Complete(CompleteResult),
        /// The final result of `subscriptions/listen`.
        Listen(ListenResult),
        /// The result of a request that is executed as a task.
        CreateTask(Box<CreateTaskResult>),
        /// The result of `tasks/get` and `tasks/cancel`.
        Task(Box<Task>),
        /// The result of `tasks/result`.
        TaskPayload(TaskPayload),
        /// The result of `tasks/list`.
        ListTasks(ListTasksResult),
    }
}

results! {
    /// The result of a server request (legacy era), or the response to an input request (modern era).
    ClientResult {
        /// The result of `ping`.
        Empty(EmptyResult),
        /// The result of `sampling/createMessage`.
        CreateMessage(Box<CreateMessageResult>),
        /// The result of `roots/list`.
        ListRoots(ListRootsResult),
        /// The result of `elicitation/create`.
        Elicit(ElicitResult),
        /// The result of a request that is executed as a task.
        CreateTask(Box<CreateTaskResult>),
        /// The result of `tasks/get` and `tasks/cancel`.
        Task(Box<Task>),
        /// The result of `tasks/result`.
        TaskPayload(TaskPayload),
        /// The result of `tasks/list`.
        ListTasks(ListTasksResult),
    }
}

macro_rules! boxed {
    ($($enum:ident::$variant:ident($result:ty),)*) => {
        $(impl From<$result> for $enum {
            fn from(result: $result) -> Self {
                Self::$variant(Box::new(result))
            }
        })*
    };
}

boxed! {
    ServerResult::Initialize(InitializeResult),
    ServerResult::Discover(DiscoverResult),
    ServerResult::CreateTask(CreateTaskResult),
    ServerResult::Task(Task),
    ClientResult::CreateMessage(CreateMessageResult),
    ClientResult::CreateTask(CreateTaskResult),
    ClientResult::Task(Task),
}

impl ServerResult {
    /// Decodes the result of `method`. A result with a `task` field and without content is decoded as a task.
    ///
    /// An unreadable optional field is ignored, and an item of a list without its required fields is skipped. The other
    /// fields and items are kept.
    ///
    /// # Errors
    /// Returns an error if the result does not match the method.
    pub fn decode(method: &str, result: &RawJson) -> Result<Self, FieldError> {
        Self::decode_with_repairs(method, result, &mut Repairs::new())
    }

    /// Decodes the result of `method` like [`decode`](Self::decode), and records the ignored and skipped parts.
    ///
    /// # Errors
    /// Returns an error if the result does not match the method.
    pub fn decode_with_repairs(method: &str, result: &RawJson, repairs: &mut Repairs) -> Result<Self, FieldError> {
        Ok(match method {
            "initialize" => Self::Initialize(decode_result(result, ROOT, repairs)?),
            "server/discover" => Self::Discover(decode_result(result, ROOT, repairs)?),
            "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" => {
                Self::Empty(decode_result(result, ROOT, repairs)?)
            }
            "tools/list" => Self::ListTools(decode_result(result, ROOT, repairs)?),
            "tools/call" => call_result(result, repairs)?,
            "resources/list" => Self::ListResources(decode_result(result, ROOT, repairs)?),
            "resources/templates/list" => Self::ListResourceTemplates(decode_result(result, ROOT, repairs)?),
            "resources/read" => Self::ReadResource(decode_result(result, ROOT, repairs)?),
            "prompts/list" => Self::ListPrompts(decode_result(result, ROOT, repairs)?),
            "prompts/get" => Self::GetPrompt(decode_result(result, ROOT, repairs)?),
            "completion/complete" => Self::Complete(decode_result(result, ROOT, repairs)?),
            "subscriptions/listen" => Self::Listen(decode_result(result, ROOT, repairs)?),
            "tasks/get" | "tasks/cancel" => Self::Task(decode_result(result, ROOT, repairs)?),
            "tasks/result" => Self::TaskPayload(decode_result(result, ROOT, repairs)?),
            "tasks/list" => Self::ListTasks(decode_result(result, ROOT, repairs)?),
            _ => Self::Custom(result.clone()),
        })
    }

    /// Returns the `_meta` of the result for modification. Returns `None` for custom methods and task payloads.
    pub fn meta_mut(&mut self) -> Option<&mut Meta> {
        Some(match self {
            Self::Initialize(result) => &mut result.meta,
            Self::Discover(result) => &mut result.meta,
            Self::Empty(result) => &mut result.meta,
            Self::ListTools(result) => &mut result.meta,
            Self::CallTool(result) => &mut result.meta,
            Self::ListResources(result) => &mut result.meta,
            Self::ListResourceTemplates(result) => &mut result.meta,
            Self::ReadResource(result) => &mut result.meta,
            Self::ListPrompts(result) => &mut result.meta,
            Self::GetPrompt(result) => &mut result.meta,
            Self::Complete(result) => &mut result.meta,
            Self::Listen(result) => &mut result.meta,
            Self::CreateTask(result) => &mut result.meta,
            Self::Task(result) => &mut result.meta,
            Self::ListTasks(result) => &mut result.meta,
            Self::TaskPayload(_) | Self::Custom(_) => return None,
        })
    }

    /// Returns the cache hint of the result for modification: the time to live in milliseconds, and the scope. Returns
    /// `None` for methods without cache hints.
    pub fn cache_mut(&mut self) -> Option<(&mut Option<u64>, &mut Option<CacheScope>)> {
        Some(match self {
            Self::Discover(result) => (&mut result.ttl_ms, &mut result.cache_scope),
            Self::ListTools(result) => (&mut result.ttl_ms, &mut result.cache_scope),
            Self::ListResources(result) => (&mut result.ttl_ms, &mut result.cache_scope),
            Self::ListResourceTemplates(result) => (&mut result.ttl_ms, &mut result.cache_scope),
            Self::ReadResource(result) => (&mut result.ttl_ms, &mut result.cache_scope),
            Self::ListPrompts(result) => (&mut result.ttl_ms, &mut result.cache_scope),
            _ => return None,
        })
    }
}

impl ClientResult {
    /// Decodes the result of `method`. Imperfect fields and items are ignored or skipped, and the others are kept, see
    /// [`ServerResult::decode`].
    ///
    /// # Errors
    /// Returns an error if the result does not match the method.
    pub fn decode(method: &str, result: &RawJson) -> Result<Self, FieldError> {
        let repairs = &mut Repairs::new();
        Ok(match method {
            "ping" => Self::Empty(decode_result(result, ROOT, repairs)?),
            "sampling/createMessage" => match task_of(result) {
                Some(task) => task.into(),
                None => Self::CreateMessage(decode_result(result, ROOT, repairs)?),
            },
            "elicitation/create" => match task_of(result) {
                Some(task) => task.into(),
                None => Self::Elicit(decode_result(result, ROOT, repairs)?),
            },
            "roots/list" => Self::ListRoots(decode_result(result, ROOT, repairs)?),
            "tasks/get" | "tasks/cancel" => Self::Task(decode_result(result, ROOT, repairs)?),
            "tasks/result" => Self::TaskPayload(decode_result(result, ROOT, repairs)?),
            "tasks/list" => Self::ListTasks(decode_result(result, ROOT, repairs)?),
            _ => Self::Custom(result.clone()),
        })
    }
}

/// The name of a result in the paths of errors.
const ROOT: &str = "result";

/// Decodes the result of `tools/call`, which may be a task. A task has no content.
fn call_result(result: &RawJson, repairs: &mut Repairs) -> Result<ServerResult, FieldError> {
    let decoded: CallToolResult = decode_result(result, ROOT, repairs)?;
    let has_content = !decoded.content.is_empty() || decoded.structured_content.is_some();
    if !has_content && result.decode::<RawMap>().is_ok_and(|map| map.get("task").is_some()) {
        return decode_result::<CreateTaskResult>(result, ROOT, repairs).map(ServerResult::from);
    }
    Ok(ServerResult::CallTool(decoded))
}

/// Returns the task of a result with a `task` field.
fn task_of(result: &RawJson) -> Option<CreateTaskResult> {
    serde_json::from_str(result.as_str()).ok()
}
