//! [`RateLimits`]: limits of requests per client address, against guessing and flooding.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ferromcp_server::http::{ClientAddr, client_address, client_network};
use http::{Extensions, HeaderMap};

/// Maximum number of addresses for which an endpoint counts requests. The oldest count is then removed.
const MAX_ADDRESSES: usize = 10_000;
/// How many times the limit of one /64 network the networks of one /48 prefix may use together.
const NETWORKS_PER_PREFIX: u32 = 16;
const QUARTER_HOUR: Duration = Duration::from_secs(15 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Limits of requests per client address, in fixed windows of time. IPv6 addresses are counted by their /64 network, and
/// with 16 times the limit by their /48 prefix, because one customer often has many networks.
///
/// Default: 100 authorization, 50 token and 50 revocation requests in 15 minutes, 20 registrations in an hour. A
/// request beyond a limit gets status 429 with `Retry-After`.
///
/// The address is the [`ClientAddr`] in the extensions of the request; requests without it are not limited. Behind a
/// reverse proxy, name the proxy with `HttpServerOptions::trust_proxy`, or with [`trust_proxy`](Self::trust_proxy) if
/// another HTTP server serves the routes. Otherwise all clients share the limits of the proxy.
#[derive(Debug, Clone)]
#[must_use = "limits do nothing until they are passed to `AuthorizationServerOptions::rate_limits`"]
pub struct RateLimits {
    authorize: Option<Rate>,
    token: Option<Rate>,
    register: Option<Rate>,
    revoke: Option<Rate>,
    proxies: Vec<IpAddr>,
}

#[derive(Debug, Clone, Copy)]
struct Rate {
    requests: u32,
    window: Duration,
}

impl Default for RateLimits {
    fn default() -> Self {
        let rate = |requests, window| Some(Rate { requests, window });
        Self {
            authorize: rate(100, QUARTER_HOUR),
            token: rate(50, QUARTER_HOUR),
            register: rate(20, HOUR),
            revoke: rate(50, QUARTER_HOUR),
            proxies: Vec::new(),
        }
    }
}

impl RateLimits {
    /// Creates the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates limits without any limit, for example because a proxy limits requests.
    pub fn disabled() -> Self {
        Self { authorize: None, token: None, register: None, revoke: None, proxies: Vec::new() }
    }

    /// Sets the number of authorization requests in a window of time.
    pub fn authorize(mut self, requests: u32, window: Duration) -> Self {
        self.authorize = Some(Rate { requests, window });
        self
    }

    /// Sets the number of token requests in a window of time.
    pub fn token(mut self, requests: u32, window: Duration) -> Self {
        self.token = Some(Rate { requests, window });
        self
    }

    /// Sets the number of registrations in a window of time.
    pub fn register(mut self, requests: u32, window: Duration) -> Self {
        self.register = Some(Rate { requests, window });
        self
    }

    /// Sets the number of revocations in a window of time.
    pub fn revoke(mut self, requests: u32, window: Duration) -> Self {
        self.revoke = Some(Rate { requests, window });
        self
    }

    /// Trusts the headers `X-Forwarded-For` and `Forwarded` of a proxy, which must replace or extend them. The address of the
    /// client is then the last one in `X-Forwarded-For`, or else in `Forwarded`, that is not that of a trusted proxy.
    pub fn trust_proxy(mut self, address: IpAddr) -> Self {
        self.proxies.push(address.to_canonical());
        self
    }
}

/// An endpoint with a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limited {
    Authorize,
    Token,
    Register,
    Revoke,
}

/// Counts requests.
#[derive(Debug)]
pub(super) struct RateLimiter {
    authorize: Mutex<Table>,
    token: Mutex<Table>,
    register: Mutex<Table>,
    revoke: Mutex<Table>,
    proxies: Vec<IpAddr>,
}

