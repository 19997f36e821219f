//! Tasks: requests with deferred results (2025-11-25, experimental).
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks>.

use serde::{Deserialize, Serialize};

use crate::json::RawMap;
use crate::meta_object::Meta;
use crate::request_meta::RequestMeta;
use crate::setters::setters;
use crate::shared_str::Str;

/// Requests execution as a task.
///
/// Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks>.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TaskMetadata {
    /// The requested retention time in milliseconds since creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
}

setters!(TaskMetadata {
    ttl: Option<u64>,
});

/// The status of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaskStatus {
    /// The request is being processed.
    Working,
    /// The task waits for input from the client.
    InputRequired,
    /// The request completed and the result is available.
    Completed,
    /// The request failed.
    Failed,
    /// The request was cancelled.
    Cancelled,
}

/// A task. Also the result of `tasks/get` and `tasks/cancel`, and the parameters of `notifications/tasks/status`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Task {
    /// The id of the task.
    pub task_id: String,
    /// The current status.
    pub status: TaskStatus,
    /// A description of the current status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// The creation time, in ISO 8601.
    pub created_at: String,
    /// The time of the last update, in ISO 8601.
    pub last_updated_at: String,
    /// The retention time in milliseconds since creation. `None` is unlimited and serialized as `null`.
    pub ttl: Option<u64>,
    /// The suggested polling interval in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_interval: Option<u64>,
    /// The `_meta` of the object.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl Task {
    /// Creates a task in status `working` with unlimited retention. `created_at` is in ISO 8601.
    pub fn new(task_id: impl Into<String>, created_at: impl Into<String>) -> Self {
        let created_at = created_at.into();
        Self {
            task_id: task_id.into(),
            status: TaskStatus::Working,
            status_message: None,
            last_updated_at: created_at.clone(),
            created_at,
            ttl: None,
            poll_interval: None,
            meta: Meta::new(),
        }
    }
}

setters!(Task {
    status: TaskStatus,
    status_message: Option<String>,
    last_updated_at: String,
    ttl: Option<u64>,
    poll_interval: Option<u64>,
    meta: Meta,
});

/// The result of a request that is executed as a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreateTaskResult {
    /// The task.
    pub task: Task,
    /// The `_meta` of the object.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl CreateTaskResult {
    /// Creates a result with this task.
    pub fn new(task: Task) -> Self {
        Self { task, meta: Meta::new() }
    }
}

setters!(CreateTaskResult { meta: Meta });

/// The parameters of `tasks/get`, `tasks/result` and `tasks/cancel`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TaskIdParams {
    /// The id of the task.
    pub task_id: Str,
    /// The request's `_meta`.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

impl TaskIdParams {
    /// Creates the parameters with a task id.
    pub fn new(task_id: impl Into<Str>) -> Self {
        Self { task_id: task_id.into(), meta: RequestMeta::default() }
    }
}

setters!(TaskIdParams { meta: RequestMeta });

/// The result of `tasks/result`: the result of the original request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskPayload(pub RawMap);

/// The result of `tasks/list`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ListTasksResult {
    /// The tasks of this page.
    pub tasks: Vec<Task>,
    /// The cursor of the next page. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// The `_meta` of the object.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl ListTasksResult {
    /// Creates a page.
    pub fn new(tasks: Vec<Task>) -> Self {
        Self { tasks, next_cursor: None, meta: Meta::new() }
    }
}

setters!(ListTasksResult {
    next_cursor: Option<String>,
    meta: Meta,
});
