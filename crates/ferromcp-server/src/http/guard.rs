//! Validates the `Host` and `Origin` of a request, against DNS rebinding and requests of foreign web pages.
//!
//! Any web page can make a browser send requests to a server on the user's machine. With DNS rebinding, the host name
//! of the page even resolves to that machine. The browser still sends that name in `Host`, and the page in `Origin`.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#security-warning>.

mod authority;
mod forwarded;
mod network;
mod origin;
mod rejection;

use std::net::{IpAddr, SocketAddr};

use ferromcp_core::text::excerpt;
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use authority::{Authority, HostRule};
pub use forwarded::client_address;
use network::Network;
pub use network::client_network;
use origin::{Origin, OriginRule};
pub(crate) use rejection::Rejection;

/// The address of the peer that sent a request, as an extension of the request.
///
/// `serve(http(..))` inserts it; with another HTTP server, a layer can. It is used to detect trusted proxies
/// ([`HttpServerOptions::trust_proxy`](super::HttpServerOptions::trust_proxy)), and by the limits of an authorization server.
///
/// In a request for the routes of an authorization, `serve(http(..))` replaces the address of a trusted proxy with that of
/// its client, and port 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddr(pub SocketAddr);

/// The allowed hosts and origins. By default, only those of this machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guard {
    hosts: Vec<HostRule>,
    any_host: bool,
    origins: Vec<OriginRule>,
    any_origin: bool,
    proxies: Vec<Network>,
    errors: Vec<String>,
}

impl Guard {
    /// Allows a host.
    pub(crate) fn allow_host(&mut self, host: &str) {
        match HostRule::parse(host) {
            Some(rule) => self.hosts.push(rule),
            None => self.errors.push(format!(
                "`.allow_host(\"{}\")` is invalid: use a host such as `mcp.example.com`, `mcp.example.com:8443`, \
                 `*.example.com` or `[2001:db8::1]`, in ASCII, without scheme and path",
                excerpt(host)
            )),
        }
    }

    /// Allows every host.
    pub(crate) fn allow_any_host(&mut self) {
        self.any_host = true;
    }

    /// Allows an origin.
    pub(crate) fn allow_origin(&mut self, origin: &str) {
        match OriginRule::parse(origin) {
            Some(rule) => self.origins.push(rule),
            None => self.errors.push(format!(
                "`.allow_origin(\"{}\")` is invalid: use an origin such as `https://app.example.com`, \
                 `https://app.example.com:8443` or `http://localhost:*`, without a path; `.any_origin()` allows all",
                excerpt(origin)
            )),
        }
    }

    /// Allows every origin.
    pub(crate) fn allow_any_origin(&mut self) {
        self.any_origin = true;
    }

    /// Trusts the forwarding headers of a network.
    pub(crate) fn trust_proxy(&mut self, network: &str) {
        match Network::parse(network) {
            Some(network) => self.proxies.push(network),
            None => self.errors.push(format!(
                "`.trust_proxy(\"{}\")` is invalid: use an address such as `10.0.0.7`, or a network such as \
                 `10.0.0.0/8`",
                excerpt(network)
            )),
        }
    }

    /// Returns the error messages of invalid settings.
    pub(crate) fn errors(&self) -> &[String] {
        &self.errors
    }

    /// Returns whether any host was allowed explicitly.
    pub(crate) fn has_hosts(&self) -> bool {
        self.any_host || !self.hosts.is_empty()
    }

    /// Returns whether any origin was allowed explicitly.
    pub(crate) fn has_origins(&self) -> bool {
        self.any_origin || !self.origins.is_empty()
    }

    /// Returns whether this origin was allowed explicitly, so that CORS headers are sent.
    pub(crate) fn allows_origin(&self, origin: &HeaderValue) -> bool {
        self.any_origin
            || (!self.origins.is_empty()
                && Origin::parse(origin.as_bytes())
                    .is_some_and(|origin| self.origins.iter().any(|rule| rule.allows(&origin))))
    }