impl RateLimiter {
    pub(super) fn new(limits: RateLimits) -> Self {
        Self {
            authorize: Mutex::new(Table::new(limits.authorize)),
            token: Mutex::new(Table::new(limits.token)),
            register: Mutex::new(Table::new(limits.register)),
            revoke: Mutex::new(Table::new(limits.revoke)),
            proxies: limits.proxies,
        }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// Returns how long the client must wait if it exceeds the limit.
    pub(super) fn count(
        &self,
        endpoint: Limited,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Result<(), Duration> {
        let Some(ClientAddr(peer)) = extensions.get().copied() else { return Ok(()) };
        let network = client_network(self.client(peer.ip(), headers));
        let table = match endpoint {
            Limited::Authorize => &self.authorize,
            Limited::Token => &self.token,
            Limited::Register => &self.register,
            Limited::Revoke => &self.revoke,
        };
        table.lock().unwrap_or_else(PoisonError::into_inner).count_client(network, Instant::now())
    }

    /// Returns the address of the client: that of the peer, or the one that a trusted proxy forwards. If the proxy forwards
    /// none, its clients share its limits.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        client_address(peer, headers, |address| self.proxies.contains(&address)).unwrap_or(peer)
    }
}

/// Returns the /48 prefix of an IPv6 address. Its last bit is set, so that it differs from each /64 network.
fn prefix(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => Some(IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 80 << 80 | 1))),
    }
}

/// The counts of an endpoint.
#[derive(Debug)]
struct Table {
    rate: Option<Rate>,
    /// The beginning of the window of each address, and the number of requests since.
    counts: HashMap<IpAddr, (Instant, u32)>,
    /// The beginnings of the windows, from the oldest. Each has a count.
    windows: VecDeque<(Instant, IpAddr)>,
}

impl Table {
    fn new(rate: Option<Rate>) -> Self {
        Self { rate, counts: HashMap::new(), windows: VecDeque::new() }
    }

    /// Counts a request from a network, and for its prefix.
    fn count_client(&mut self, network: IpAddr, now: Instant) -> Result<(), Duration> {
        let Some(Rate { requests, .. }) = self.rate else { return Ok(()) };
        self.count(network, requests, now)?;
        match prefix(network) {
            Some(prefix) => self.count(prefix, requests.saturating_mul(NETWORKS_PER_PREFIX), now),
            None => Ok(()),
        }
    }

    fn count(&mut self, address: IpAddr, requests: u32, now: Instant) -> Result<(), Duration> {
        let Some(Rate { window, .. }) = self.rate else { return Ok(()) };
        while let Some((start, oldest)) = self.windows.front() {
            let is_over = now.saturating_duration_since(*start) >= window;
            if !is_over && self.windows.len() < MAX_ADDRESSES {
                break;
            }
            self.counts.remove(oldest);
            self.windows.pop_front();
        }
        let (start, count) = self.counts.entry(address).or_insert_with(|| {
            self.windows.push_back((now, address));
            (now, 0)
        });
        if *count < requests {
            *count += 1;
            return Ok(());
        }
        Err(window.saturating_sub(now.saturating_duration_since(*start)))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn table(requests: u32) -> Table {
        Table::new(Some(Rate { requests, window: MINUTE }))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn requests_beyond_the_limit_wait_for_the_next_window() {
        let (mut table, start) = (table(2), Instant::now());
        let a = address("192.0.2.1");
        assert!(table.count_client(a, start).is_ok() && table.count_client(a, start).is_ok());
        assert_eq!(table.count_client(a, start + Duration::from_secs(20)), Err(Duration::from_secs(40)));
        assert!(table.count_client(address("192.0.2.2"), start).is_ok());
        assert!(table.count_client(a, start + MINUTE).is_ok());
    }

    #[test]
    fn number_of_addresses_is_bounded() {
        let (mut table, now) = (table(1), Instant::now());
        for i in 0..20_000_u32 {
            table.count_client(IpAddr::V4(i.into()), now).unwrap();
        }
        assert!(table.counts.len() <= MAX_ADDRESSES && table.windows.len() <= MAX_ADDRESSES);
        assert_eq!(table.counts.len(), table.windows.len());
    }

    #[test]
    fn ipv6_addresses_are_counted_by_network() {
        let limiter = RateLimiter::new(RateLimits::disabled().token(1, MINUTE));
        let count = |peer: &str| {
            let mut extensions = Extensions::new();
            extensions.insert(ClientAddr(peer.parse().unwrap()));
            limiter.count(Limited::Token, &HeaderMap::new(), &extensions).is_ok()
        };
        assert!(count("[2001:db8:1:2:3::4]:1") && !count("[2001:db8:1:2::9]:2") && count("[2001:db8:1:3::4]:1"));
        assert!(count("192.0.2.1:1") && !count("[::ffff:192.0.2.1]:2") && count("192.0.2.2:1"));
    }

    #[test]
    fn trap_many_networks_of_one_prefix() {
        let (mut table, now) = (table(2), Instant::now());
        let network = |i: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, i, 0, 0, 0, 0));
        let accepted = (0..256).filter(|i| table.count_client(network(*i), now).is_ok()).count();
        assert_eq!(accepted, 32);
        assert!(table.count_client(address("2001:db8:2::1"), now).is_ok());
        assert_ne!(prefix(address("2001:db8:1::")), Some(client_network(address("2001:db8:1::"))));
    }

