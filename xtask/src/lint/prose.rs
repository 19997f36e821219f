//! Extracts the prose of Rust, Markdown and TOML files, without code: documentation, comments, string literals and
//! function names.
//!
//! Rust is scanned as text, because a parser drops comments. Code in prose (fenced blocks, inline code, URLs, format
//! arguments) is replaced by [`CODE`], so that a rule neither matches inside code nor across it.

/// Replaces code in prose.
pub(crate) const CODE: char = '□';

/// Replaces an escaped line break in a string literal.
const BREAK: char = '¶';

/// The place a passage comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A doc comment of Rust.
    Rustdoc,
    /// Any other comment of Rust, or a comment of TOML.
    Comment,
    /// A string literal of at least two words.
    Literal,
    /// The name of a function, its underscores replaced by spaces.
    FunctionName,
    /// A Markdown file.
    Markdown,
}

/// Connected prose; lines of the text are consecutive lines of the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    pub(crate) kind: Kind,
    /// The first line, counted from 1.
    pub(crate) line: usize,
    /// The prose, with code replaced.
    pub(crate) text: String,
}

/// Returns a Markdown file as one passage.
pub(crate) fn markdown(text: &str) -> Passage {
    Passage { kind: Kind::Markdown, line: 1, text: without_code(text) }
}

/// Returns the comments and the description of a TOML file.
pub(crate) fn toml(text: &str) -> Vec<Passage> {
    let prose_of = |line: &str| {
        let description = line.strip_prefix("description = ").map(str::to_owned);
        let is_comment = |at: &usize| line[..*at].matches('"').count() % 2 == 0;
        let comment = line.match_indices('#').map(|(at, _)| at).find(is_comment).map(|at| line[at + 1..].to_owned());
        description.or(comment)
    };
    let lines = text.lines().enumerate().filter_map(|(i, line)| Some((i + 1, prose_of(line)?)));
    lines.map(|(line, text)| Passage { kind: Kind::Comment, line, text: without_code(&text) }).collect()
}

/// Returns all passages of a Rust source, in order.
pub(crate) fn rust(text: &str) -> Vec<Passage> {
    let mut scanner = Scanner { rest: text, line: 1, line_is_blank: true, previous: "", found: Vec::new() };
    while scanner.step() {}
    let mut found = scanner.found;
    for passage in &mut found {
        passage.text = match passage.kind {
            Kind::Literal => without_code(&without_arguments(&passage.text)),
            Kind::FunctionName => passage.text.replace('_', " "),
            _ => without_code(&passage.text),
        };
    }
    found.retain(|it| it.kind != Kind::Literal || it.text.trim().contains(char::is_whitespace));
    found
}

/// Scans Rust source for comments, string literals and function names.
struct Scanner<'a> {
    rest: &'a str,
    line: usize,
    /// Whether only whitespace precedes the current position on its line.
    line_is_blank: bool,
    /// The last identifier or number.
    previous: &'a str,
    found: Vec<Passage>,
}

