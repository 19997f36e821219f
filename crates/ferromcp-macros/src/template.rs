//! Compile-time validation of URI templates: braces and variables.
//!
//! The server validates the full grammar at startup; this crate does not depend on its parser.
//!
//! <https://www.rfc-editor.org/rfc/rfc6570#section-2>

use syn::{Error, LitStr};

/// Returns the variables of a URI or template, in order; empty for a fixed URI.
pub(crate) fn variables(literal: &LitStr) -> syn::Result<Vec<String>> {
    let text = literal.value();
    check_scheme(&text).and_then(|()| parse(&text)).map_err(|message| Error::new(literal.span(), message))
}

fn check_scheme(text: &str) -> Result<(), String> {
    if text.starts_with('{') {
        return Ok(()); // the expression can contain the scheme
    }
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let tail = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.bytes().all(tail) {
        Ok(())
    } else {
        Err("the URI has no scheme: add one, as in `notes://…`".to_owned())
    }
}

fn parse(text: &str) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        if rest[at..].starts_with('}') {
            return Err(
                "unmatched `}` in the template: put a `{` before the variable, or write `%7D` for a literal brace"
                    .to_owned(),
            );
        }
        let inner = &rest[at + 1..];
        let end = inner.find(['{', '}']).filter(|end| inner[*end..].starts_with('}'));
        let Some(end) = end else {
            return Err("unclosed `{` in the template: put a `}` after the variables, as in `{id}`".to_owned());
        };
        for name in parse_expression(&inner[..end])? {
            if names.contains(&name) {
                return Err(format!("duplicate variable `{name}` in the template: rename one of them"));
            }
            names.push(name);
        }
        rest = &inner[end + 1..];
    }
    Ok(names)
}

fn parse_expression(inner: &str) -> Result<Vec<String>, String> {
    if let Some(operator) = inner.chars().next().filter(|first| "=,!@|".contains(*first)) {
        return Err(format!(
            "the operator `{operator}` is reserved in URI templates: use one of `+ # . / ; ? &` or none, as in `{{id}}`"
        ));
    }
    let list = inner.strip_prefix(['+', '#', '.', '/', ';', '?', '&']).unwrap_or(inner);
    list.split(',').map(parse_variable).collect()
}

fn parse_variable(spec: &str) -> Result<String, String> {
    let name = match spec.strip_suffix('*') {
        Some(name) => name,
        None => spec.split_once(':').map_or(spec, |(name, _)| name),
    };
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_%".contains(&byte);
    if name.split('.').all(|piece| !piece.is_empty() && piece.bytes().all(letter)) {
        return Ok(name.to_owned());
    }
    Err(format!(
        "`{name}` is not a valid template variable: use letters, digits, `_` and single dots between them, as in `{{user_id}}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::{check_scheme, parse};

    #[test]
    fn parses_variables_with_operators_and_modifiers() {
        let found = parse("db://{schema}/{+path}{?limit,tags*}{#part:3}");
        let names = ["schema", "path", "limit", "tags", "part"].map(str::to_owned);
        assert_eq!(found, Ok(names.to_vec()));
        assert_eq!(parse("config://app"), Ok(Vec::new()));
    }

    #[test]
    fn invalid_templates_are_rejected_with_a_remedy() {
        for (text, remedy) in [
            ("a://{b", "put a `}` after"),
            ("a://{b{c}", "put a `}` after"),
            ("a://b}", "write `%7D`"),
            ("a://{}", "is not a valid template variable"),
            ("a://{b c}", "is not a valid template variable"),
            ("a://{b..c}", "is not a valid template variable"),
            ("a://{=b}", "use one of"),
            ("a://{b}/{b}", "rename one of them"),
        ] {
            let messages = parse(text).expect_err(text);
            assert!(messages.contains(remedy), "{text}: {messages}");
        }
    }

    #[test]
    fn scheme_is_required() {
        assert!(check_scheme("notes://x").is_ok());
        assert!(check_scheme("{+uri}").is_ok());
        assert!(check_scheme("greeting").is_err());
        assert!(check_scheme("1a://x").is_err());
        assert!(check_scheme("").is_err());
    }
}
