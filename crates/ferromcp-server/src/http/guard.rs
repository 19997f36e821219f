//! Who may ask: the `Host` and `Origin` of a request, against DNS rebinding and foreign web pages.
//!
//! A page of the web can make a browser ask a server on the user's machine. Its name may even be made to
//! point there, but the browser still says the name, and which page asks.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#security-warning>.

mod authority;
mod forwarded;
mod host;
mod network;
mod origin;
mod refused;

use std::net::{IpAddr, SocketAddr};

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use authority::Authority;
use host::HostRule;
use network::Network;
use origin::{Origin, OriginRule};
pub(crate) use refused::Refused;

/// The address of the peer that a request came from, put into the request's extensions by whoever
/// accepts connections. `serve(http(..))` does; where a router of one's own serves, a layer can.
/// It decides only whether the peer is a proxy one trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddr(pub SocketAddr);

/// Which hosts and origins are let in. By default only those of this machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guard {
    hosts: Vec<HostRule>,
    any_host: bool,
    origins: Vec<OriginRule>,
    any_origin: bool,
    proxies: Vec<Network>,
    mistakes: Vec<String>,
}

impl Guard {
    /// Answers to one more host.
    pub(crate) fn allow_host(&mut self, host: &str) {
        match HostRule::read(host) {
            Some(rule) => self.hosts.push(rule),
            None => self.mistakes.push(format!(
                "`.allow_host({host:?})`: a host looks like `mcp.example.com`, `mcp.example.com:8443`, `*.example.com` \
                 or `[2001:db8::1]`, in ASCII, without scheme and path"
            )),
        }
    }

    /// Answers to every host.
    pub(crate) fn allow_any_host(&mut self) {
        self.any_host = true;
    }

    /// Lets in pages of one more origin.
    pub(crate) fn allow_origin(&mut self, origin: &str) {
        match OriginRule::read(origin) {
            Some(rule) => self.origins.push(rule),
            None => self.mistakes.push(format!(
                "`.allow_origin({origin:?})`: an origin looks like `https://app.example.com`, `https://app.example.com:8443` \
                 or `http://localhost:*`, without a path; for all of them there is `.any_origin()`"
            )),
        }
    }

    /// Lets in every page.
    pub(crate) fn allow_any_origin(&mut self) {
        self.any_origin = true;
    }

    /// Believes what the peers of a network say of hosts.
    pub(crate) fn trust_proxy(&mut self, network: &str) {
        match Network::read(network) {
            Some(network) => self.proxies.push(network),
            None => self.mistakes.push(format!(
                "`.trust_proxy({network:?})`: a proxy is an address such as `10.0.0.7`, or a network such as `10.0.0.0/8`"
            )),
        }
    }

    /// Settings that mean nothing.
    pub(crate) fn mistakes(&self) -> &[String] {
        &self.mistakes
    }

    /// Whether anything was said of hosts.
    pub(crate) fn names_hosts(&self) -> bool {
        self.any_host || !self.hosts.is_empty()
    }

    /// Whether pages of any other origin were allowed at all.
    pub(crate) fn has_origins(&self) -> bool {
        self.any_origin || !self.origins.is_empty()
    }

    /// Whether pages of this origin were allowed by name, so that a browser may be told so.
    pub(crate) fn allows_origin(&self, origin: &HeaderValue) -> bool {
        self.any_origin
            || (!self.origins.is_empty()
                && Origin::read(origin.as_bytes())
                    .is_some_and(|origin| self.origins.iter().any(|rule| rule.allows(&origin))))
    }

    /// Whether a request may come in. `client` is the address of the peer, if it is known.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap, client: Option<IpAddr>) -> Result<(), Refused> {
        let host = only(headers, &HOST).map_err(|()| Refused::ManyHosts)?;
        let origin = only(headers, &ORIGIN).map_err(|()| Refused::ManyOrigins)?;
        // What nearly every request of a local client looks like.
        if origin.is_none()
            && uri.authority().is_none()
            && self.proxies.is_empty()
            && host.is_some_and(is_plainly_local)
        {
            return Ok(());
        }
        let hosts = self.hosts(uri, host, headers, client);
        if hosts.iter().all(Option::is_none) {
            return Err(Refused::NoHost);
        }
        let mut read = [None, None];
        for (host, slot) in hosts.iter().zip(&mut read) {
            let Some(host) = *host else { continue };
            let authority = Authority::read(host).ok_or_else(|| Refused::bad_host(host))?;
            if !self.answers_to(&authority) {
                return Err(Refused::host(host));
            }
            *slot = Some(authority);
        }
        match origin {
            Some(origin) if !self.lets_in(origin, &read) => Err(Refused::origin(origin)),
            _ => Ok(()),
        }
    }

    /// What a request says of its host. It may do so twice, and all of it has to be right.
    fn hosts<'a>(
        &self,
        uri: &'a Uri,
        host: Option<&'a [u8]>,
        headers: &'a HeaderMap,
        client: Option<IpAddr>,
    ) -> [Option<&'a [u8]>; 2] {
        if client.is_some_and(|client| self.proxies.iter().any(|proxy| proxy.contains(client))) {
            let forwarded = forwarded::hosts(headers);
            if forwarded.iter().any(Option::is_some) {
                return forwarded;
            }
        }
        [uri.authority().map(|authority| authority.as_str().as_bytes()), host]
    }

    fn answers_to(&self, host: &Authority<&str>) -> bool {
        self.any_host || host.name.is_local() || self.hosts.iter().any(|rule| rule.allows(host))
    }

    /// Whether a page may ask: one that was allowed, one of the host itself, or one of this machine
    /// that asks this machine.
    fn lets_in(&self, origin: &[u8], hosts: &[Option<Authority<&str>>; 2]) -> bool {
        if self.any_origin {
            return true;
        }
        let Some(origin) = Origin::read(origin) else { return false };
        let mut hosts = hosts.iter().flatten();
        self.origins.iter().any(|rule| rule.allows(&origin))
            || hosts.clone().all(|host| origin.is_of(host))
            || (origin.is_web() && origin.host.is_local() && hosts.all(|host| host.name.is_local()))
    }
}

/// The value of a header that may be there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, ()> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(()) } else { Ok(first.map(HeaderValue::as_bytes)) }
}

/// Whether a `Host` is one of the forms that are nearly always used. Others are looked at more closely.
fn is_plainly_local(host: &[u8]) -> bool {
    let rest = host.strip_prefix(b"127.0.0.1").or_else(|| host.strip_prefix(b"localhost"));
    match rest {
        Some([]) => true,
        Some([b':', port @ ..]) => is_port(port),
        _ => false,
    }
}

/// Whether this is a port in its plain form.
fn is_port(digits: &[u8]) -> bool {
    let is_number = (1..=5).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    is_number && u16::try_from(digits.iter().fold(0, |port, digit| port * 10 + u32::from(digit - b'0'))).is_ok()
}

#[cfg(test)]
mod tests;
