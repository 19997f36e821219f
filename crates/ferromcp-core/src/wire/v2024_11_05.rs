//! 2024-11-05, the first revision. It introduced all features not listed in the other modules.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2024-11-05>. No downgrade exists because
//! no revision is older. Features: text and image content, embedded resources, tools, resources,
//! prompts, completion without a capability, logging, sampling, roots, progress without a message,
//! no batches.