impl<'a> Scanner<'a> {
    /// Consumes the next token; `false` at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if self.rest.starts_with("//") {
            self.line_comment();
        } else if self.rest.starts_with("/*") {
            self.block_comment();
        } else if let Some((prefix, hashes)) = raw_string(self.rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            self.take(prefix);
            let length = self.rest.find(&end).unwrap_or(self.rest.len());
            self.literal(length, end.len(), str::to_owned);
        } else if first == '"' {
            self.take(1);
            let length = quoted_length(self.rest, '"');
            self.literal(length, 1, unescape);
        } else if first == '\'' {
            let length = char_literal(self.rest).unwrap_or(1);
            self.take(length);
        } else if first.is_alphanumeric() || first == '_' {
            let length = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
            let line = self.line;
            let name = self.take(length);
            if self.previous == "fn" {
                self.found.push(Passage { kind: Kind::FunctionName, line, text: name.to_owned() });
            }
            self.previous = name;
        } else {
            self.take(first.len_utf8());
        }
        true
    }

    /// Consumes `length` bytes and counts the lines in them.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        self.line += taken.matches('\n').count();
        let last = taken.rsplit('\n').next().unwrap_or(taken);
        self.line_is_blank = (taken.contains('\n') || self.line_is_blank) && last.trim().is_empty();
        taken
    }

    fn line_comment(&mut self) {
        let (line, alone) = (self.line, self.line_is_blank);
        let length = self.rest.find('\n').unwrap_or(self.rest.len());
        let comment = self.take(length);
        let is_doc = (comment.starts_with("///") && !comment.starts_with("////")) || comment.starts_with("//!");
        let kind = if is_doc { Kind::Rustdoc } else { Kind::Comment };
        let text = comment.get(if is_doc { 3 } else { 2 }..).unwrap_or_default();
        if let Some(last) = self.found.last_mut().filter(|last| alone && last.kind == kind) {
            if last.line + last.text.matches('\n').count() + 1 == line {
                last.text.push('\n');
                last.text.push_str(text);
                return;
            }
        }
        self.found.push(Passage { kind, line, text: text.to_owned() });
    }

    fn block_comment(&mut self) {
        let line = self.line;
        let (mut depth, mut length) = (0_usize, 0);
        while let Some(c) = self.rest[length..].chars().next() {
            let two = self.rest.get(length..length + 2);
            match two {
                Some("/*") => depth += 1,
                Some("*/") => depth -= 1,
                _ => {}
            }
            length += if matches!(two, Some("/*" | "*/")) { 2 } else { c.len_utf8() };
            if depth == 0 {
                break;
            }
        }
        let comment = self.take(length);
        let is_doc = comment.starts_with("/**") || comment.starts_with("/*!");
        let kind = if is_doc { Kind::Rustdoc } else { Kind::Comment };
        let text = comment.trim_start_matches(['/', '*', '!']).trim_end_matches(['/', '*']);
        self.found.push(Passage { kind, line, text: text.to_owned() });
    }

    fn literal(&mut self, length: usize, end: usize, decode: impl Fn(&str) -> String) {
        let line = self.line;
        let text = decode(self.take(length));
        self.take(end);
        self.found.push(Passage { kind: Kind::Literal, line, text });
    }
}

/// The length of the opening of a raw string, and its number of `#`.
fn raw_string(text: &str) -> Option<(usize, usize)> {
    let letters = ["br", "cr", "r"].into_iter().find(|letters| text.starts_with(letters))?.len();
    let hashes = text[letters..].bytes().take_while(|byte| *byte == b'#').count();
    text[letters + hashes..].starts_with('"').then_some((letters + hashes + 1, hashes))
}

/// The length of a quoted text up to its closing quote.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == quote && !escaped {
            return at;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// The length of a character literal; `None` for a lifetime.
fn char_literal(text: &str) -> Option<usize> {
    let mut chars = text[1..].chars();
    let first = chars.next()?;
    if first == '\\' {
        return Some(quoted_length(&text[1..], '\'') + 2);
    }
    (chars.next() == Some('\'')).then(|| first.len_utf8() + 2)
}

/// Resolves the escapes of a string literal, without changing its number of lines.
fn unescape(literal: &str) -> String {
    let mut text = String::new();
    let mut chars = literal.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => text.push(BREAK),
            ('\\', Some('r' | 't')) => text.push(' '),
            ('\\', Some(escaped)) => text.push(escaped),
            _ => text.push(c),
        }
    }
    text
}

/// Replaces the arguments of a format string.
fn without_arguments(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let end = rest[start..].find('}').filter(|length| !rest[start..start + length].contains(char::is_whitespace));
        out.push_str(&rest[..start]);
        out.push(CODE);
        rest = &rest[start + end.map_or(1, |length| length + 1)..];
    }
    out + rest
}

/// Replaces fenced blocks, inline code, link targets and URLs; the number of lines stays the same.
fn without_code(text: &str) -> String {
    let mut fence: Option<&str> = None;
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| {
            let trimmed = line.trim_start();
            let marker = ["```", "~~~"].into_iter().find(|marker| trimmed.starts_with(marker));
            let inside = fence.is_some();
            if let Some(marker) = marker.filter(|marker| fence.is_none_or(|open| open == *marker)) {
                fence = if inside { None } else { Some(marker) };
            }
            let is_definition = trimmed.starts_with('[') && trimmed.contains("]: ");
            if inside || marker.is_some() || is_definition { CODE.to_string() } else { line.to_owned() }
        })
        .collect();
    let text = without_inline_code(&lines.join("\n"));
    without_between(&without_between(&text, "](", ')'), "://", ' ')
}

