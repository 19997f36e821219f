//! Hosts that a server answers to beside those of its machine.

use super::authority::{Authority, Name};

/// A host, or all names under one.
#[derive(Debug, Clone)]
pub(super) struct HostRule {
    name: Name<Box<str>>,
    /// Any if there is none.
    port: Option<u16>,
    /// The names under it, and not itself.
    under: bool,
}

impl HostRule {
    /// Reads `name`, `name:port`, `*.name`, `*.name:port` or an address; IPv6 with brackets or without.
    pub(super) fn read(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self { name: Name::Ip(address), port: None, under: false });
        }
        let parent = text.strip_prefix("*.");
        let Authority { name, port } = Authority::read(parent.unwrap_or(text).as_bytes())?;
        if parent.is_some() && matches!(name, Name::Ip(_)) {
            return None;
        }
        Some(Self { name: name.owned(), port, under: parent.is_some() })
    }

    pub(super) fn allows(&self, host: &Authority<&str>) -> bool {
        let named = if self.under { host.name.is_under(&self.name) } else { host.name.is(&self.name) };
        named && (self.port.is_none() || self.port == host.port)
    }
}
