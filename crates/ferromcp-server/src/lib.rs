//! MCP servers: typed functions as tools, resources and prompts.

pub mod mime;
pub mod uri_template;
