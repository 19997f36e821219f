//! Parses `Origin`: scheme, host and port.
//!
//! Spec: <https://www.rfc-editor.org/rfc/rfc6454#section-6.1>.

use super::authority::{Authority, Name};

/// The origin of a web page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) scheme: &'a str,
    pub(super) host: Name<&'a str>,
    /// The port, or the default port of the scheme.
    pub(super) port: Option<u16>,
}

impl<'a> Origin<'a> {
    /// Parses `scheme://host` or `scheme://host:port`. Returns `None` for `null`.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let (scheme, rest) = std::str::from_utf8(text).ok()?.split_once("://")?;
        let scheme = is_scheme(scheme).then_some(scheme)?;
        let Authority { name: host, port } = Authority::parse(rest.as_bytes())?;
        Some(Self { scheme, host, port: port.or_else(|| default_port(scheme)) })
    }

    /// Returns whether the scheme is http or https, as opposed to the scheme of an application.
    pub(super) fn is_web(&self) -> bool {
        default_port(self.scheme).is_some()
    }

    /// Returns whether the page is from `host`. The scheme of the server is unknown behind a proxy, so a host without a
    /// port gets the default port of the page's scheme.
    pub(super) fn is_same_host(&self, host: &Authority<&str>) -> bool {
        self.is_web() && self.host.is_same(&host.name) && self.port == host.port.or_else(|| default_port(self.scheme))
    }
}

/// An allowed origin.
#[derive(Debug, Clone)]
pub(super) struct OriginRule {
    scheme: Box<str>,
    host: Name<Box<str>>,
    port: Port,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Port {
    Any,
    Exact(Option<u16>),
}

impl OriginRule {
    /// Parses an origin, or an origin with the port `*`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let any = text.strip_suffix(":*");
        let origin = Origin::parse(any.unwrap_or(text).as_bytes())?;
        // Rejects `http://host::*` and `http://host:8000:*`.
        if any.is_some_and(|rest| rest.ends_with(':') || Origin::has_port(rest)) {
            return None;
        }
        let port = if any.is_some() { Port::Any } else { Port::Exact(origin.port) };
        Some(Self { scheme: origin.scheme.into(), host: origin.host.to_boxed(), port })
    }

    pub(super) fn allows(&self, origin: &Origin<'_>) -> bool {
        self.scheme.eq_ignore_ascii_case(origin.scheme)
            && self.host.is_same(&origin.host)
            && (self.port == Port::Any || self.port == Port::Exact(origin.port))
    }
}

impl Origin<'_> {
    fn has_port(text: &str) -> bool {
        let authority = text.split_once("://").and_then(|(_, rest)| Authority::parse(rest.as_bytes()));
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
