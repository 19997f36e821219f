//! Compares the definitions of two servers, or of a server at two times.
//!
//! A change is classified from the view of a client that was written for the old definitions. Such a client sends the old
//! arguments and expects the old results: what a tool accepts must not become less, and what it returns must not become more.
//! A change that cannot be classified is breaking.
//!
//! | module | content |
//! |---|---|
//! | `definitions` | tools, resources, templates, prompts, capabilities |
//! | `schema`, `keywords`, `unions`, `resolve` | JSON Schemas |
//! | `report` | the changes as text, Markdown and JSON |
//! | `text` | differences of texts |

mod definitions;
mod keywords;
mod report;
mod resolve;
mod schema;
mod text;
mod unions;

pub(crate) use definitions::compare;
pub(crate) use report::Report;

/// The effect of a change on a client that was written for the old definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Calls and results have the same form; the texts that a model or a user reads may differ.
    Informational,
    /// Old calls are accepted, and the client can read the results.
    Compatible,
    /// Calls can fail or have another effect, or results can have another form.
    Breaking,
}

impl Severity {
    /// Returns the name in the output.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Compatible => "compatible",
            Self::Breaking => "breaking",
        }
    }
}

/// A change of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) severity: Severity,
    /// The kind of the definition, such as `tool`.
    pub(crate) kind: &'static str,
    /// The name or URI of the definition; `None` for the server.
    pub(crate) name: Option<String>,
    /// The changed part of the definition, such as ``argument `place.city` ``; empty for the whole definition.
    pub(crate) location: String,
    pub(crate) message: String,
    /// The difference of two texts.
    pub(crate) diff: Option<String>,
}
