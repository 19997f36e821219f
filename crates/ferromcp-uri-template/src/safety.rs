//! Rejection of values that could escape the directory of a file server.

mod windows;

use std::{error, fmt, ops::Range, slice};

use super::{
    capture::Capture,
    encode,
    matcher::Spans,
    variable::{Operator, Variable},
};

/// The error of a URI that matches with an unsafe value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsafeValue {
    variable: String,
    danger: Danger,
}

impl UnsafeValue {
    /// Returns the name of the variable.
    pub fn variable(&self) -> &str {
        &self.variable
    }

    /// Returns the reason of the rejection.
    pub fn danger(&self) -> Danger {
        self.danger
    }
}

impl fmt::Display for UnsafeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the URI's value for `{}` is refused: {}", self.variable, self.danger)
    }
}

impl error::Error for UnsafeValue {}

/// The reason why a value is unsafe. Values are validated after decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Danger {
    /// A NUL character, which terminates strings in many system calls.
    Nul,
    /// A path segment `..` between slashes or backslashes, including one completed by literal text or another variable.
    ParentSegment,
    /// A slash or backslash in a single-segment value: `{x}`, `{.x}`, `{/x}` and the items of their lists.
    Separator,
    /// An absolute path: a value that starts with a slash after a slash of the template, as `{+x}` in `file:///{+x}`, or
    /// with two slashes or backslashes (a UNC path), or with a drive such as `C:`. Joined to a directory, an absolute path
    /// would replace it. The forms of Windows are refused on every system.
    Absolute,
    /// A path segment that Windows opens as a device: `CON`, `NUL`, `COM1.txt`, `LPT1`. Refused on every system.
    DeviceName,
    /// A path segment that names an alternate data stream of NTFS: `file.txt:stream`, `file.txt::$DATA`. Refused on every
    /// system. In a single-segment value, `name:stream` is refused only if the name has an extension, because other
    /// identifiers such as `llama3.1:8b` and `localhost:8080` are common.
    DataStream,
    /// A path segment that ends with a dot or a space, which Windows removes: `secret.txt.` opens `secret.txt`. Refused on
    /// every system. A single-segment value is refused only if a file name with an extension remains, because other
    /// identifiers such as `Example Inc.` are common.
    TrailingDot,
}

impl fmt::Display for Danger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nul => "it has a NUL character",
            Self::ParentSegment => "it has a path segment `..`",
            Self::Separator => "it has a slash or backslash but stands for one path segment",
            Self::Absolute => "it is an absolute path where a relative one belongs",
            Self::DeviceName => "it has a device name of Windows, such as `CON` or `NUL.txt`",
            Self::DataStream => "it names an alternate data stream, such as `file.txt:stream`",
            Self::TrailingDot => "it has a path segment that ends with a dot or a space",
        })
    }
}

pub(super) fn check(variables: &[Variable], spans: &Spans, values: &[Capture], uri: &[u8]) -> Result<(), UnsafeValue> {
    for ((variable, spans), capture) in variables.iter().zip(spans).zip(values) {
        let items = match capture {
            Capture::One(value) => slice::from_ref(value),
            Capture::Many(items) => items,
            Capture::Absent => continue,
        };
        let danger =
            items.iter().find_map(|item| in_value(variable, item)).or_else(|| in_place(variable, spans, items, uri));
        if let Some(danger) = danger {
            return Err(UnsafeValue { variable: variable.name.clone(), danger });
        }
    }
    Ok(())
}

/// Returns the danger of a single value.
fn in_value(variable: &Variable, value: &str) -> Option<Danger> {
    if value.contains('\0') {
        Some(Danger::Nul)
    } else if has_parent(value) {
        Some(Danger::ParentSegment)
    } else if variable.is_one_segment() && value.contains(is_separator) {
        Some(Danger::Separator)
    } else if variable.operator.is_named() {
        None // a parameter such as `{?url}` is not part of a path
    } else if has_drive(variable, value) || is_unc(value) {
        Some(Danger::Absolute)
    } else {
        file_name(variable, value)
    }
}

/// Returns the danger of the file names in a value on Windows.
fn file_name(variable: &Variable, value: &str) -> Option<Danger> {
    let is_path = variable.operator == Operator::Reserved;
    let is_url = is_path && windows::is_url(value);
    value.split(is_separator).find_map(|segment| {
        if windows::is_device(segment) {
            Some(Danger::DeviceName)
        } else if !is_url && windows::has_stream(segment, is_path) {
            Some(Danger::DataStream)
        } else if windows::has_trailing_dot(segment, is_path) {
            Some(Danger::TrailingDot)
        } else {
            None
        }
    })
}

/// Returns whether a value starts with a drive of Windows: `C:`, `C:/windows`. On Windows, `C:windows` also leaves the
/// directory; elsewhere, a value of one segment such as `a:1` is a common name.
fn has_drive(variable: &Variable, value: &str) -> bool {
    match value.as_bytes() {
        [letter, b':', rest @ ..] if letter.is_ascii_alphabetic() => {
            let is_path = cfg!(windows) || variable.operator == Operator::Reserved;
            is_path || matches!(rest, [] | [b'/' | b'\\', ..])
        }
        _ => false,
    }
}

/// Returns whether a value starts with the name of a server or a device: `//server/share`, `\\server\share`, `\\?\C:\`.
fn is_unc(value: &str) -> bool {
    let mut symbols = value.chars();
    symbols.next().is_some_and(is_separator) && symbols.next().is_some_and(is_separator)
}

/// Returns the danger of values in context, because handlers join them with the same surrounding text.
fn in_place(variable: &Variable, spans: &[Range<usize>], items: &[String], uri: &[u8]) -> Option<Danger> {
    if variable.operator.is_named() {
        return None;
    }
    let (start, end) = (spans.first()?.start, spans.last()?.end);
    let before = &uri[..start];
    let absolute = match variable.operator {
        Operator::Reserved => {
            let slashed = before.ends_with(b"/") && !before.ends_with(b"://");
            slashed && items.iter().take(1).any(|item| item.starts_with(is_separator))
        }
        Operator::Path => items.len() > 1 && items[0].is_empty(),
        _ => false,
    };
    if absolute {
        return Some(Danger::Absolute);
    }
    let left = before.iter().rposition(|byte| b"/\\".contains(byte)).map_or(0, |at| at + 1);
    let right = uri[end..].iter().position(|byte| b"/\\?#".contains(byte)).map_or(uri.len(), |length| end + length);
    let parent = encode::decode(&uri[left..right]).is_none_or(|around| has_parent(&around));
    parent.then_some(Danger::ParentSegment)
}

fn has_parent(text: &str) -> bool {
    // Some systems drop spaces at the end of a name.
    text.split(is_separator).any(|segment| segment.trim_end_matches(' ') == "..")
}

fn is_separator(symbol: char) -> bool {
    matches!(symbol, '/' | '\\')
}
