//! Parses a host with an optional port, and a rule for allowed hosts. Strict: anything unusual is rejected.
//!
//! Spec: <https://www.rfc-editor.org/rfc/rfc9110#name-host-and-authority>.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The maximum length of a DNS name.
const MAX_NAME: usize = 253;

/// A host with an optional port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Authority<S> {
    pub(super) name: Name<S>,
    pub(super) port: Option<u16>,
}

/// A host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name<S> {
    /// An IP address.
    Ip(IpAddr),
    /// A DNS name, without the optional trailing dot.
    Dns(S),
}

impl<'a> Authority<&'a str> {
    /// Parses `name`, `name:port`, or the same with an address. Rejects user names, escapes, zones and spaces.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']')?;
            let address: Ipv6Addr = address.parse().ok()?;
            return Some(Self { name: Name::Ip(address.into()), port: parse_port(rest)? });
        }
        let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
        Some(Self { name: Name::parse(name)?, port: parse_port(port)? })
    }
}

impl<'a> Name<&'a str> {
    /// Parses a name or an IPv4 address.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Self::Ip(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let label = |label: &str| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        (name.len() <= MAX_NAME && name.split('.').all(label)).then_some(Self::Dns(name))
    }
}

impl<S: AsRef<str>> Name<S> {
    /// Returns whether both are the same host.
    pub(super) fn is_same(&self, other: &Name<impl AsRef<str>>) -> bool {
        match (self, other) {
            (Self::Ip(one), Name::Ip(other)) => one == other,
            (Self::Dns(one), Name::Dns(other)) => one.as_ref().eq_ignore_ascii_case(other.as_ref()),
            _ => false,
        }
    }

    /// Returns whether this is a subdomain of `parent`.
    pub(super) fn is_subdomain_of(&self, parent: &Name<impl AsRef<str>>) -> bool {
        let (Self::Dns(name), Name::Dns(parent)) = (self, parent) else { return false };
        let (name, parent) = (name.as_ref(), parent.as_ref());
        let Some(dot) = name.len().checked_sub(parent.len() + 1) else { return false };
        dot > 0 && name.as_bytes()[dot] == b'.' && name[dot + 1..].eq_ignore_ascii_case(parent)
    }

    /// Returns whether this is a loopback host: `localhost`, 127.0.0.0/8 or `::1`.
    pub(super) fn is_local(&self) -> bool {
        match self {
            Self::Ip(address) => address.is_loopback(),
            Self::Dns(name) => name.as_ref().eq_ignore_ascii_case("localhost"),
        }
    }

    /// Returns an owned copy.
    pub(super) fn to_boxed(&self) -> Name<Box<str>> {
        match self {
            Self::Ip(address) => Name::Ip(*address),
            Self::Dns(name) => Name::Dns(name.as_ref().into()),
        }
    }
}

impl<S: AsRef<str>> fmt::Display for Name<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Dns(name) => f.write_str(name.as_ref()),
        }
    }
}

/// An allowed host, or all its subdomains.
#[derive(Debug, Clone)]
pub(super) struct HostRule {
    name: Name<Box<str>>,
    /// `None` allows any port.
    port: Option<u16>,
    /// Whether the rule is for the subdomains only.
    subdomains: bool,
}

impl HostRule {
    /// Parses `name`, `name:port`, `*.name`, `*.name:port` or an address; IPv6 with or without brackets.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self { name: Name::Ip(address), port: None, subdomains: false });
        }
        let parent = text.strip_prefix("*.");
        let Authority { name, port } = Authority::parse(parent.unwrap_or(text).as_bytes())?;
        if parent.is_some() && matches!(name, Name::Ip(_)) {
            return None;
        }
        Some(Self { name: name.to_boxed(), port, subdomains: parent.is_some() })
    }

    pub(super) fn allows(&self, host: &Authority<&str>) -> bool {
        let matches =
            if self.subdomains { host.name.is_subdomain_of(&self.name) } else { host.name.is_same(&self.name) };
        matches && (self.port.is_none() || self.port == host.port)
    }
}

/// Parses the rest after a host: empty, or a colon and an optional port.
#[allow(clippy::option_option, reason = "an absent port differs from an invalid one")]
fn parse_port(text: &str) -> Option<Option<u16>> {
    match text.strip_prefix(':') {
        None => text.is_empty().then_some(None),
        Some("") => Some(None),
        Some(digits) => {
            let plain = digits.len() <= 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
            Some(Some(plain.then(|| digits.parse().ok()).flatten()?))
        }
    }
}
