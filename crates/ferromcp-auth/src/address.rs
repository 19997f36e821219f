//! Classifies IP addresses: URLs in metadata must not make the client send requests to private networks (SSRF).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns whether an address is globally routable. Addresses that embed an IPv4 address are classified by it.
///
/// Excludes private, shared, loopback, link-local, unique-local, multicast, documentation, benchmarking, reserved and
/// unspecified ranges (IANA special-purpose registries).
pub(crate) fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_global_v4(address),
        IpAddr::V6(address) => is_global_v6(address),
    }
}

/// Returns whether an address is a loopback address, also in its IPv4-mapped form.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback()),
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || a >= 240
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || (a == 100 && (64..128).contains(&b)) // shared address space
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99) // 6to4 relays, deprecated
        || (a == 198 && (b == 18 || b == 19))) // benchmarking
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    match segments {
        // IPv4-mapped, NAT64, 6to4.
        [0, 0, 0, 0, 0, 0xffff, a, b] | [0x64, 0xff9b, 0, 0, 0, 0, a, b] | [0x2002, a, b, ..] => {
            is_global_v4(embedded(a, b))
        }
        // Protocol assignments (such as Teredo, ORCHID and benchmarking), and documentation.
        [0x2001, b, ..] if b < 0x200 || b == 0xdb8 => false,
        [0x3fff, b, ..] if b < 0x1000 => false,
        // Only this range is assigned to global unicast.
        [a, ..] => a & 0xe000 == 0x2000,
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_special_addresses_are_not_global() {
        //
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
        ] {
            assert!(!is_global(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn public_addresses_are_global() {
        for address in ["1.1.1.1", "8.8.8.8", "::ffff:1.1.1.1", "2606:4700::1111", "64:ff9b::101:101", "2a00:1450::1"] {
            assert!(is_global(address.parse().unwrap()), "{address}");
        }
    }
}
