//! The table of rules, which the guide repeats.

use serde::Serialize;

/// The severity of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Costs quality; the server works.
    Info,
    /// Fails with some hosts or models, or some calls.
    Warning,
    /// Violates the specification, or cannot work.
    Error,
}

impl Severity {
    /// Returns the name in all formats but SARIF.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: &'static str,
    pub(crate) severity: Severity,
    /// What the rule finds.
    pub(crate) summary: &'static str,
    pub(crate) remedy: &'static str,
}

const fn rule(id: &'static str, severity: Severity, summary: &'static str, remedy: &'static str) -> Rule {
    Rule { id, severity, summary, remedy }
}

use Severity::{Error, Info, Warning};

/// All rules. Those of hosts begin with `host-`.
pub(crate) const RULES: &[Rule] = &[
    rule(
        "definition-invalid",
        Error,
        "an item or a list cannot be decoded, so hosts skip it",
        "send the members that the specification requires, with their types",
    ),
    // Names.
    rule(
        "tool-name-length",
        Error,
        "a tool's name is empty or longer than 128 characters",
        "use a name of 1 to 128 characters",
    ),
    rule(
        "tool-name-characters",
        Warning,
        "a tool's name has characters besides ASCII letters, digits, `_`, `-` and `.`",
        "rename the tool with letters, digits, `_` and `-`",
    ),
    rule("tool-name-duplicate", Error, "two tools have one name", "rename one of the tools"),
    rule(
        "tool-name-collision",
        Warning,
        "the names of two tools differ only in case or separators, which hosts replace",
        "rename one of the tools",
    ),
    rule("prompt-name-duplicate", Error, "two prompts have one name", "rename one of the prompts"),
    rule("resource-uri-duplicate", Error, "two resources or templates have one URI", "list each URI once"),
    // Text.
    rule(
        "tool-description-missing",
        Warning,
        "a tool has no description",
        "describe what the tool does and when to use it",
    ),
    rule(
        "tool-description-short",
        Info,
        "the description of a tool is shorter than 20 characters",
        "describe what the tool does, when to use it and what it returns",
    ),
    rule(
        "tool-description-long",
        Warning,
        "the description of a tool is longer than 2,000 characters, which hosts may truncate",
        "move details to the descriptions of the arguments, or to a resource",
    ),
    rule(
        "argument-description-missing",
        Warning,
        "an argument has no description",
        "describe the value, its unit and its format",
    ),
    rule(
        "argument-description-long",
        Info,
        "the description of an argument is longer than 1,000 characters",
        "shorten the description",
    ),
    rule(
        "prompt-description-missing",
        Warning,
        "a prompt, or an argument of it, has no description",
        "describe it for the user",
    ),
    rule("resource-description-missing", Info, "a resource or a template has no description", "describe the content"),
    rule("title-missing", Info, "a tool or a prompt has no title, so hosts show its name", "add a `title`"),
    rule(
        "instructions-long",
        Warning,
        "the instructions are longer than 2,000 characters, which hosts may truncate",
        "shorten the instructions",
    ),
    rule(
        "hidden-characters",
        Error,
        "a text contains invisible characters or controls of the text direction, which hide text from users",
        "remove the characters",
    ),
    rule(
        "hidden-instructions",
        Error,
        "a text contains phrases of prompt injection",
        "describe the item only, without instructions about other tools, files or the user",
    ),
    // Schemas.
    rule("schema-invalid", Error, "a schema is not valid JSON Schema", "correct the schema"),
    rule(
        "schema-too-deep",
        Error,
        "a schema is nested deeper than 127 levels of JSON, so parsers reject it",
        "move nested values to separate arguments or tools",
    ),
    rule(
        "schema-dialect",
        Warning,
        "`$schema` does not name the dialect 2020-12",
        "remove `$schema`, whose default is 2020-12",
    ),
    rule(
        "schema-draft-04",
        Error,
        "`exclusiveMinimum` or `exclusiveMaximum` is a boolean, as in draft-04",
        "write the bound as the value of `exclusiveMinimum`",
    ),
    rule("schema-definitions", Info, "`definitions` is used instead of `$defs`", "rename `definitions` to `$defs`"),
    rule(
        "schema-root-type",
        Error,
        "the root of an input schema does not have the type `object`",
        "add `\"type\": \"object\"`",
    ),
    rule(
        "ref-external",
        Error,
        "`$ref` points outside of the schema; hosts never fetch it",
        "copy the target to `$defs`",
    ),
    rule(
        "ref-unresolved",
        Error,
        "the target of `$ref` does not exist",
        "add the target to `$defs`, or correct the pointer",
    ),
    rule(
        "ref-recursive",
        Warning,
        "`$ref` is recursive, which several hosts reject or remove",
        "take a list of items with ids and parent ids instead",
    ),
    rule(
        "union-argument",
        Info,
        "an argument has alternatives besides `null`, which models often confuse",
        "use one type, or separate arguments",
    ),
    rule(
        "additional-properties",
        Info,
        "the root does not set `additionalProperties` to `false`, so misspelled arguments are accepted",
        "add `\"additionalProperties\": false`",
    ),
    rule(
        "required-unknown",
        Error,
        "`required` names a property that does not exist",
        "add the property, or remove the name from `required`",
    ),
    rule(
        "enum-invalid",
        Warning,
        "an `enum` is empty, repeats a value or mixes types",
        "list different values of one type",
    ),
    rule("default-invalid", Error, "a default violates its own schema", "correct the default or the schema"),
    rule(
        "pattern-invalid",
        Error,
        "a pattern is not a valid regular expression, or is too large",
        "correct the pattern",
    ),
    rule(
        "pattern-look-around",
        Warning,
        "a pattern uses look-around or back-references, which linear-time engines reject",
        "split the check, or validate in the tool",
    ),
    rule(
        "nesting-depth",
        Warning,
        "objects and arrays are nested deeper than 5 levels",
        "move nested values to separate arguments or tools",
    ),
    rule("argument-count", Warning, "a tool has more than 20 arguments", "divide the tool into several"),
    rule(
        "output-schema-root",
        Warning,
        "the root of an output schema does not have the type `object`, which revisions with a handshake require",
        "wrap the value in an object",
    ),
    // Behavior and resources.
    rule(
        "annotations-missing",
        Info,
        "a tool has neither `readOnlyHint` nor `destructiveHint`, so hosts assume that it is destructive",
        "set `readOnlyHint`, or `destructiveHint`",
    ),
    rule(
        "annotations-contradictory",
        Warning,
        "a tool is read-only, and destructive at the same time",
        "remove one of the hints",
    ),
    rule(
        "uri-invalid",
        Error,
        "the URI of a resource is not a URI",
        "use an absolute URI, such as `file:///notes.txt`",
    ),
    rule("uri-template-invalid", Error, "a URI template cannot be parsed (RFC 6570)", "correct the template"),
    rule("mime-type-missing", Info, "a resource has no `mimeType`", "add a `mimeType`"),
    // Cost.
    rule(
        "tokens-of-tool",
        Warning,
        "the definition of a tool has more than about 1,000 tokens",
        "shorten descriptions and schemas, or divide the tool",
    ),
    rule(
        "tokens-of-server",
        Warning,
        "the definitions of all tools have more than about 10,000 tokens",
        "divide the server, or offer fewer tools",
    ),
    // Limits of hosts.
    rule(
        "host-tool-name",
        Warning,
        "a tool's name has characters that hosts reject",
        "rename the tool with letters, digits, `_` and `-`, and a letter first",
    ),
    rule(
        "host-tool-name-length",
        Warning,
        "a tool's name, or that with the name of the server, is too long for hosts",
        "shorten the name of the tool or of the server",
    ),
    rule(
        "host-tool-count",
        Warning,
        "a server has more tools than hosts accept",
        "divide the server, or offer fewer tools",
    ),
    rule(
        "host-argument-name",
        Warning,
        "an argument's name has characters or a length that hosts reject",
        "rename the argument with up to 64 letters, digits, `_`, `.` and `-`",
    ),
    rule(
        "host-root-keyword",
        Warning,
        "the root of an input schema has keywords that hosts reject, such as `anyOf`",
        "describe all arguments in one object, or take the union as one argument",
    ),
    rule(
        "host-open-arguments",
        Warning,
        "arguments of any name are accepted, which hosts remove or reject",
        "take the map as one argument",
    ),
    rule(
        "host-closed-objects",
        Warning,
        "an object does not set `additionalProperties` to `false`, as hosts require",
        "add `\"additionalProperties\": false` to each object",
    ),
    rule(
        "host-required",
        Warning,
        "a property is not in `required`, as hosts require",
        "list each property in `required`, and let optional values be `null`",
    ),
    rule(
        "host-keyword",
        Warning,
        "a schema has keywords that hosts reject",
        "remove the keyword, and describe the restriction",
    ),
    rule(
        "host-format",
        Warning,
        "a schema has a `format` that hosts reject",
        "remove the format, and describe the value",
    ),
    rule("host-array-items", Warning, "an array has no `items`, which hosts require", "add `\"items\": {}`"),
    rule(
        "host-recursion",
        Warning,
        "`$ref` is recursive, which hosts reject or remove",
        "take a list of items with ids and parent ids instead",
    ),
    rule(
        "host-type-list",
        Warning,
        "`type` is a list, which hosts reject",
        "use one type, and leave optional values out",
    ),
    rule(
        "host-enum-values",
        Warning,
        "an `enum` has values that hosts reject, or too many",
        "use non-empty strings, or take a string",
    ),
    rule(
        "host-depth",
        Warning,
        "objects and arrays are nested deeper than hosts accept",
        "move nested values to separate arguments or tools",
    ),
    rule("host-properties", Warning, "a schema has more properties than hosts accept", "divide the tool into several"),
];

/// Returns the rule with this id.
pub(crate) fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}
