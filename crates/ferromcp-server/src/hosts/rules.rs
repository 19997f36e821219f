//! The rules of hosts and model providers, as of November 2026.
//!
//! Hosts change their rules: keep this table in step with the guide page on host types, which a test compares with it.

use std::fmt;

/// A limit, the hosts that enforce it, and how to stay within it.
#[derive(Debug)]
pub(super) struct HostRule {
    pub(super) hosts: &'static [&'static str],
    pub(super) limit: Limit,
    pub(super) remedy: &'static str,
}

/// What a host restricts.
#[derive(Debug)]
pub(super) enum Limit {
    /// The characters of a tool's name besides ASCII letters and digits.
    NameCharacters(&'static str),
    /// The first character of a tool's name is a letter or `_`.
    NameStart,
    /// The length of a tool's name.
    NameLength(usize),
    /// The length of the name with the name of the server and this number of other characters.
    QualifiedLength { max: usize, added: usize },
    /// Keywords that the root of an input schema must not have.
    RootKeywords(&'static [&'static str]),
    /// The length of the names of arguments, and their characters besides ASCII letters and digits.
    ArgumentNames { max: usize, characters: &'static str },
    /// The root of an input schema lists all arguments.
    OpenRoot,
    /// Keywords that no part of an input schema below its root may have.
    Keywords(&'static [&'static str]),
    /// The values of `format` of a string.
    Formats(&'static [&'static str]),
    /// Each array has `items`.
    ArrayItems,
    /// No schema refers to itself.
    Recursion,
    /// `type` is one name.
    OneType,
    /// The values of `enum` are strings, and not empty.
    EnumStrings,
    /// The nesting of objects and arrays.
    Depth(usize),
    /// The number of properties of all objects.
    Properties(usize),
    /// The number of values of all `enum`s.
    EnumValues(usize),
}

pub(super) const RULES: &[HostRule] = &[
    HostRule {
        hosts: &["Claude Desktop", "claude.ai", "Codex", "Copilot CLI", "Cursor", "OpenAI API"],
        limit: Limit::NameCharacters("_-"),
        remedy: "rename the tool with letters, digits, `_` and `-` only",
    },
    HostRule {
        hosts: &["Gemini API"],
        limit: Limit::NameStart,
        remedy: "rename the tool so that it starts with a letter",
    },
    HostRule {
        hosts: &["Claude Desktop", "claude.ai", "Gemini API", "OpenAI API"],
        limit: Limit::NameLength(64),
        remedy: "shorten the name, or the namespace of a mounted component",
    },
    HostRule {
        hosts: &["Cursor"],
        limit: Limit::QualifiedLength { max: 60, added: 1 },
        remedy: "shorten the name of the tool or of the server",
    },
    HostRule {
        hosts: &["Claude Code"],
        limit: Limit::QualifiedLength { max: 128, added: "mcp____".len() },
        remedy: "shorten the name of the tool or of the server",
    },
    HostRule {
        hosts: &["Claude API", "Claude Code", "Codex", "OpenAI API"],
        limit: Limit::RootKeywords(&["$ref", "allOf", "anyOf", "enum", "if", "not", "oneOf"]),
        remedy: "describe all arguments in one object, or take the union as one argument",
    },
    HostRule {
        hosts: &["Claude API", "Claude Code"],
        limit: Limit::ArgumentNames { max: 64, characters: "_.-" },
        remedy: "rename the argument with `#[arg(name = \"…\")]` or `#[serde(rename = \"…\")]`",
    },
    HostRule { hosts: &["AI SDK"], limit: Limit::OpenRoot, remedy: "take the map as one argument" },
    HostRule {
        hosts: &["Gemini API", "OpenAI API", "VS Code"],
        limit: Limit::ArrayItems,
        remedy: "add `\"items\": {}`",
    },
    HostRule {
        hosts: &["Gemini API", "Gemini CLI"],
        limit: Limit::Recursion,
        remedy: "take a list of items with ids and parent ids, or a JSON text, instead of a recursive type",
    },
    HostRule {
        hosts: &["Gemini API"],
        limit: Limit::OneType,
        remedy: "use one type, and leave optional values out instead of sending `null`",
    },
    HostRule {
        hosts: &["Gemini API"],
        limit: Limit::EnumStrings,
        remedy: "use non-empty strings, and leave the argument out for no value",
    },
    HostRule {
        hosts: &["OpenAI API (strict mode)"],
        limit: Limit::Formats(&["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"]),
        remedy: "remove the format, and describe the value in the description",
    },
    HostRule {
        hosts: &["OpenAI API (strict mode)"],
        limit: Limit::Keywords(&["allOf", "if", "oneOf"]),
        remedy: "use `anyOf` for alternatives, or one object whose optional properties are those of all alternatives",
    },
    HostRule {
        hosts: &["OpenAI API (strict mode)"],
        limit: Limit::Keywords(&["not"]),
        remedy: "remove `not`, describe the excluded values in the description, and reject them in the function",
    },
    HostRule {
        hosts: &["OpenAI API (strict mode)"],
        limit: Limit::Keywords(&["prefixItems", "uniqueItems"]),
        remedy: "use `items` only, or an object instead of a tuple, and check the items in the function",
    },
    HostRule {
        hosts: &["Kimi API", "OpenAI API (strict mode)"],
        limit: Limit::Depth(10),
        remedy: "move nested values to separate arguments or tools",
    },
    HostRule {
        hosts: &["OpenAI API (strict mode)"],
        limit: Limit::Properties(5000),
        remedy: "divide the tool into several",
    },
    HostRule {
        hosts: &["OpenAI API (strict mode)"],
        limit: Limit::EnumValues(1000),
        remedy: "take a string, and report unknown values as errors",
    },
];

/// Describes the limit, for the guide.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let characters = |characters: &str| {
            let others: Vec<String> = characters.chars().map(|character| format!("`{character}`")).collect();
            format!("ASCII letters, digits, {}", others.join(", "))
        };
        match self {
            Self::NameCharacters(others) => write!(f, "characters of a tool's name: {}", characters(others)),
            Self::NameStart => f.write_str("first character of a tool's name: a letter or `_`"),
            Self::NameLength(max) => write!(f, "length of a tool's name: {max} characters"),
            Self::QualifiedLength { max, added } => {
                write!(f, "length of the names of the server and the tool, plus {added}: {max} characters")
            }
            Self::RootKeywords(keywords) => write!(f, "not at the root of an input schema: {}", list(keywords)),
            Self::ArgumentNames { max, characters: others } => {
                write!(f, "names of arguments: up to {max} characters; {}", characters(others))
            }
            Self::OpenRoot => {
                f.write_str("no arguments of any name (`additionalProperties` at the root of an input schema)")
            }
            Self::Keywords(keywords) => write!(f, "not below the root of an input schema: {}", list(keywords)),
            Self::Formats(formats) => write!(f, "values of `format`: {}", list(formats)),
            Self::ArrayItems => f.write_str("`items` in each array"),
            Self::Recursion => f.write_str("no recursive `$ref`"),
            Self::OneType => f.write_str("one name in `type`, not a list"),
            Self::EnumStrings => f.write_str("values of `enum`: strings, not empty"),
            Self::Depth(max) => write!(f, "nesting of objects and arrays: {max} levels"),
            Self::Properties(max) => write!(f, "properties of all objects: {max}"),
            Self::EnumValues(max) => write!(f, "values of all `enum`s: {max}"),
        }
    }
}
