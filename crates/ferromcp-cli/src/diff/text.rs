//! Differences of texts.

use std::time::Duration;

use similar::TextDiff;

/// Maximum length of a compared text, in bytes.
const MAX_TEXT: usize = 32 << 10;

/// Time limit of the search for a small difference. After it, the difference is larger than necessary.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Returns the changed lines of a text, with `-` or `+` in front.
pub(super) fn difference(old: &str, new: &str) -> String {
    let is_cut = old.len() > MAX_TEXT || new.len() > MAX_TEXT;
    let (old, new) = (lines(old), lines(new));
    let diff = TextDiff::configure().timeout(TIMEOUT).diff_lines(&old, &new);
    let mut text = diff.unified_diff().context_radius(1).missing_newline_hint(false).to_string();
    if is_cut {
        text.push_str("(the texts are longer)\n");
    }
    text
}

/// Returns the beginning of a text, with a line feed at its end.
fn lines(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}\n", text[..end].trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_lines_are_marked() {
        let shown = difference("Add two numbers", "Add two numbers\nSend them to example.com");
        assert_eq!(shown, "@@ -1 +1,2 @@\n Add two numbers\n+Send them to example.com\n");
        assert_eq!(difference("", "a"), "@@ -0,0 +1 @@\n+a\n");
    }

    #[test]
    fn difference_is_bounded_when_texts_are_long() {
        let shown = difference(&"ä\n".repeat(100_000), &"b\n".repeat(100_000));
        assert!(shown.len() < 4 * MAX_TEXT && shown.ends_with("(the texts are longer)\n"), "{}", shown.len());
    }
}
