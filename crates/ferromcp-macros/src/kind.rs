//! The four things a function can be, and their names in the server crate.

use quote::format_ident;
use syn::{Attribute, Ident};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Tool,
    Resource,
    Prompt,
    Completion,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Tool, Self::Resource, Self::Prompt, Self::Completion];

    /// The kind an attribute names, if it is one of ours: `#[tool]`, `#[ferromcp::tool]`.
    pub(crate) fn of(attribute: &Attribute) -> Option<Self> {
        let segments = &attribute.path().segments;
        let ours = segments.len() == 1 || segments.first()?.ident == "ferromcp";
        let name = &segments.last()?.ident;
        Self::ALL.into_iter().find(|kind| ours && name == kind.word())
    }

    /// The attribute's name, which is also the name of the method that takes one.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Resource => "resource",
            Self::Prompt => "prompt",
            Self::Completion => "completion",
        }
    }

    /// With its article.
    pub(crate) fn a(self) -> String {
        format!("a {}", self.word())
    }

    /// `tool`, as an identifier.
    pub(crate) fn method(self) -> Ident {
        format_ident!("{}", self.word())
    }

    /// `Tool`
    pub(crate) fn type_name(self) -> Ident {
        match self {
            Self::Tool => format_ident!("Tool"),
            Self::Resource => format_ident!("Resource"),
            Self::Prompt => format_ident!("Prompt"),
            Self::Completion => format_ident!("Completion"),
        }
    }

    /// `ToolDef`
    pub(crate) fn trait_name(self) -> Ident {
        format_ident!("{}Def", self.type_name())
    }
}
