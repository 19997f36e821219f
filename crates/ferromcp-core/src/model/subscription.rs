//! Subscriptions to change notifications (modern era).
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions>.

use serde::{Deserialize, Serialize};

use crate::meta_object::Meta;
use crate::request_meta::RequestMeta;
use crate::setters::setters;

/// The parameters of `subscriptions/listen`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions>.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListenParams {
    /// The notifications to subscribe to.
    pub notifications: SubscriptionFilter,
    /// The request's `_meta`.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

impl ListenParams {
    /// Creates a subscription to these notifications.
    pub fn new(notifications: SubscriptionFilter) -> Self {
        Self { notifications, meta: RequestMeta::default() }
    }
}

setters!(ListenParams { meta: RequestMeta });

/// The notifications of a subscription. An absent or `false` field is not subscribed to.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions>.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SubscriptionFilter {
    /// Subscribes to changes of the tool list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools_list_changed: Option<bool>,
    /// Subscribes to changes of the prompt list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts_list_changed: Option<bool>,
    /// Subscribes to changes of the resource list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources_list_changed: Option<bool>,
    /// Subscribes to updates of these resources and their sub-resources, by URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_subscriptions: Option<Vec<String>>,
}

setters!(SubscriptionFilter {
    tools_list_changed: Option<bool>,
    prompts_list_changed: Option<bool>,
    resources_list_changed: Option<bool>,
    resource_subscriptions: Option<Vec<String>>,
});

/// The parameters of `notifications/subscriptions/acknowledged`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AcknowledgedParams {
    /// The notifications that the server agreed to send.
    pub notifications: SubscriptionFilter,
    /// The `_meta` with the subscription id.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl AcknowledgedParams {
    /// Creates an acknowledgement of these notifications.
    pub fn new(notifications: SubscriptionFilter) -> Self {
        Self { notifications, meta: Meta::new() }
    }
}

setters!(AcknowledgedParams { meta: Meta });

/// The final result of `subscriptions/listen`, sent when the subscription ends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListenResult {
    /// The `_meta` with the subscription id.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

setters!(ListenResult { meta: Meta });
