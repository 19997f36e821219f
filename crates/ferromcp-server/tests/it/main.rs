//! Integration tests of the server's wire behavior, for each revision and several transports.
//!
//! Comments in tests list the ids of the ledger entries they cover; `cargo xtask ledger` reads them.

#![allow(clippy::needless_pass_by_value, reason = "JSON literals are passed by value")]
#![allow(clippy::similar_names, reason = "`server`, `served` and `serve` are used together")]

mod argument_errors;
mod arguments;
mod backpressure;
mod batching;
mod caching;
mod cancellation;
mod client;
mod client_requests;
mod completion;
mod concurrency;
mod configuration_errors;
mod drop_panics;
mod elicitation;
mod extractors;
mod host_schemas;
mod ignored_arguments;
mod imperfect_messages;
mod lifecycle;
mod log_recorder;
mod logging;
mod messages;
mod middleware;
mod mounted_servers;
mod mounts;
mod mrtr;
mod output;
mod own_calls;
mod pagination;
mod panic_on_drop;
mod progress;
mod prompts;
mod proxies;
mod random_input;
mod registry_handles;
mod replay_equivalence;
mod resource_lists;
mod resources;
mod schema_validation;
mod server_requests;
mod shutdown;
mod subscription_load;
mod subscriptions;
mod test_client;
mod tools;
mod tracing_spans;
mod untrusted_logs;
mod untrusted_text;
