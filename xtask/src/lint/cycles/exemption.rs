//! Exemptions from the cycle rule: `lint: allow(cycle): <reason>` in a comment on the line of an import or above it.

const MARKER: &str = "lint: allow(cycle)";

/// A comment that exempts the modules imported on one line, in the whole file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exemption {
    /// The line of the comment, counted from 1.
    pub(super) line: usize,
    /// The line of the exempted import.
    pub(super) import: usize,
    /// Whether the comment gives a reason.
    pub(super) has_reason: bool,
}

/// Returns the exemptions in the text of a file. Doc comments are ignored.
pub(super) fn find(text: &str) -> Vec<Exemption> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut found = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        if line.starts_with("///") || line.starts_with("//!") {
            continue;
        }
        let Some((code, rest)) = line
            .match_indices("//")
            .find_map(|(at, _)| Some((&line[..at], line[at + 2..].trim_start().strip_prefix(MARKER)?)))
        else {
            continue;
        };
        // A comment that is alone on its line applies to the next line that is not a comment.
        let below =
            if code.is_empty() { lines[i..].iter().take_while(|line| line.starts_with("//")).count() } else { 0 };
        let has_reason = rest.strip_prefix(':').is_some_and(|reason| !reason.trim().is_empty());
        found.push(Exemption { line: i + 1, import: i + 1 + below, has_reason });
    }
    found
}
