//! ECMAScript regular expressions, as used by JSON Schema, on a linear-time engine.
//!
//! Patterns with look-around or back-references are rejected, because linear-time engines do not support them.

use std::fmt::Write;

use regex::{Regex, RegexBuilder};

/// Size classes of compiled patterns in bytes, with the cost of each byte of input in 64ths of a step. Repeated Unicode
/// classes are the largest.
const SIZES: [(usize, u64); 4] = [(32 << 10, 4), (256 << 10, 256), (1 << 20, 1024), (16 << 20, 4096)];

/// An unanchored pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    source: String,
    regex: Regex,
    size: usize,
    cost: u64,
}

impl Pattern {
    /// Compiles a pattern. Returns `None` if it is invalid, too large, or does not match in linear time.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        let translated = translate(pattern);
        SIZES.iter().find_map(|&(size, cost)| {
            let regex =
                RegexBuilder::new(&translated).size_limit(size).dfa_size_limit(size.min(1 << 20)).build().ok()?;
            Some(Self { source: pattern.to_owned(), regex, size, cost })
        })
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Returns the pattern as written in the schema.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// Returns the approximate maximum memory of the compiled pattern, in bytes.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Returns the cost of matching a text, in steps.
    pub(super) fn steps(&self, text: &str) -> u64 {
        (text.len() as u64).saturating_mul(self.cost) / 64
    }
}

/// Translates ECMAScript syntax to that of the `regex` crate: `\d`, `\w` and `\b` are ASCII-only in ECMAScript, and
/// brackets and doubled operators within a class are literals.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let (mut chars, mut in_class) = (pattern.chars().peekable(), false);
    while let Some(next) = chars.next() {
        match next {
            '\\' => match chars.next() {
                Some('d') => out.push_str("[0-9]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('w') => out.push_str("[A-Za-z0-9_]"),
                Some('W') => out.push_str("[^A-Za-z0-9_]"),
                Some('b') if in_class => out.push_str("\\x08"),
                Some('b') => out.push_str("(?-u:\\b)"),
                Some('c') => match chars.next_if(char::is_ascii_alphabetic) {
                    Some(letter) => {
                        let _ = write!(out, "\\x{:02X}", letter as u32 % 32);
                    }
                    None => out.push_str("\\c"),
                },
                Some(escaped) => out.extend(['\\', escaped]),
                None => out.push('\\'),
            },
            '[' if in_class => out.push_str("\\["),
            '[' => {
                in_class = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => out.extend(['\\', next]),
            '-' if in_class && out.ends_with('-') => out.push_str("\\-"),
            _ => out.push(next),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).unwrap_or_else(|| panic!("{pattern}")).is_match(text)
    }

    #[test]
    fn patterns_match_as_in_ecmascript() {
        assert!(matches("b", "abc"));
        assert!(matches(r"^\d+$", "12") && !matches(r"^\d+$", "١٢"));
        assert!(matches(r"^\w$", "a") && !matches(r"^\w$", "é"));
        assert!(matches(r"^[\d\-_]+$", "1-_") && !matches(r"^[^\d]$", "1"));
        assert!(matches("^[[]$", "[") && matches("^[a&&b]+$", "&a") && matches(r"^[\]]$", "]"));
        assert!(matches(r"^\p{L}+$", "Größe") && matches(r"\u00fc", "ü") && matches(r"^\cA$", "\u{1}"));
        assert!(matches(r"^a\/b$", "a/b") && matches("(?<year>[0-9]{4})-", "2026-"));
        assert!(!matches("^a$", "a\n"));
    }

    // M26-102
    #[test]
    fn rejects_pattern_when_not_linear_or_too_large() {
        for pattern in ["(?=a)b", "(?<!a)b", r"(a)\1", "(", "((a{1000}){1000}){1000}", r"\p{Nonsense}"] {
            assert!(Pattern::new(pattern).is_none(), "{pattern}");
        }
        let evil = Pattern::new("^(a+)+$").unwrap();
        assert!(!evil.is_match(&("a".repeat(100_000) + "b")));
        assert!(evil.steps(&"a".repeat(1 << 20)) > 1 << 15);
    }
}
