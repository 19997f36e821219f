//! The definitions of a server: its tools, resources, resource templates and prompts.
//!
//! | module | content |
//! |---|---|
//! | `canonical` | canonical JSON and digests |
//! | `snapshot` | definitions in a deterministic form |
//! | `capabilities`, `fields` | capabilities and arguments as text |
//! | `document` | a description of the definitions, in text or Markdown |

pub(crate) mod canonical;
pub(crate) mod capabilities;
pub(crate) mod document;
mod fields;
mod markdown;
pub(crate) mod snapshot;

use ferromcp_client::Client;
use ferromcp_core::model::{
    Implementation, PromptDefinition, ResourceDefinition, ResourceTemplate, ServerCapabilities, ToolDefinition,
};
use serde::{Deserialize, Serialize};

use crate::exit::Failure;

/// The definitions of a server, in the order of its lists.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Surface {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) server_info: Option<Implementation>,
    #[serde(default)]
    pub(crate) protocol_version: String,
    #[serde(default)]
    pub(crate) capabilities: ServerCapabilities,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) instructions: Option<String>,
    #[serde(default)]
    pub(crate) tools: Vec<ToolDefinition>,
    #[serde(default)]
    pub(crate) resources: Vec<ResourceDefinition>,
    #[serde(default)]
    pub(crate) resource_templates: Vec<ResourceTemplate>,
    #[serde(default)]
    pub(crate) prompts: Vec<PromptDefinition>,
}

impl Surface {
    /// Fetches all lists of a server. A list that the server does not have is empty.
    ///
    /// # Errors
    /// Fails if a list cannot be fetched.
    pub(crate) async fn fetch(client: &Client) -> Result<Self, Failure> {
        Ok(Self {
            server_info: client.server_info(),
            protocol_version: client.revision().as_str().to_owned(),
            capabilities: client.capabilities(),
            instructions: client.instructions(),
            tools: client.tools().await?,
            resources: client.resources().await?,
            resource_templates: client.resource_templates().await?,
            prompts: client.prompts().await?,
        })
    }

    /// Sorts the definitions by their name or URI, so that the output does not depend on the order of the server.
    pub(crate) fn sorted(mut self) -> Self {
        self.tools.sort_by(|a, b| a.name.cmp(&b.name));
        self.resources.sort_by(|a, b| a.uri.cmp(&b.uri));
        self.resource_templates.sort_by(|a, b| a.uri_template.cmp(&b.uri_template));
        self.prompts.sort_by(|a, b| a.name.cmp(&b.name));
        self
    }
}
