//! The features that the revisions of the protocol do not have in common.

use ferromcp_core::Revision;

/// Returns whether a result can request client input (`input_required`). Earlier revisions use server requests instead,
/// which the client answers while the call runs.
pub(crate) fn has_multi_round_trip(revision: Revision) -> bool {
    revision >= Revision::V2026_07_28
}

/// Returns whether a JSON-RPC error decides the status of its HTTP response. Earlier revisions respond with 200.
pub(crate) fn has_error_statuses(revision: Revision) -> bool {
    revision >= Revision::V2026_07_28
}

/// Returns whether an error response can have no id.
pub(crate) fn has_errors_without_id(revision: Revision) -> bool {
    revision >= Revision::V2025_11_25
}

/// Returns whether the server can request a form (elicitation).
pub(crate) fn has_elicitation(revision: Revision) -> bool {
    revision >= Revision::V2025_06_18
}

/// Returns whether elicitation can send the user to a URL.
pub(crate) fn has_url_elicitation(revision: Revision) -> bool {
    revision >= Revision::V2025_11_25
}

/// Returns whether forms have multi-select fields.
pub(crate) fn has_multi_select_fields(revision: Revision) -> bool {
    revision >= Revision::V2025_11_25
}

/// Returns whether sampling requests can contain tools.
pub(crate) fn has_sampling_tools(revision: Revision) -> bool {
    revision >= Revision::V2025_11_25
}

/// Returns whether `includeContext` requires the capability `sampling.context`.
pub(crate) fn requires_context_capability(revision: Revision) -> bool {
    revision >= Revision::V2025_11_25
}

/// Returns whether messages can be sent as JSON-RPC batches.
pub(crate) fn has_batches(revision: Revision) -> bool {
    revision == Revision::V2025_03_26
}
