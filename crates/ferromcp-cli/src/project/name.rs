//! Names of Cargo packages.

use ferromcp_core::text::excerpt;

use crate::exit::Failure;

/// Maximum length of a name, as on crates.io.
const MAX_NAME: usize = 64;

/// Names that Cargo rejects: keywords, crates of the standard library, and folders of a build.
const RESERVED: [&str; 62] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// Dependencies of the templates. A package with such a name would depend on itself.
pub(super) const DEPENDENCIES: [&str; 5] = ["axum", "ferromcp", "serde_json", "tokio", "tracing-subscriber"];

/// Names of devices, which are not valid as file names on Windows. `com1` to `com9` and `lpt1` to `lpt9` are, too.
const DEVICES: [&str; 4] = ["aux", "con", "nul", "prn"];

/// Fails if a name is not valid for a Cargo package with a program. The error contains a similar valid name.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    let Some(cause) = problem(name) else { return Ok(()) };
    let fixed = fix(name);
    let name = excerpt(name);
    Err(Failure::usage(format!("cannot use the name `{name}` for a Cargo package: {cause}; use for example `{fixed}`")))
}

fn problem(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let is_port = |prefix| lower.strip_prefix(prefix).is_some_and(|rest| matches!(rest.as_bytes(), [b'1'..=b'9']));
    if name.is_empty() {
        Some("it is empty".to_owned())
    } else if let Some(c) = name.chars().find(|c| !is_valid(*c)) {
        let c = c.to_string();
        Some(format!("it contains `{}`, but only ASCII letters, digits, `-` and `_` are valid", excerpt(&c)))
    } else if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        Some("it does not start with a letter".to_owned())
    } else if name.len() > MAX_NAME {
        Some(format!("it has {} characters, but at most {MAX_NAME} are valid", name.len()))
    } else if RESERVED.contains(&lower.as_str())
        || DEVICES.contains(&lower.as_str())
        || is_port("com")
        || is_port("lpt")
    {
        Some("the name is reserved".to_owned())
    } else if DEPENDENCIES.contains(&lower.as_str()) {
        Some("a dependency has this name".to_owned())
    } else {
        None
    }
}

fn is_valid(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// Returns a similar valid name.
fn fix(name: &str) -> String {
    let name: String = name.chars().map(|c| if is_valid(c) { c.to_ascii_lowercase() } else { '-' }).collect();
    let name = name.trim_matches(['-', '_']);
    let mut name: String = name.chars().take(MAX_NAME - "mcp-".len() - "-server".len()).collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name = format!("mcp-{name}");
    }
    let name = name.trim_end_matches(['-', '_']);
    if problem(name).is_some() { format!("{name}-server") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn error_contains_cause_and_remedy_when_the_name_is_invalid() {
        for (name, expected) in [
            ("", "cannot use the name `` for a Cargo package: it is empty; use for example `mcp`"),
            (
                "my server",
                "it contains ` `, but only ASCII letters, digits, `-` and `_` are valid; use for example `my-server`",
            ),
            ("Ünï/x", "use for example `n--x`"),
            ("9lives", "it does not start with a letter; use for example `mcp-9lives`"),
            ("_x", "it does not start with a letter; use for example `x`"),
            ("match", "the name is reserved; use for example `match-server`"),
            ("COM1", "the name is reserved; use for example `com1-server`"),
            ("tokio", "a dependency has this name; use for example `tokio-server`"),
            (&"x".repeat(65), "it has 65 characters, but at most 64 are valid"),
        ] {
            let error = check_name(name).unwrap_err().to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
        for name in ["demo", "my-server", "a_1", "Weather", &"x".repeat(64)] {
            check_name(name).unwrap();
        }
    }

    proptest! {
        #[test]
        fn suggestion_is_valid_when_the_name_is_not(name in any::<String>()) {
            prop_assert_eq!(problem(&fix(&name)), None);
        }
    }
}
