//! The four kinds of annotated functions, and their names in the server crate.

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

    /// Returns the kind of an attribute, if it is one of this crate: `#[tool]`, `#[ferromcp::tool]`.
    pub(crate) fn of(attribute: &Attribute) -> Option<Self> {
        let segments = &attribute.path().segments;
        let is_ferromcp = segments.len() == 1 || segments.first()?.ident == "ferromcp";
        let name = &segments.last()?.ident;
        Self::ALL.into_iter().find(|kind| is_ferromcp && name == kind.name())
    }

    /// Returns the name of the attribute, and of the builder method that registers the kind.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Resource => "resource",
            Self::Prompt => "prompt",
            Self::Completion => "completion",
        }
    }

    /// Returns the name with its article.
    pub(crate) fn with_article(self) -> String {
        format!("a {}", self.name())
    }

    /// Returns the builder method, such as `tool`.
    pub(crate) fn method(self) -> Ident {
        format_ident!("{}", self.name())
    }

    /// Returns the builder type, such as `Tool`.
    pub(crate) fn type_name(self) -> Ident {
        match self {
            Self::Tool => format_ident!("Tool"),
            Self::Resource => format_ident!("Resource"),
            Self::Prompt => format_ident!("Prompt"),
            Self::Completion => format_ident!("Completion"),
        }
    }

    /// Returns the definition trait, such as `ToolDef`.
    pub(crate) fn trait_name(self) -> Ident {
        format_ident!("{}Def", self.type_name())
    }
}
