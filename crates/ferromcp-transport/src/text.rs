//! Text of a peer in errors and logs: control characters are escaped.
//!
//! `ferromcp_core::text` has the same rules. Neither crate depends on the other, and a test of the client compares both.

use std::borrow::Cow;

/// Escapes the control characters of a text, except line feeds and tabs.
#[doc(hidden)]
pub fn escape(text: &str) -> Cow<'_, str> {
    let is_escaped = |c: char| is_control(c) && !matches!(c, '\n' | '\t');
    if !text.chars().any(is_escaped) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out.into()
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
