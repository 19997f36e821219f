//! Annotations of content and resources: audience, priority and modification time.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/schema#annotations>.

use serde::{Deserialize, Serialize};

use crate::setters::setters;

/// The sender of a message, or the audience of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// The user.
    User,
    /// The assistant (the model).
    Assistant,
}

/// Optional annotations that inform the client how to use or display content.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/schema#annotations>.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Annotations {
    /// The intended audience. Unknown roles are skipped when decoding.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::known_items")]
    pub audience: Option<Vec<Role>>,
    /// The importance, from 0 (optional) to 1 (required).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<f64>,
    /// The time of the last modification, in ISO 8601 (since 2025-06-18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl Annotations {
    /// Sets the importance. Values are clamped to 0..=1, the range of the schema; NaN becomes 0.
    pub fn priority(mut self, priority: f64) -> Self {
        self.priority = Some(clamp_priority(priority));
        self
    }
}

setters!(Annotations {
    audience: Option<Vec<Role>>,
    last_modified: Option<String>,
});

/// Clamps a priority to 0..=1, the range of the schema. NaN has no JSON representation and becomes 0.
pub(super) fn clamp_priority(priority: f64) -> f64 {
    if priority.is_nan() { 0.0 } else { priority.clamp(0.0, 1.0) }
}
