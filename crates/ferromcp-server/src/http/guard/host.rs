//! Rules for allowed hosts.

use super::authority::{Authority, Name};

/// A host, or all its subdomains.
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
