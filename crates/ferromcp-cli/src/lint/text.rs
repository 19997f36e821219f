//! Checks of the text that a model reads: length, invisible characters, and phrases of prompt injection.

use super::finding::Findings;

/// Maximum length of a description and of instructions, in characters. Claude Code truncates after 2 KB.
pub(super) const MAX_DESCRIPTION: usize = 2_000;

/// Maximum length of the description of an argument, in characters.
pub(super) const MAX_ARGUMENT_DESCRIPTION: usize = 1_000;

/// Minimum length of the description of a tool, in characters.
pub(super) const MIN_DESCRIPTION: usize = 20;

/// Maximum length of a text that is searched for phrases, in bytes.
const MAX_SEARCHED: usize = 1 << 20;

/// Phrases of published attacks on models that read descriptions, in lower case with single spaces, one in each line.
const PHRASES: &str = include_str!("phrases.txt");

/// Checks a text that a model reads.
pub(super) fn check(text: &str, item: &str, pointer: &str, what: &str, findings: &mut Findings) {
    if let Some(c) = text.chars().find(|c| is_hidden(*c)) {
        let message = format!("{what} contains the character U+{:04X}", c as u32);
        findings.add("hidden-characters", item, pointer, message);
    }
    let plain = start(text, MAX_SEARCHED).split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if let Some(phrase) = PHRASES.lines().find(|phrase| plain.contains(*phrase)) {
        findings.add("hidden-instructions", item, pointer, format!("{what} contains `{phrase}`"));
    }
}

/// Returns whether a character hides text from users: a control, a control of the direction, or invisible.
fn is_hidden(c: char) -> bool {
    let is_control = c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    is_control
        || matches!(c,
            '\u{061C}' | '\u{180E}'
            | '\u{200B}' | '\u{200E}' | '\u{200F}' // not the joiners of emoji and of Persian
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}' // tags
            | '\u{E0100}'..='\u{E01EF}') // variation selectors that can encode bytes
}

/// Returns the start of a text, of at most `limit` bytes.
fn start(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Returns the number of characters, if it is larger than a limit.
pub(super) fn over(text: &str, limit: usize) -> Option<usize> {
    // Each character has at least one byte.
    let count = if text.len() > limit { text.chars().count() } else { 0 };
    (count > limit).then_some(count)
}
