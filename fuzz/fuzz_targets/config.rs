//! Parses arbitrary configuration files: JSON is accepted as JSON with comments, and no password of a URL is shown. Also
//! escapes and truncates arbitrary text, and splits it into lines.
//!
//! `cargo +nightly fuzz run config`.
#![no_main]

use ferromcp_client::config::{Config, ConfigErrorKind, TransportConfig};
use ferromcp_core::text;
use ferromcp_fuzz::assert_printable;
use ferromcp_transport::{Frame, LineBuffer};
use libfuzzer_sys::fuzz_target;
use url::Url;

/// The maximum length of a line in the line buffer.
const MAX_LINE: usize = 16;

fuzz_target!(|input: &[u8]| {
    lines(input);
    let Ok(input) = std::str::from_utf8(input) else { return };
    escapes(input);
    let config = match Config::parse(input) {
        Ok(config) => config,
        Err(error) => {
            assert_printable(&error.to_string());
            let is_json = serde_json::from_str::<serde_json::Value>(input).is_ok();
            assert!(!is_json || error.kind() != ConfigErrorKind::Syntax, "{error}");
            return;
        }
    };
    for entry in config.entries() {
        std::hint::black_box((entry.is_disabled(), entry.other().count(), format!("{entry:?}")));
        let server = match entry.resolve_with(lookup) {
            Ok(server) => server,
            Err(error) => {
                assert_printable(&error.to_string());
                continue;
            }
        };
        let shown = format!("{server:?}");
        match server.transport() {
            TransportConfig::Stdio(stdio) => {
                std::hint::black_box(stdio.command());
            }
            TransportConfig::Http(http) => assert_no_password(http.url(), &shown),
            _ => {}
        }
    }
});

fn lookup(name: &str) -> Option<String> {
    match name {
        "A" => Some("one".to_owned()),
        "EMPTY" => Some(String::new()),
        "NESTED" => Some("${A}".to_owned()),
        _ => None,
    }
}

/// Asserts that the password of a URL does not appear in a text, unless another part of the URL contains it.
fn assert_no_password(url: &str, shown: &str) {
    let Ok(parsed) = Url::parse(url) else { return };
    let Some(password) = parsed.password().filter(|password| password.len() >= 3) else { return };
    let mut rest = parsed.clone();
    if rest.set_password(None).is_ok() && !rest.as_str().contains(password) && url.matches(password).count() == 1 {
        assert!(!shown.contains(password), "{shown}");
    }
}

fn escapes(input: &str) {
    let shown = [
        (text::excerpt(input).to_string(), text::MAX_EXCERPT),
        (text::reason(input).to_string(), text::MAX_REASON),
        (text::message(input).to_string(), text::MAX_MESSAGE),
        (text::report(input).to_string(), text::MAX_REPORT),
    ];
    for (text, max_chars) in &shown {
        assert_printable(text);
        // An escape has at most 10 characters, and the length that follows truncated text fewer than 40.
        assert!(text.chars().count() <= max_chars * 10 + 40);
    }
    assert!(!shown[0].0.contains(['\n', '\t']) && !shown[1].0.contains(['\n', '\t']));
    let escaped = text::escape(input);
    assert_printable(&escaped);
    assert_eq!(text::escape(&escaped), escaped);
    assert_eq!(ferromcp_transport::escape(input), escaped);
}

/// Splits the input into lines, at once and in small reads.
fn lines(input: &[u8]) {
    let whole = split(input, input.len().max(1));
    let size = usize::from(input.first().copied().unwrap_or_default() % 8) + 1;
    assert_eq!(whole, split(input, size));
    for frame in whole {
        if let Frame::Complete(line) = frame {
            assert!(line.len() <= MAX_LINE && !line.contains(&b'\n') && !line.iter().all(u8::is_ascii_whitespace));
        }
    }
}

fn split(input: &[u8], size: usize) -> Vec<Frame> {
    let mut lines = LineBuffer::new(MAX_LINE);
    let mut frames = Vec::new();
    for chunk in input.chunks(size) {
        lines.read_buffer().extend_from_slice(chunk);
        frames.extend(std::iter::from_fn(|| lines.pop()));
    }
    frames.extend(std::iter::from_fn(|| lines.finish()));
    frames
}
