//! Networks of addresses, to say which peers are proxies of one's own.

use std::net::IpAddr;

/// An address, or all that begin like it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Network {
    address: u128,
    bits: u32,
    v4: bool,
}

impl Network {
    /// Reads `10.0.0.7`, `10.0.0.0/8` or the same of IPv6.
    pub(super) fn read(text: &str) -> Option<Self> {
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
        // All bits differ by a shift as wide as the number, which is no shift to the machine.
        v4 == self.v4 && (address ^ self.address).checked_shr(width - self.bits).unwrap_or(0) == 0
    }
}

/// An address as a number, and its width. IPv4 in the clothes of IPv6 is IPv4.
fn number(address: IpAddr) -> (u128, u32, bool) {
    match address.to_canonical() {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32, true),
        IpAddr::V6(address) => (u128::from(address), 128, false),
    }
}