    /// Validates the `Host` and `Origin` of a request. `client` is the address of the peer, if known.
    ///
    /// # Errors
    /// If the host or the origin is missing, invalid or not allowed.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap, client: Option<IpAddr>) -> Result<(), Rejection> {
        let host = single(headers, &HOST).map_err(|()| Rejection::ManyHosts)?;
        let origin = single(headers, &ORIGIN).map_err(|()| Rejection::ManyOrigins)?;
        // Fast path for local clients.
        if origin.is_none()
            && uri.authority().is_none()
            && self.proxies.is_empty()
            && host.is_some_and(is_common_local_host)
        {
            return Ok(());
        }
        let hosts = self.hosts(uri, host, headers, client);
        let parsed = self.check_hosts(&hosts)?;
        match origin {
            Some(origin) if !self.allows_page(origin, &parsed) => Err(Rejection::origin(origin)),
            _ => Ok(()),
        }
    }

    /// Validates the `Host` of a request that pages of all origins may send.
    ///
    /// # Errors
    /// If the host is missing, invalid or not allowed.
    pub(crate) fn check_host(&self, uri: &Uri, headers: &HeaderMap, client: Option<IpAddr>) -> Result<(), Rejection> {
        let host = single(headers, &HOST).map_err(|()| Rejection::ManyHosts)?;
        self.check_hosts(&self.hosts(uri, host, headers, client)).map(drop)
    }

    /// Validates the hosts that a request names, and returns them.
    fn check_hosts<'a>(&self, hosts: &[Option<&'a [u8]>; 2]) -> Result<[Option<Authority<&'a str>>; 2], Rejection> {
        if hosts.iter().all(Option::is_none) {
            return Err(Rejection::NoHost);
        }
        let mut parsed = [None, None];
        for (host, slot) in hosts.iter().zip(&mut parsed) {
            let Some(host) = *host else { continue };
            let authority = Authority::parse(host).ok_or_else(|| Rejection::bad_host(host))?;
            if !self.allows_host(&authority) {
                return Err(Rejection::host(host));
            }
            *slot = Some(authority);
        }
        Ok(parsed)
    }

    /// Returns the address of the client: that of the peer, or the one that a trusted proxy forwards. `None` if it is not
    /// known.
    pub(crate) fn client_address(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Option<IpAddr> {
        client_address(peer?, headers, |address| self.is_proxy(address))
    }

    fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|proxy| proxy.contains(address))
    }

    /// Returns the hosts that a request names. It may name two (by authority and header), and both are validated.
    fn hosts<'a>(
        &self,
        uri: &'a Uri,
        host: Option<&'a [u8]>,
        headers: &'a HeaderMap,
        client: Option<IpAddr>,
    ) -> [Option<&'a [u8]>; 2] {
        if client.is_some_and(|client| self.is_proxy(client)) {
            let forwarded = forwarded::hosts(headers);
            if forwarded.iter().any(Option::is_some) {
                return forwarded;
            }
        }
        [uri.authority().map(|authority| authority.as_str().as_bytes()), host]
    }

    fn allows_host(&self, host: &Authority<&str>) -> bool {
        self.any_host || host.name.is_local() || self.hosts.iter().any(|rule| rule.allows(host))
    }

    /// Returns whether a page is allowed: of an allowed origin, of the requested host, or a local page that requests a
    /// local host.
    fn allows_page(&self, origin: &[u8], hosts: &[Option<Authority<&str>>; 2]) -> bool {
        if self.any_origin {
            return true;
        }
        let Some(origin) = Origin::parse(origin) else { return false };
        let mut hosts = hosts.iter().flatten();
        self.origins.iter().any(|rule| rule.allows(&origin))
            || hosts.clone().all(|host| origin.is_same_host(host))
            || (origin.is_web() && origin.host.is_local() && hosts.all(|host| host.name.is_local()))
    }
}

/// Returns the value of a header, or an error if the header is repeated.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, ()> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(()) } else { Ok(first.map(HeaderValue::as_bytes)) }
}

/// Returns whether a `Host` is one of the most common local ones. All others are parsed.
fn is_common_local_host(host: &[u8]) -> bool {
    let rest = host.strip_prefix(b"127.0.0.1").or_else(|| host.strip_prefix(b"localhost"));
    match rest {
        Some([]) => true,
        Some([b':', port @ ..]) => is_port(port),
        _ => false,
    }
}

/// Returns whether this is a port in decimal digits.
fn is_port(digits: &[u8]) -> bool {
    let is_number = (1..=5).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    is_number && u16::try_from(digits.iter().fold(0, |port, digit| port * 10 + u32::from(digit - b'0'))).is_ok()
}

#[cfg(test)]
mod tests;
