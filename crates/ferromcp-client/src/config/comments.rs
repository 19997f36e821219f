//! Converts JSON with comments and trailing commas to JSON.

/// Replaces comments and trailing commas by spaces, so that lines and columns are preserved. Does not validate the
/// JSON.
pub(super) fn strip(text: &str) -> String {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut out = String::with_capacity(text.len());
    // Position in `out` of a comma that is not followed by a token yet.
    let mut comma = None;
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let token = token(rest, next);
        let piece = &rest[..token];
        rest = &rest[token..];
        if piece.starts_with("//") || piece.starts_with("/*") {
            out.extend(piece.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            continue;
        }
        match next {
            ' ' | '\t' | '\r' | '\n' => {}
            ',' => comma = Some(out.len()),
            ']' | '}' => {
                if let Some(at) = comma.take() {
                    out.replace_range(at..=at, " ");
                }
            }
            _ => comma = None,
        }
        out.push_str(piece);
    }
    out
}

/// Returns the length of the first token of `rest`: a string, a comment, or one character.
fn token(rest: &str, next: char) -> usize {
    if next == '"' {
        let mut escaped = false;
        let end = rest[1..].find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        return end.map_or(rest.len(), |end| end + 2);
    }
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if let Some(comment) = rest.strip_prefix("/*") {
        return comment.find("*/").map_or(rest.len(), |end| end + 4);
    }
    next.len_utf8()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::strip;

    #[test]
    fn comments_and_trailing_commas_become_spaces() {
        assert_eq!(strip("{\"a\": 1, // one\n}"), "{\"a\": 1        \n}");
        assert_eq!(strip("[1,/* two\nlines */]"), "[1       \n        ]");
        assert_eq!(strip("\u{FEFF}{}"), "{}");
        assert_eq!(strip(r#"["//", "/*", ",]", "\"//", "\\"] // x"#), r#"["//", "/*", ",]", "\"//", "\\"]     "#);
        assert_eq!(strip("[1,,]"), "[1, ]", "one comma only");
        assert_eq!(strip("\"open"), "\"open");
        assert_eq!(strip("/*"), "  ");
    }

    proptest! {
        #[test]
        fn strip_preserves_line_count_of_any_text(text in r#"([/*",\\\]}\n\[{a ü]|//|/\*|\*/){0,40}"#) {
            let stripped = strip(&text);
            prop_assert_eq!(stripped.lines().count(), text.lines().count());
        }

        #[test]
        fn strip_preserves_json(values in proptest::collection::vec(".*", 0..5)) {
            let json = serde_json::to_string_pretty(&serde_json::json!({ "a": values, "b": { "c": values } })).unwrap();
            prop_assert_eq!(strip(&json), json);
        }
    }
}
