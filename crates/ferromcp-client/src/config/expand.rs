//! Expansion of `${VAR}`, `${VAR:-default}` and `${env:VAR}`.

use super::error::{ConfigError, ConfigErrorKind, Location};

/// Maximum length of an expanded string, in bytes: 1 MiB.
pub const MAX_EXPANDED: usize = 1 << 20;

/// Expands the variables in `text`. Values of variables are not expanded again.
///
/// A `$` without `{` is literal. As in a shell, the default also replaces an empty variable.
pub(super) fn expand(
    text: &str,
    location: &Location,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, ConfigError> {
    let invalid = |what: String, remedy: String| location.error(ConfigErrorKind::Variable, what, remedy);
    let (mut out, mut rest) = (String::new(), text);
    while let Some(start) = rest.find("${") {
        out.push_str(&rest[..start]);
        let inner = &rest[start + 2..];
        let Some(end) = inner.find('}') else {
            return Err(invalid("has a `${` without a `}`".to_owned(), "add the `}`".to_owned()));
        };
        rest = &inner[end + 1..];
        let (name, default) = match inner[..end].split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (&inner[..end], None),
        };
        let name = name.strip_prefix("env:").unwrap_or(name);
        if !is_name(name) {
            let remedy = "write `${NAME}`, or `${NAME:-default}`".to_owned();
            return Err(invalid("has a `${…}` without a valid variable name".to_owned(), remedy));
        }
        match (lookup(name).filter(|value| default.is_none() || !value.is_empty()), default) {
            (Some(value), _) => out.push_str(&value),
            (None, Some(default)) => out.push_str(default),
            (None, None) => {
                let remedy = format!("set it, or write `${{{name}:-default}}`");
                return Err(invalid(format!("needs the variable `{name}`, which is not set"), remedy));
            }
        }
        if out.len() + rest.len() > MAX_EXPANDED {
            return Err(invalid(
                format!("exceeds {MAX_EXPANDED} bytes after expansion"),
                "shorten the variables".to_owned(),
            ));
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Returns whether `name` is the name of an environment variable, or a host-specific name such as `input:token`, which
/// requires a custom lookup. Other texts may be secrets and are not quoted in errors.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 128 && name.chars().all(|c| c.is_alphanumeric() || "_-.:()".contains(c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "A" => Some("one".to_owned()),
            "EMPTY" => Some(String::new()),
            "NESTED" => Some("${A}".to_owned()),
            "LONG" => Some("x".repeat(MAX_EXPANDED / 2)),
            "input:key" => Some("two".to_owned()),
            _ => None,
        }
    }

    fn expanded(text: &str) -> Result<String, String> {
        expand(text, &Location::default().at_key("url"), &lookup).map_err(|error| error.to_string())
    }

    #[test]
    fn expands_variables_once() {
        for (text, out) in [
            ("plain", "plain"),
            ("${A}-${env:A}", "one-one"),
            ("${B:-two} ${A:-two} ${EMPTY:-two} ${EMPTY}.", "two one two ."),
            ("${env:B:-http://x:-}", "http://x:-"),
            ("${B:-}", ""),
            ("$A $$ {A} $", "$A $$ {A} $"),
            ("${NESTED}", "${A}"),
            ("${input:key}", "two"),
            ("ü${A}ü", "üoneü"),
        ] {
            assert_eq!(expanded(text).as_deref(), Ok(out), "{text}");
        }
    }

    #[test]
    fn reports_error_when_variable_is_missing_or_invalid() {
        for (text, expected) in [
            ("${B}", "`B`, which is not set; set it, or write `${B:-default}`"),
            ("${env:HOME DIR}", "without a valid variable name"),
            ("${}", "without a valid variable name"),
            ("${env:}", "without a valid variable name"),
            ("${A", "without a `}`"),
            ("${LONG}${LONG}${LONG}", "exceeds"),
        ] {
            let error = expanded(text).unwrap_err();
            assert!(error.starts_with("the configuration: `url` ") && error.contains(expected), "{error}");
        }
    }

    proptest! {
        #[test]
        fn expand_does_not_panic_on_any_text(text in r"(\$\{|\}|:-|env:|A|ü|\$| ){0,20}") {
            let _ = expanded(&text);
        }
    }
}
