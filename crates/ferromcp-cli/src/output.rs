//! Output of the command: text of a server with escaped control characters, and JSON.
//!
//! Nothing that a server sends reaches the terminal without this module, except with `--output`.

use std::io::{self, BufWriter, StdoutLock, Write};

use ferromcp_core::text::escape;
use serde::Serialize;

use crate::exit::Failure;

/// Buffered stdout.
#[derive(Debug)]
pub(crate) struct Output(BufWriter<StdoutLock<'static>>);

impl Output {
    /// Locks stdout.
    pub(crate) fn stdout() -> Self {
        Self(BufWriter::new(io::stdout().lock()))
    }

    /// Writes text. Control characters are escaped, except line feeds and tabs; CR LF becomes LF.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        // A text of 10 MB is not copied as a whole.
        for line in text.split_inclusive('\n') {
            match line.strip_suffix("\r\n") {
                Some(line) => writeln!(self.0, "{}", escape(line))?,
                None => self.0.write_all(escape(line).as_bytes())?,
            }
        }
        Ok(())
    }

    /// Writes text, and a line feed unless it ends with one.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.text(text)?;
        if text.ends_with('\n') { Ok(()) } else { Ok(writeln!(self.0)?) }
    }

    /// Writes escape sequences of this command.
    pub(crate) fn sequence(&mut self, sequence: &str) -> Result<(), Failure> {
        Ok(self.0.write_all(sequence.as_bytes())?)
    }

    /// Writes lines of text with an indentation.
    pub(crate) fn indented(&mut self, text: &str, spaces: usize) -> Result<(), Failure> {
        for line in text.trim_end().lines() {
            if line.is_empty() {
                writeln!(self.0)?;
            } else {
                write!(self.0, "{:spaces$}", "")?;
                self.line(line)?;
            }
        }
        Ok(())
    }

    /// Writes a value as JSON with indentation.
    ///
    /// # Errors
    /// Fails if the value cannot be serialized or written.
    pub(crate) fn json(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Failure> {
        let mut json = Json::new();
        json.push(&to_json(value)?, &mut self.0)?;
        Ok(writeln!(self.0)?)
    }

    /// Writes a value as JSON in one line.
    pub(crate) fn json_line(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Failure> {
        let text = to_json(value)?;
        for c in text.chars() {
            write_char(c, &mut self.0)?;
        }
        Ok(writeln!(self.0)?)
    }

    /// Writes a part of a JSON text, which `json` indents.
    pub(crate) fn json_part(&mut self, json: &mut Json, part: &str) -> Result<(), Failure> {
        Ok(json.push(part, &mut self.0)?)
    }

    /// Writes buffered output.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.0.flush()?)
    }
}

/// Serializes a value.
pub(crate) fn to_json(value: &(impl Serialize + ?Sized)) -> Result<String, Failure> {
    serde_json::to_string(value)
        .map_err(|error| Failure::new(crate::exit::Exit::Protocol, format!("cannot serialize the result: {error}")))
}

/// Returns a value as JSON with indentation and a final line feed, for a file. Control characters are escaped.
///
/// # Errors
/// Fails if the value cannot be serialized.
pub(crate) fn pretty_json(value: &(impl Serialize + ?Sized)) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    Json::new().push(&to_json(value)?, &mut bytes)?;
    bytes.push(b'\n');
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Indents valid JSON, part by part, and escapes control characters in its strings.
///
/// The text of numbers is preserved, which a `serde_json::Value` would not do.
#[derive(Debug)]
pub(crate) struct Json {
    depth: usize,
    in_string: bool,
    is_escaped: bool,
    /// Whether the last character opened an array or object.
    has_opened: bool,
}

impl Json {
    /// Creates the state at the start of a text.
    pub(crate) fn new() -> Self {
        Self { depth: 0, in_string: false, is_escaped: false, has_opened: false }
    }

    fn push(&mut self, part: &str, out: &mut impl Write) -> io::Result<()> {
        for c in part.chars() {
            if self.in_string {
                write_char(c, out)?;
                self.in_string = self.is_escaped || c != '"';
                self.is_escaped = !self.is_escaped && c == '\\';
                continue;
            }
            if c.is_whitespace() {
                continue;
            }
            let closes = matches!(c, ']' | '}');
            if closes {
                self.depth = self.depth.saturating_sub(1);
            }
            if self.has_opened != closes {
                self.new_line(out)?;
            }
            self.has_opened = matches!(c, '[' | '{');
            match c {
                '[' | '{' => self.depth += 1,
                '"' => self.in_string = true,
                _ => {}
            }
            write_char(c, out)?;
            match c {
                ',' => self.new_line(out)?,
                ':' => out.write_all(b" ")?,
                _ => {}
            }
        }
        Ok(())
    }

    fn new_line(&self, out: &mut impl Write) -> io::Result<()> {
        let width = 2 * self.depth;
        write!(out, "\n{:width$}", "")
    }
}

/// Writes a character of a JSON text. Control characters can only be in strings, where `\u` escapes them.
fn write_char(c: char, out: &mut impl Write) -> io::Result<()> {
    let (mut text, mut units) = ([0; 4], [0; 2]);
    let text = c.encode_utf8(&mut text);
    if c != ' ' && !c.is_ascii_graphic() && matches!(escape(text), std::borrow::Cow::Owned(_)) {
        for unit in c.encode_utf16(&mut units) {
            write!(out, "\\u{unit:04x}")?;
        }
        return Ok(());
    }
    out.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pretty(parts: &[&str]) -> String {
        let (mut json, mut out) = (Json::new(), Vec::new());
        for part in parts {
            json.push(part, &mut out).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_is_indented_like_serde_json() {
        for text in [
            r#"{"a":[1,2.50,{"b":[]}],"c":{},"d":"x,\"[{ \\","e":null}"#,
            "[]",
            "12345678901234567890123",
            r#"[[["deep"]]]"#,
            r#""""#,
        ] {
            let value: Box<serde_json::value::RawValue> = serde_json::from_str(text).unwrap();
            let expected = match serde_json::from_str::<serde_json::Value>(text) {
                Ok(value) if !text.contains("2.50") && !text.starts_with('1') => {
                    serde_json::to_string_pretty(&value).unwrap()
                }
                _ => pretty(&[value.get()]),
            };
            assert_eq!(pretty(&[text]), expected);
        }
        assert_eq!(pretty(&["[1", ",", "\t2 ]"]), "[\n  1,\n  2\n]");
        assert_eq!(pretty(&["12345678901234567890123"]), "12345678901234567890123");
    }

    #[test]
    fn json_escapes_control_characters() {
        let text = "\"\u{9b}31m \u{202e} \u{e0041} ü\"";
        assert_eq!(pretty(&[text]), r#""\u009b31m \u202e \udb40\udc41 ü""#);
    }

    proptest! {
        #[test]
        fn indented_json_has_the_same_value(text in "\\PC*", numbers in prop::collection::vec(any::<i64>(), 0..5)) {
            let value = serde_json::json!({ "text": text, "list": numbers, text.clone(): [{}] });
            let shown = pretty(&[&value.to_string()]);
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        }
    }
}
