//! Origins of web pages as browsers name them: scheme, host and port.
//!
//! Spec: <https://www.rfc-editor.org/rfc/rfc6454#section-6.1>.

use super::authority::{Authority, Name};

/// Which page asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) scheme: &'a str,
    pub(super) host: Name<&'a str>,
    /// The port, or that which the scheme means.
    pub(super) port: Option<u16>,
}

impl<'a> Origin<'a> {
    /// Reads `scheme://host` or `scheme://host:port`. `null` is no origin.
    pub(super) fn read(text: &'a [u8]) -> Option<Self> {
        let (scheme, rest) = std::str::from_utf8(text).ok()?.split_once("://")?;
        let known = is_scheme(scheme).then_some(scheme)?;
        let Authority { name: host, port } = Authority::read(rest.as_bytes())?;
        Some(Self { scheme: known, host, port: port.or_else(|| default_port(known)) })
    }

    /// Whether it is a page of the web, not of an application.
    pub(super) fn is_web(&self) -> bool {
        default_port(self.scheme).is_some()
    }

    /// Whether its page comes from `host` itself. How the server is reached is not known, so a
    /// host without a port has the one that the page's scheme means.
    pub(super) fn is_of(&self, host: &Authority<&str>) -> bool {
        self.is_web() && self.host.is(&host.name) && self.port == host.port.or_else(|| default_port(self.scheme))
    }
}

/// An origin that is let in.
#[derive(Debug, Clone)]
pub(super) struct OriginRule {
    scheme: Box<str>,
    host: Name<Box<str>>,
    port: Port,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Port {
    Any,
    This(Option<u16>),
}

impl OriginRule {
    /// Reads an origin, or one whose port is `*`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let any = text.strip_suffix(":*");
        let origin = Origin::read(any.unwrap_or(text).as_bytes())?;
        // `http://host::*` and `http://host:8000:*` are neither one nor the other.
        if any.is_some_and(|rest| rest.ends_with(':') || Origin::has_port(rest)) {
            return None;
        }
        let port = if any.is_some() { Port::Any } else { Port::This(origin.port) };
        Some(Self { scheme: origin.scheme.into(), host: origin.host.owned(), port })
    }

    pub(super) fn allows(&self, origin: &Origin<'_>) -> bool {
        self.scheme.eq_ignore_ascii_case(origin.scheme)
            && self.host.is(&origin.host)
            && (self.port == Port::Any || self.port == Port::This(origin.port))
    }
}

impl Origin<'_> {
    fn has_port(text: &str) -> bool {
        let authority = text.split_once("://").and_then(|(_, rest)| Authority::read(rest.as_bytes()));
        authority.is_some_and(|authority| authority.port.is_some())
    }
}

fn is_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn default_port(scheme: &str) -> Option<u16> {
    if scheme.eq_ignore_ascii_case("http") {
        Some(80)
    } else if scheme.eq_ignore_ascii_case("https") {
        Some(443)
    } else {
        None
    }
}
