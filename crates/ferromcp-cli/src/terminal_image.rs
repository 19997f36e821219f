//! Images in terminals with an image protocol: kitty and iTerm2, and terminals that implement one of them.
//!
//! Protocols: <https://sw.kovidgoyal.net/kitty/graphics-protocol/>, <https://iterm2.com/documentation-images.html>.

use std::fmt::Write as _;
use std::io::{self, IsTerminal};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::exit::Failure;
use crate::output::Output;

/// Maximum size of an image that is shown, in bytes.
const MAX_IMAGE: usize = 8 << 20;

/// Size of a part of an image in the protocol of kitty, in characters of base64.
const PART: usize = 4096;

/// A protocol for images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// PNG only.
    Kitty,
    Iterm,
}

/// Shows an image if stdout is a terminal that supports its type. Does nothing otherwise.
pub(crate) fn show(mime_type: &str, data: &str, out: &mut Output) -> Result<(), Failure> {
    if !io::stdout().is_terminal() {
        return Ok(());
    }
    let protocol = protocol(|name| std::env::var(name).unwrap_or_default());
    match protocol.and_then(|protocol| sequence(protocol, mime_type, data)) {
        Some(sequence) => out.sequence(&sequence),
        None => Ok(()),
    }
}

/// Returns the protocol of the terminal. Multiplexers do not pass images on.
fn protocol(variable: impl Fn(&str) -> String) -> Option<Protocol> {
    if !variable("TMUX").is_empty() || variable("TERM").starts_with("screen") {
        return None;
    }
    match variable("TERM_PROGRAM").as_str() {
        "iTerm.app" | "WezTerm" | "mintty" => Some(Protocol::Iterm),
        "ghostty" => Some(Protocol::Kitty),
        _ if !variable("KITTY_WINDOW_ID").is_empty() || variable("TERM").contains("kitty") => Some(Protocol::Kitty),
        _ => None,
    }
}

/// Returns the escape sequences of an image. `None` if the type is not supported, or the data is invalid or too large.
fn sequence(protocol: Protocol, mime_type: &str, data: &str) -> Option<String> {
    let is_supported = match protocol {
        Protocol::Kitty => mime_type == "image/png",
        Protocol::Iterm => matches!(mime_type, "image/png" | "image/jpeg" | "image/gif" | "image/webp"),
    };
    if !is_supported || data.len() > MAX_IMAGE / 3 * 4 {
        return None;
    }
    // Encoded again, so that the sequence contains only characters of base64.
    let bytes = STANDARD.decode(data).ok()?;
    let encoded = STANDARD.encode(&bytes);
    if protocol == Protocol::Iterm {
        return Some(format!("\x1b]1337;File=inline=1;size={}:{encoded}\x07\n", bytes.len()));
    }
    let mut text = String::new();
    let mut rest = encoded.as_str();
    let mut control = "a=T,f=100,";
    loop {
        let (part, later) = rest.split_at(rest.len().min(PART));
        let has_more = u8::from(!later.is_empty());
        let _ = write!(text, "\x1b_G{control}m={has_more};{part}\x1b\\"); // writing to a `String` does not fail
        if later.is_empty() {
            return Some(text + "\n");
        }
        (rest, control) = (later, "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_is_that_of_the_terminal() {
        let of = |variables: &[(&str, &str)]| {
            let value = |name: &str| variables.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value);
            protocol(|name| value(name).to_owned())
        };
        assert_eq!(of(&[("TERM", "xterm-256color")]), None);
        assert_eq!(of(&[("TERM_PROGRAM", "iTerm.app")]), Some(Protocol::Iterm));
        assert_eq!(of(&[("TERM_PROGRAM", "WezTerm"), ("TMUX", "/tmp/tmux")]), None);
        assert_eq!(of(&[("TERM", "xterm-kitty")]), Some(Protocol::Kitty));
        assert_eq!(of(&[("KITTY_WINDOW_ID", "1"), ("TERM", "screen-256color")]), None);
    }

    #[test]
    fn sequence_contains_only_base64_of_the_image() {
        let data = STANDARD.encode(vec![7; 5000]);
        let iterm = sequence(Protocol::Iterm, "image/jpeg", &data).unwrap();
        assert_eq!(iterm, format!("\x1b]1337;File=inline=1;size=5000:{data}\x07\n"));
        let kitty = sequence(Protocol::Kitty, "image/png", &data).unwrap();
        let expected = format!("\x1b_Ga=T,f=100,m=1;{}\x1b\\\x1b_Gm=0;{}\x1b\\\n", &data[..PART], &data[PART..]);
        assert_eq!(kitty, expected);
        for (mime_type, data) in [("image/jpeg", &*data), ("image/png", "\x1b]0;title\x07"), ("text/plain", "AA==")] {
            assert_eq!(sequence(Protocol::Kitty, mime_type, data), None, "{mime_type}");
        }
        assert_eq!(sequence(Protocol::Iterm, "image/png", &"A".repeat(MAX_IMAGE * 2)), None);
    }
}
