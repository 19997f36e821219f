//! `${VAR}`, `${VAR:-default}` and `${env:VAR}` in texts.

use super::error::{ConfigError, ConfigErrorKind, Place};

/// The longest text that comes out of expanding one, in bytes: 1 MiB.
pub const MAX_EXPANDED: usize = 1 << 20;

/// `text` with its variables put in, once: what a variable holds is not looked at again.
///
/// A `$` that no `{` follows stands for itself. As in a shell, the default is taken for an empty variable too.
pub(super) fn expand(
    text: &str,
    place: &Place,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, ConfigError> {
    let wrong = |what: String, remedy: String| place.error(ConfigErrorKind::Variable, what, remedy);
    let (mut out, mut rest) = (String::new(), text);
    while let Some(start) = rest.find("${") {
        out.push_str(&rest[..start]);
        let inner = &rest[start + 2..];
        let Some(end) = inner.find('}') else {
            return Err(wrong("has a `${` without a `}`".to_owned(), "close it".to_owned()));
        };
        rest = &inner[end + 1..];
        let (name, default) = match inner[..end].split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (&inner[..end], None),
        };
        let name = name.strip_prefix("env:").unwrap_or(name);
        if !is_name(name) {
            let remedy = "write `${NAME}`, or `${NAME:-default}`".to_owned();
            return Err(wrong("has a `${…}` that names no variable".to_owned(), remedy));
        }
        match (lookup(name).filter(|value| default.is_none() || !value.is_empty()), default) {
            (Some(value), _) => out.push_str(&value),
            (None, Some(default)) => out.push_str(default),
            (None, None) => {
                let remedy = format!("set it, or write `${{{name}:-default}}`");
                return Err(wrong(format!("needs the variable `{name}`, which is not set"), remedy));
            }
        }
        if out.len() + rest.len() > MAX_EXPANDED {
            return Err(wrong(format!("becomes longer than {MAX_EXPANDED} bytes"), "shorten the variables".to_owned()));
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Names of the environment, and those of hosts' own, such as `input:token`, which only a lookup of one's
/// own can know. Anything else is no name and may be text that should not show in an error.
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
        expand(text, &Place::default().at_key("url"), &lookup).map_err(|error| error.to_string())
    }

    #[test]
    fn variables_are_put_in_once() {
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
    fn what_cannot_be_put_in_is_told() {
        for (text, told) in [
            ("${B}", "`B`, which is not set; set it, or write `${B:-default}`"),
            ("${env:HOME DIR}", "names no variable"),
            ("${}", "names no variable"),
            ("${env:}", "names no variable"),
            ("${A", "without a `}`"),
            ("${LONG}${LONG}${LONG}", "longer than"),
        ] {
            let error = expanded(text).unwrap_err();
            assert!(error.starts_with("the configuration: `url` ") && error.contains(told), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_looked_at(text in r"(\$\{|\}|:-|env:|A|ü|\$| ){0,20}") {
            let _ = expanded(&text);
        }
    }
}
