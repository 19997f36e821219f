//! MIME type detection for resources without an explicit `mimeType`.
//!
//! Magic bytes take precedence over the file extension, which takes precedence over text detection. Text that starts with
//! the magic bytes of a binary format (`BM…`, `MZ…`) is detected as text.
//!
//! <https://mimesniff.spec.whatwg.org/>

mod extensions;

use std::{borrow::Cow, path::Path};

use infer::MatcherType;

/// The default type of text.
const TEXT: &str = "text/plain";
/// The default type of binary data.
const BINARY: &str = "application/octet-stream";
/// The type of `.ts` files that are text.
const TYPESCRIPT: &str = "text/x-typescript";
/// The type of `.ts` files that are binary (MPEG transport stream).
const TRANSPORT_STREAM: &str = "video/mp2t";

/// Formats whose files may consist of text only, so that their magic bytes also apply to text.
const TEXTUAL_FORMATS: &[&str] = &["application/pdf", "application/postscript", "application/rtf"];

/// Returns the MIME type of a file, detected from its content and its optional name.
///
/// Magic bytes take precedence, then the file extension. Otherwise the type is `text/plain` for [text](is_text) and
/// `application/octet-stream` for other data. HTML, XML and scripts are detected from the content only if the extension is
/// unknown, so that an SVG image or a Markdown file that starts with a comment keeps its type.
///
/// ```
/// use std::path::Path;
/// use ferromcp_server::mime;
///
/// assert_eq!(mime::guess(Some(Path::new("notes.md")), b"# Notes"), "text/markdown");
/// assert_eq!(mime::guess(Some(Path::new("wrong.txt")), b"\x89PNG\r\n\x1a\n"), "image/png");
/// assert_eq!(mime::guess(None, b"plain text"), "text/plain");
/// ```
pub fn guess(path: Option<&Path>, bytes: &[u8]) -> Cow<'static, str> {
    let text = is_text(bytes);
    let magic = infer::get(bytes);
    let solid = magic.filter(|kind| kind.matcher_type() != MatcherType::Text);
    if let Some(kind) = solid.filter(|kind| !text || TEXTUAL_FORMATS.contains(&kind.mime_type())) {
        return Cow::Borrowed(kind.mime_type());
    }
    if let Some(named) = path.and_then(of_path) {
        return Cow::Borrowed(if named == TYPESCRIPT && !text { TRANSPORT_STREAM } else { named });
    }
    match magic {
        Some(kind) if text && kind.matcher_type() == MatcherType::Text => Cow::Borrowed(kind.mime_type()),
        _ => Cow::Borrowed(if text { TEXT } else { BINARY }),
    }
}

/// Returns the MIME type that matches the magic bytes at the start of the data, or `None`.
///
/// A few hundred bytes are enough for almost every format.
///
/// ```
/// assert_eq!(ferromcp_server::mime::sniff(b"GIF89a"), Some("image/gif"));
/// assert_eq!(ferromcp_server::mime::sniff(b"hello"), None);
/// ```
pub fn sniff(bytes: &[u8]) -> Option<&'static str> {
    infer::get(bytes).map(|kind| kind.mime_type())
}

/// Returns the MIME type of the file extension, or `None` if it is unknown.
///
/// ```
/// # use std::path::Path;
/// assert_eq!(ferromcp_server::mime::of_path(Path::new("logo.svg")), Some("image/svg+xml"));
/// ```
pub fn of_path(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?;
    extensions::mime_type(extension)
}

/// Returns true if the bytes are text: valid UTF-8 without control characters other than line breaks, tabs, form feeds and
/// escapes. Empty input is text.
///
/// ```
/// use ferromcp_server::mime::is_text;
///
/// assert!(is_text("naïve\r\n".as_bytes()));
/// assert!(!is_text(b"\xff\xfeh\0i\0"));
/// ```
pub fn is_text(bytes: &[u8]) -> bool {
    let binary = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    std::str::from_utf8(bytes).is_ok() && !bytes.iter().any(binary)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    #[track_caller]
    fn check(name: &str, bytes: &[u8], expected: &str) {
        let path = (!name.is_empty()).then(|| Path::new(name));
        assert_eq!(guess(path, bytes), expected, "{name:?}");
    }

    #[test]
    fn magic_bytes_take_precedence_over_extension() {
        check("", PNG, "image/png");
        check("picture.jpg", PNG, "image/png");
        check("page.html", b"%PDF-1.7\n\xe2\xe3\xcf\xd3", "application/pdf");
        check("", b"%PDF-1.4\nonly text", "application/pdf");
        check("", b"\x1f\x8b\x08\0", "application/gzip");
    }

    #[test]
    fn extension_takes_precedence_when_content_is_text() {
        check("logo.svg", b"<?xml version=\"1.0\"?><svg/>", "image/svg+xml");
        check("logo.SVG", b"<svg/>", "image/svg+xml");
        check("notes.md", b"<!-- draft -->\n# Notes", "text/markdown");
        check("data.json", b"{}", "application/json");
        check("data.csv", b"caf\xe9,1", "text/csv");
        check("lib.rs", b"fn main() {}", "text/x-rust");
        check("a/b.c/run.py", b"#!/usr/bin/python\n", "text/x-python");
        check("c.yaml", b"a: 1", "application/yaml");
        check("empty.png", b"", "image/png");
    }

    #[test]
    fn ts_extension_is_typescript_when_content_is_text() {
        check("index.ts", b"export {}", "text/x-typescript");
        check("film.ts", b"\x47\x40\0\x10\0\0", "video/mp2t");
    }

    #[test]
    fn type_is_detected_from_content_when_name_is_missing() {
        check("", b"", "text/plain");
        check("", "Grüße\n".as_bytes(), "text/plain");
        check("", b"<!DOCTYPE html><p>", "text/html");
        check("", b"<?xml version=\"1.0\"?>", "text/xml");
        check("", b"#!/bin/sh\n", "text/x-shellscript");
        check("README", b"text", "text/plain");
        check("README.unknown-extension", b"text", "text/plain");
        check("", b"\xff\xfe\xfd", "application/octet-stream");
        check("core", b"\x01\x02\x03", "application/octet-stream");
    }

    #[test]
    fn type_is_text_when_text_starts_with_magic_bytes() {
        assert_eq!(sniff(b"BM is where many a picture begins"), Some("image/bmp"));
        check("", b"BM is where many a picture begins", "text/plain");
        check("cars.md", b"BMW", "text/markdown");
    }

    // M26-370, S-286
    #[test]
    fn is_text_rejects_invalid_utf8_and_control_characters() {
        assert!(is_text(b"tab\t line\r\n feed\x0c colour\x1b[0m"));
        assert!(is_text("日本語 🦀".as_bytes()));
        assert!(!is_text(b"nul\0"));
        assert!(!is_text(b"bell\x07"));
        assert!(!is_text(b"latin caf\xe9"));
        // An incomplete character is not valid UTF-8.
        assert!(!is_text(&"é".as_bytes()[..1]));
    }

    proptest! {
        #[test]
        fn guess_always_returns_a_media_type(bytes in prop::collection::vec(any::<u8>(), 0..64), name in "[a-z.]{0,8}") {
            let guess = guess(Some(Path::new(&name)), &bytes);
            let (kind, subtype) = guess.split_once('/').expect("a slash");
            prop_assert!(!kind.is_empty() && !subtype.is_empty());
        }
    }
}
