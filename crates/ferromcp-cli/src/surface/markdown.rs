//! Escapes text of a server for Markdown (GitHub Flavored Markdown), so that it cannot add markup, links or table cells.

/// Returns text of one line. Line ends become spaces.
pub(super) fn inline(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // Markers of lists, headings and underlines are active only at the start of a line.
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    for (index, c) in text.char_indices() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // An HTML entity, because a site can process mentions after the escapes.
            '@' => escaped.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' => escaped.extend(['\\', c]),
            '-' | '+' | '=' if index == 0 => escaped.extend(['\\', c]),
            '.' | ')' if index > 0 && index == digits => escaped.extend(['\\', c]),
            // Links without markup: `https://…` and `www.…`.
            ':' if text[index..].starts_with("://") => escaped.push_str("\\:"),
            '.' if ends_with_www(&text[..index]) => escaped.push_str("\\."),
            _ => escaped.push(c),
        }
    }
    escaped
}

fn ends_with_www(text: &str) -> bool {
    text.len().checked_sub(3).and_then(|start| text.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case("www"))
}

/// Returns paragraphs. Indentation, which would start a code block, is removed.
pub(super) fn block(text: &str) -> String {
    let lines: Vec<String> = text.trim().lines().map(inline).collect();
    lines.join("\n")
}

/// Returns a code span. Its fence is longer than those in the text. In a table, text with `|` is escaped instead, because a
/// backslash in a code span could make the bar a border.
pub(super) fn code(text: &str, in_table: bool) -> String {
    let text = text.split(['\n', '\r']).collect::<Vec<_>>().join(" ");
    if text.trim().is_empty() {
        return String::new();
    }
    if in_table && text.contains('|') {
        return inline(&text);
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped() {
        for (text, expected) in [
            ("Add two numbers.", "Add two numbers."),
            ("# a | b", "\\# a \\| b"),
            ("<img src=x> &lt; [a](b) ![i](j)", "&lt;img src=x&gt; &amp;lt; \\[a\\](b) !\\[i\\](j)"),
            ("- item", "\\- item"),
            ("=== x", "\\=== x"),
            ("12. item", "12\\. item"),
            ("1) item", "1\\) item"),
            ("v1.2 of 3.", "v1.2 of 3."),
            (
                "see https://evil.example www.evil.example @team",
                "see https\\://evil.example www\\.evil.example &#64;team",
            ),
            ("a\u{2028}b\nc", "a b c"),
            ("~~x~~ `y` *z* $m$ a\\|b", "\\~\\~x\\~\\~ \\`y\\` \\*z\\* \\$m\\$ a\\\\\\|b"),
        ] {
            assert_eq!(inline(text), expected);
        }
        assert_eq!(block("a\n\n    ```\n> b\n| c |"), "a\n\n\\`\\`\\`\n&gt; b\n\\| c \\|");
    }

    #[test]
    fn code_cannot_be_closed_by_its_text() {
        assert_eq!(code("add", false), "`add`");
        assert_eq!(code("a``b|c", false), "```a``b|c```");
        assert_eq!(code("a\\|b", true), "a\\\\\\|b");
        assert_eq!(code("`a`", false), "`` `a` ``");
        assert_eq!(code("a\n# b", false), "`a # b`");
        assert_eq!(code(" \n", false), "");
    }
}
