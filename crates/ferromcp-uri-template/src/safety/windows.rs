//! File names that Windows reads differently: devices, alternate data streams, and trailing dots and spaces.
//!
//! A handler that checks the name of a file, for example its extension, would check another name than the one that is
//! opened. The names are refused on every system, so that a server behaves the same everywhere.
//!
//! <https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file>

/// Returns whether a value starts with a scheme and an authority: `https://host:8080/x`. No file of Windows has this name.
pub(super) fn is_url(value: &str) -> bool {
    value.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

/// Returns whether a segment is the name of a device, with any extension, stream, and trailing spaces.
pub(super) fn is_device(segment: &str) -> bool {
    let stem = segment.split(['.', ':']).next().unwrap_or_default().trim_end_matches(' ');
    if ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].iter().any(|name| stem.eq_ignore_ascii_case(name)) {
        return true;
    }
    let Some((port, number)) = stem.get(..3).zip(stem.get(3..)) else { return false };
    let is_number = matches!(number, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³");
    is_number && (port.eq_ignore_ascii_case("COM") || port.eq_ignore_ascii_case("LPT"))
}

/// Returns whether a segment is `name:stream`, `name:stream:$TYPE` or `name::$TYPE`. Windows opens no other name with a
/// colon. In a value that is not a path, `name:stream` requires a name with an extension.
pub(super) fn has_stream(segment: &str, is_path: bool) -> bool {
    let mut parts = segment.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(stream), None) if !name.is_empty() && !stream.is_empty() => {
            is_path || (has_extension(name) && !stream.bytes().all(|byte| byte.is_ascii_digit()))
        }
        (Some(name), Some(_), Some(kind)) => !name.is_empty() && kind.starts_with('$'),
        _ => false,
    }
}

/// Returns whether a segment ends with dots or spaces. `.` is the current directory. In a value that is not a path, the
/// rest must be a name with an extension.
pub(super) fn has_trailing_dot(segment: &str, is_path: bool) -> bool {
    let name = segment.trim_end_matches(['.', ' ']);
    let is_dots = name.is_empty() && segment.contains(".."); // what remains is not defined
    name.len() < segment.len() && segment != "." && (is_path || is_dots || has_extension(name))
}

/// Returns whether a name ends with a dot and an extension of 2 to 16 letters and digits that starts with a letter:
/// `notes.txt`, `.env`.
fn has_extension(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| {
        (2..=16).contains(&extension.len())
            && extension.starts_with(|first: char| first.is_ascii_alphabetic())
            && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}
