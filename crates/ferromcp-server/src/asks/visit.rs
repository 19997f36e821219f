//! The consent of a client's user to visit a URL.

/// The user agreed to visit a URL. Whether they have been there, and did what they should, is not known by this.
///
/// When they are done, [`Notify::elicitation_complete`](crate::Notify::elicitation_complete) tells a client that waits
/// to hear of it (2025-11-25 only).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Visit {
    /// What the client knows the visit by: the id that was given to the question, or one that was made for it.
    pub id: Option<String>,
}
