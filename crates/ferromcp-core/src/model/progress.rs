//! Progress and cancellation notifications for in-flight requests.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/utilities/progress>.

use serde::{Deserialize, Serialize};

use crate::id::{ProgressToken, RequestId};
use crate::meta_object::Meta;
use crate::setters::setters;

/// The parameters of `notifications/progress`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/utilities/progress>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ProgressParams {
    /// The progress token of the request.
    pub progress_token: ProgressToken,
    /// The progress so far. Must increase with each notification.
    pub progress: f64,
    /// The total amount of work, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
    /// A message for the user (since 2025-03-26).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The `_meta` of the notification.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl ProgressParams {
    /// Creates a progress notification.
    pub fn new(progress_token: ProgressToken, progress: f64) -> Self {
        Self { progress_token, progress, total: None, message: None, meta: Meta::new() }
    }
}

setters!(ProgressParams {
    total: Option<f64>,
    message: Option<String>,
    meta: Meta,
});

/// The parameters of `notifications/cancelled`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CancelledParams {
    /// The id of the request to cancel. Optional only on 2025-11-25.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// The reason, for logs and user interfaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The `_meta` of the notification.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl CancelledParams {
    /// Creates a cancellation of `request_id`.
    pub fn new(request_id: RequestId) -> Self {
        Self { request_id: Some(request_id), reason: None, meta: Meta::new() }
    }
}

setters!(CancelledParams {
    reason: Option<String>,
    meta: Meta,
});
