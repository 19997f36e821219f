//! What kind of bytes these are: the `mimeType` of a resource when its author has not said.
//!
//! Magic bytes are believed first, then the file's name, then whether it is text. A text that happens to begin like an
//! old binary format (`BM…`, `MZ…`) is still a text.
//!
//! <https://mimesniff.spec.whatwg.org/>

use std::{borrow::Cow, path::Path};

use infer::MatcherType;

/// The type of last resort for text.
const TEXT: &str = "text/plain";
/// The type of last resort.
const BINARY: &str = "application/octet-stream";
/// `.ts` files are TypeScript, unless their bytes are no text.
const TYPESCRIPT: &str = "text/x-typescript";
/// What a `.ts` file is that is no text.
const TRANSPORT_STREAM: &str = "video/mp2t";

/// Formats whose files may be made of nothing but text, so that their magic holds for text, too.
const TEXTUAL_FORMATS: &[&str] = &["application/pdf", "application/postscript", "application/rtf"];

/// The MIME type of a file from its bytes and, where there is one, its name.
///
/// The magic bytes decide first, the name second; without both it is `text/plain` for [text](is_text) and
/// `application/octet-stream` for everything else. HTML, XML and scripts, which the bytes only hint at, come after the
/// name, so that an SVG image or a Markdown file that begins with a comment keeps its own type.
///
/// ```
/// use std::path::Path;
/// use ferromcp_server::mime;
///
/// assert_eq!(mime::guess(Some(Path::new("notes.md")), b"# Notes"), "text/markdown");
/// assert_eq!(mime::guess(Some(Path::new("wrong.txt")), b"\x89PNG\r\n\x1a\n"), "image/png");
/// assert_eq!(mime::guess(None, b"plain words"), "text/plain");
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

/// The MIME type that the first bytes give away; a few hundred are enough for almost every format.
///
/// ```
/// assert_eq!(ferromcp_server::mime::sniff(b"GIF89a"), Some("image/gif"));
/// assert_eq!(ferromcp_server::mime::sniff(b"hello"), None);
/// ```
pub fn sniff(bytes: &[u8]) -> Option<&'static str> {
    infer::get(bytes).map(|kind| kind.mime_type())
}

/// The MIME type that the end of a file's name stands for.
///
/// ```
/// # use std::path::Path;
/// assert_eq!(ferromcp_server::mime::of_path(Path::new("logo.svg")), Some("image/svg+xml"));
/// ```
pub fn of_path(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?;
    let own = match extension.to_ascii_lowercase().as_str() {
        // The public table knows these by other, older meanings or not at all.
        "ts" | "mts" | "cts" | "tsx" => Some(TYPESCRIPT),
        "py" => Some("text/x-python"),
        "jsonl" | "ndjson" => Some("application/x-ndjson"),
        "yaml" | "yml" => Some("application/yaml"),
        "toml" => Some("application/toml"),
        _ => None,
    };
    own.or_else(|| mime_guess::from_ext(extension).first_raw())
}

/// Whether the bytes are text that can stand in a JSON string as it is: UTF-8 as a whole, and no control characters but
/// line ends, tabs, form feeds and escapes. No bytes at all are text.
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
    fn magic_bytes_come_before_the_name() {
        check("", PNG, "image/png");
        check("picture.jpg", PNG, "image/png");
        check("page.html", b"%PDF-1.7\n\xe2\xe3\xcf\xd3", "application/pdf");
        check("", b"%PDF-1.4\nonly text", "application/pdf");
        check("", b"\x1f\x8b\x08\0", "application/gzip");
    }

    #[test]
    fn the_name_comes_before_what_text_looks_like() {
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
    fn typescript_is_no_film() {
        check("index.ts", b"export {}", "text/x-typescript");
        check("film.ts", b"\x47\x40\0\x10\0\0", "video/mp2t");
    }

    #[test]
    fn without_a_name_text_is_told_from_the_rest() {
        check("", b"", "text/plain");
        check("", "Grüße\n".as_bytes(), "text/plain");
        check("", b"<!DOCTYPE html><p>", "text/html");
        check("", b"<?xml version=\"1.0\"?>", "text/xml");
        check("", b"#!/bin/sh\n", "text/x-shellscript");
        check("README", b"words", "text/plain");
        check("README.unheard-of", b"words", "text/plain");
        check("", b"\xff\xfe\xfd", "application/octet-stream");
        check("core", b"\x01\x02\x03", "application/octet-stream");
    }

    #[test]
    fn words_that_begin_like_a_binary_format_are_words() {
        assert_eq!(sniff(b"BM is where many a picture begins"), Some("image/bmp"));
        check("", b"BM is where many a picture begins", "text/plain");
        check("cars.md", b"BMW", "text/markdown");
    }

    // M26-370, S-286
    #[test]
    fn text_is_utf_8_without_control_characters() {
        assert!(is_text(b"tab\t line\r\n feed\x0c colour\x1b[0m"));
        assert!(is_text("日本語 🦀".as_bytes()));
        assert!(!is_text(b"nul\0"));
        assert!(!is_text(b"bell\x07"));
        assert!(!is_text(b"latin caf\xe9"));
        // Half a character: the bytes as they are cannot be a JSON string.
        assert!(!is_text(&"é".as_bytes()[..1]));
    }

    proptest! {
        #[test]
        fn every_guess_is_a_media_type(bytes in prop::collection::vec(any::<u8>(), 0..64), name in "[a-z.]{0,8}") {
            let guess = guess(Some(Path::new(&name)), &bytes);
            let (kind, subtype) = guess.split_once('/').expect("a slash");
            prop_assert!(!kind.is_empty() && !subtype.is_empty());
        }
    }
}