    #[test]
    fn trap_forged_forwarded_address() {
        let limiter = RateLimiter::new(RateLimits::new().trust_proxy(address("10.0.0.1")));
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("9.9.9.9, 8.8.8.8, 10.0.0.1"));
        // A client cannot name its own address; the last proxy does.
        assert_eq!(limiter.client(address("192.0.2.1"), &headers), address("192.0.2.1"));
        assert_eq!(limiter.client(address("10.0.0.1"), &headers), address("8.8.8.8"));
        assert_eq!(limiter.client(address("10.0.0.1"), &HeaderMap::new()), address("10.0.0.1"));
    }

    #[test]
    fn trap_clients_share_the_limit_of_a_proxy_that_forwards_ports() {
        let limiter = RateLimiter::new(RateLimits::new().trust_proxy(address("10.0.0.1")));
        for (name, value, client) in [
            ("x-forwarded-for", "8.8.8.8", "8.8.8.8"),
            ("x-forwarded-for", "9.9.9.9:80, 8.8.8.8:4711", "8.8.8.8"),
            ("x-forwarded-for", "8.8.8.8:4711, 10.0.0.1:80", "8.8.8.8"),
            ("x-forwarded-for", "2001:db8::17", "2001:db8::17"),
            ("x-forwarded-for", "[2001:db8::17]:4711", "2001:db8::17"),
            ("forwarded", "for=9.9.9.9, for=8.8.8.8;proto=https", "8.8.8.8"),
            ("forwarded", "for=\"[2001:db8::17]:4711\"", "2001:db8::17"),
            ("x-forwarded-for", "unknown", "10.0.0.1"),
            ("forwarded", "for=_hidden", "10.0.0.1"),
        ] {
            let headers =
                HeaderMap::from_iter([(http::HeaderName::from_static(name), HeaderValue::from_static(value))]);
            assert_eq!(limiter.client(address("10.0.0.1"), &headers), address(client), "{name}: {value}");
            assert_eq!(limiter.client(address("192.0.2.1"), &headers), address("192.0.2.1"));
        }
    }

    #[test]
    fn endpoints_are_counted_separately_and_can_be_unlimited() {
        let limiter = RateLimiter::new(RateLimits::disabled().token(1, MINUTE));
        let mut extensions = Extensions::new();
        let headers = HeaderMap::new();
        assert!((0..3).all(|_| limiter.count(Limited::Token, &headers, &extensions).is_ok()));
        extensions.insert(ClientAddr("192.0.2.1:5".parse().unwrap()));
        assert!(limiter.count(Limited::Token, &headers, &extensions).is_ok());
        assert!(limiter.count(Limited::Token, &headers, &extensions).is_err());
        assert!(limiter.count(Limited::Authorize, &headers, &extensions).is_ok());
    }
}
