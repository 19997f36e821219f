//! Word of a request that is still running: its progress, or that it is not wanted any more.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/utilities/progress>.

use serde::{Deserialize, Serialize};

use crate::id::{ProgressToken, RequestId};
use crate::meta::Meta;

/// `notifications/progress`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ProgressParams {
    /// The token the request came with.
    pub progress_token: ProgressToken,
    /// How far; strictly increasing.
    pub progress: f64,
    /// How far it will go, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
    /// Text for people (from 2025-03-26).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Foreign keys.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl ProgressParams {
    /// `progress` so far under `progress_token`.
    pub fn new(progress_token: ProgressToken, progress: f64) -> Self {
        Self { progress_token, progress, total: None, message: None, meta: Meta::new() }
    }
}

/// `notifications/cancelled`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CancelledParams {
    /// The request; only 2025-11-25 lets it be absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// Why, for logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Foreign keys.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl CancelledParams {
    /// Cancels `request_id`.
    pub fn new(request_id: RequestId) -> Self {
        Self { request_id: Some(request_id), reason: None, meta: Meta::new() }
    }
}
