//! Text of a peer in errors and logs: control characters are escaped, and long text is truncated.
//!
//! A terminal interprets escape sequences, and a line feed in a name could forge a line of a log.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// Maximum length of an [`excerpt`], in characters.
pub const MAX_EXCERPT: usize = 200;

/// Maximum length of a [`reason`], in characters.
pub const MAX_REASON: usize = 500;

/// Maximum length of a [`message`], in characters.
pub const MAX_MESSAGE: usize = 4000;

/// Maximum length of a [`report`], in characters.
pub const MAX_REPORT: usize = 10_000;

/// Text of a peer, for display.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    text: &'a str,
    max_chars: usize,
    multiline: bool,
}

/// Returns a name or another short text of a peer, in one line of at most [`MAX_EXCERPT`] characters.
///
/// ```
/// # use ferromcp_core::text::excerpt;
/// assert_eq!(excerpt("a\u{1b}[31m\n").to_string(), r"a\u{1b}[31m\n");
/// assert!(excerpt(&"x".repeat(3000)).to_string().ends_with("xxx… (3000 bytes)"));
/// ```
pub fn excerpt(text: &str) -> Shown<'_> {
    Shown { text, max_chars: MAX_EXCERPT, multiline: false }
}

/// Returns an error text that may quote a peer, in one line of at most [`MAX_REASON`] characters.
pub fn reason(text: &str) -> Shown<'_> {
    Shown { text, max_chars: MAX_REASON, multiline: false }
}

/// Returns a message of a peer, of at most [`MAX_MESSAGE`] characters. Line feeds and tabs are preserved.
pub fn message(text: &str) -> Shown<'_> {
    Shown { text, max_chars: MAX_MESSAGE, multiline: true }
}

/// Returns an error text that may quote several messages of a peer, of at most [`MAX_REPORT`] characters. Line feeds and
/// tabs are preserved.
pub fn report(text: &str) -> Shown<'_> {
    Shown { text, max_chars: MAX_REPORT, multiline: true }
}

/// Escapes the control characters of a text, except line feeds and tabs. The length is not limited.
pub fn escape(text: &str) -> Cow<'_, str> {
    let multiline = Shown { text, max_chars: usize::MAX, multiline: true };
    if text.chars().any(|c| multiline.is_escaped(c)) { multiline.to_string().into() } else { text.into() }
}

impl Shown<'_> {
    fn is_escaped(self, c: char) -> bool {
        is_control(c) && !(self.multiline && matches!(c, '\n' | '\t'))
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.text.chars();
        for c in chars.by_ref().take(self.max_chars) {
            if self.is_escaped(c) {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        if chars.as_str().is_empty() { Ok(()) } else { write!(f, "… ({} bytes)", self.text.len()) }
    }
}

/// Returns whether a character controls a terminal or the order of the text around it, or is invisible by design.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' // Arabic letter mark
            | '\u{200B}' | '\u{200E}' | '\u{200F}' // zero-width space, directional marks
            | '\u{2028}'..='\u{202E}' // line and paragraph separators, directional embeddings and overrides
            | '\u{2060}'..='\u{206F}' // invisible operators, directional isolates
            | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' // byte order mark, annotations
            | '\u{E0000}'..='\u{E007F}') // tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpt_escapes_every_control_character() {
        for (text, shown) in [
            ("plain `text` \"ü\" 你 👩‍💻 \\", "plain `text` \"ü\" 你 👩‍💻 \\"),
            ("\u{1b}]0;title\u{7}\r\n\t\0", r"\u{1b}]0;title\u{7}\r\n\t\u{0}"),
            ("\u{9b}2J\u{7f}", r"\u{9b}2J\u{7f}"),
            ("a\u{202e}b\u{2066}c\u{200f}\u{2028}", r"a\u{202e}b\u{2066}c\u{200f}\u{2028}"),
            ("\u{feff}\u{e0041}", r"\u{feff}\u{e0041}"),
        ] {
            assert_eq!(excerpt(text).to_string(), shown);
        }
    }

    #[test]
    fn excerpt_counts_bytes_when_text_is_truncated() {
        let exact = "ü".repeat(MAX_EXCERPT);
        assert_eq!(excerpt(&exact).to_string(), exact);
        assert_eq!(excerpt(&format!("{exact}x")).to_string(), format!("{exact}… (401 bytes)"));
    }

    #[test]
    fn message_preserves_lines_and_escapes_other_control_characters() {
        assert_eq!(message("a\n\tb\u{1b}[0m\r").to_string(), "a\n\tb\\u{1b}[0m\\r");
        assert!(message(&"x".repeat(3_000_000)).to_string().len() < MAX_MESSAGE + 30);
        assert_eq!(escape("a\nb"), "a\nb");
        assert_eq!(escape("a\u{8}b"), "a\\u{8}b");
    }
}
