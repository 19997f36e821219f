//! IP networks, for trusted proxies and for limits per client.

use std::net::{IpAddr, Ipv6Addr};

/// An IP address with a prefix length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Network {
    address: u128,
    bits: u32,
    v4: bool,
}

impl Network {
    /// Parses `10.0.0.7`, `10.0.0.0/8`, or the same with IPv6.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            None => (text, None),
            Some((address, length)) => (address, Some(length)),
        };
        let (address, width, v4) = number(address.parse().ok()?);
        let bits = match length {
            None => width,
            Some(length) if length.bytes().all(|byte| byte.is_ascii_digit()) => length.parse().ok()?,
            Some(_) => return None,
        };
        (bits <= width).then_some(Self { address, bits, v4 })
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let (address, width, v4) = number(address);
        // With a prefix of 0 bits the shift overflows; then every address matches.
        v4 == self.v4 && (address ^ self.address).checked_shr(width - self.bits).unwrap_or(0) == 0
    }
}

/// Returns the network that limits count as one client: the address, or the /64 network of an IPv6 address. An IPv4-mapped
/// IPv6 address counts as IPv4.
#[doc(hidden)]
#[must_use]
pub fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

/// Returns an address as a number, its width in bits, and whether it is IPv4. IPv4-mapped IPv6 counts as IPv4.
fn number(address: IpAddr) -> (u128, u32, bool) {
    match address.to_canonical() {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32, true),
        IpAddr::V6(address) => (u128::from(address), 128, false),
    }
}