fn without_inline_code(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        out.push_str(&rest[..start]);
        let ticks = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        let after = &rest[start + ticks..];
        let paragraph = after.find("\n\n").unwrap_or(after.len());
        let Some(length) = after[..paragraph].find(&rest[start..start + ticks]) else {
            rest = after;
            continue;
        };
        push_code(&mut out, &after[..length]);
        rest = after[length + ticks..].trim_start_matches('`');
    }
    out + rest
}

/// Replaces everything from `open` to before `close`, or to the end of the line.
fn without_between(text: &str, open: &str, close: char) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(open) {
        out.push_str(&rest[..start]);
        let after = &rest[start + open.len()..];
        let length = after.find([close, '\n']).unwrap_or(after.len());
        push_code(&mut out, &after[..length]);
        rest = &after[length..];
    }
    out + rest
}

fn push_code(out: &mut String, code: &str) {
    out.push(CODE);
    out.extend(code.chars().filter(|c| *c == '\n'));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, text: &str) -> Vec<(usize, String)> {
        rust(text).into_iter().filter(|it| it.kind == kind).map(|it| (it.line, it.text)).collect()
    }

    #[test]
    fn joins_adjacent_comment_lines_of_one_kind() {
        let text = "//! One\n//! two\n\n/// Three\nfn four() {} // five\n// six\n// seven\n";
        assert_eq!(of(Kind::Rustdoc, text), [(1, " One\n two".to_owned()), (4, " Three".to_owned())]);
        assert_eq!(of(Kind::Comment, text), [(5, " five\n six\n seven".to_owned())]);
    }

    #[test]
    fn reads_nested_block_comments() {
        assert_eq!(of(Kind::Comment, "/* a /* b */ c */ x"), [(1, " a /* b */ c ".to_owned())]);
        assert_eq!(of(Kind::Rustdoc, "\n/** d */"), [(2, " d ".to_owned())]);
    }

    #[test]
    fn reads_string_literals_but_not_characters_or_lifetimes() {
        let text = "f::<'a>('\"', '\\'', b'x', \"one \\\"two\\\" {x:?}\",\n r#\"raw \"text\"\"#, \"key\")";
        let code = |text: &str| text.replace('#', &CODE.to_string());
        assert_eq!(of(Kind::Literal, text), [(1, code("one \"two\" #")), (2, "raw \"text\"".to_owned())]);
    }

    #[test]
    fn counts_lines_inside_string_literals() {
        assert_eq!(of(Kind::Literal, "\"a \\\n   b\"\n\"c d\""), [(1, "a \n   b".to_owned()), (3, "c d".to_owned())]);
    }

    #[test]
    fn ignores_comment_markers_inside_string_literals() {
        assert!(of(Kind::Comment, "let url = \"http://a // b\";").is_empty());
    }

    #[test]
    fn returns_function_names_as_words() {
        assert_eq!(of(Kind::FunctionName, "fn ends_here() { other_call() }"), [(1, "ends here".to_owned())]);
    }

    #[test]
    fn reads_comments_and_descriptions_of_toml() {
        let text = "description = \"A tool\"\nname = \"a#b\" # `code` c\n# d\nversion = \"1\"\n";
        let found: Vec<_> = toml(text).into_iter().map(|it| (it.line, it.text.replace(CODE, "-"))).collect();
        assert_eq!(found, [(1, "\"A tool\"".to_owned()), (2, " - c".to_owned()), (3, " d".to_owned())]);
    }

    #[test]
    fn replaces_code_in_markdown_and_keeps_line_numbers() {
        let text = "a `b\nc` d\n```rust\ntold\n```\n[e](told.md) https://told.example f\n[g]: told";
        let passage = markdown(text);
        assert!(!passage.text.contains("told"), "{}", passage.text);
        assert_eq!(passage.text.matches('\n').count(), text.matches('\n').count());
        assert!(passage.text.contains(" f\n"), "{}", passage.text);
    }
}
