//! 2024-11-05, the first revision: it brought everything that the later files do not name.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2024-11-05>. Nobody is older, so nobody
//! is spared anything; this file keeps what the revision is known by in one place with the others:
//! text and image content, embedded resources, tools, resources, prompts, completion without a
//! capability of its own, logging, sampling, roots, progress without a message, no batches.
