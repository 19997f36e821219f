//! The features that the revisions of the protocol do not have in common.

use ferromcp_core::Revision;

/// Returns whether a result can request client input (`input_required`).
pub(crate) fn has_multi_round_trip(revision: Revision) -> bool {
    revision >= Revision::V2026_07_28
}

/// Returns whether the server can send requests to the client.
pub(crate) fn has_server_requests(revision: Revision) -> bool {
    revision < Revision::V2026_07_28
}

/// Returns whether the client notifies the server of changed roots.
pub(crate) fn has_roots_notification(revision: Revision) -> bool {
    revision < Revision::V2026_07_28
}

/// Returns whether changes are requested with `subscriptions/listen`.
pub(crate) fn has_listen(revision: Revision) -> bool {
    revision >= Revision::V2026_07_28
}

/// Returns whether arguments can be mirrored in HTTP headers (`x-mcp-header`).
pub(crate) fn has_header_arguments(revision: Revision) -> bool {
    revision >= Revision::V2026_07_28
}

/// Returns whether a call can fail with -32042 because the user must visit a URL.
pub(crate) fn has_url_elicitation_error(revision: Revision) -> bool {
    revision == Revision::V2025_11_25
}

/// Returns whether tools can have an output schema and structured output.
pub(crate) fn has_structured_output(revision: Revision) -> bool {
    revision >= Revision::V2025_06_18
}

/// Returns whether messages can be sent as JSON-RPC batches.
pub(crate) fn has_batches(revision: Revision) -> bool {
    revision == Revision::V2025_03_26
}
