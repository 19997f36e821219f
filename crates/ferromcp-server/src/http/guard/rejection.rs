//! The reasons to reject a request by its `Host` or `Origin`.

use std::fmt;

/// The maximum length of a header value in an error message.
const MAX_QUOTED: usize = 100;

/// Why a request is rejected. The message names the value and the option that allows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// The host is missing.
    NoHost,
    /// `Host` is repeated.
    ManyHosts,
    /// The host is invalid.
    BadHost(String),
    /// The host is not allowed.
    Host(String),
    /// `Origin` is repeated.
    ManyOrigins,
    /// The origin is not allowed.
    Origin(String),
    /// The origin is `null`, and not every origin is allowed.
    NullOrigin,
}

impl Rejection {
    pub(super) fn bad_host(host: &[u8]) -> Self {
        Self::BadHost(quote(host))
    }

    pub(super) fn host(host: &[u8]) -> Self {
        Self::Host(quote(host))
    }

    pub(crate) fn origin(origin: &[u8]) -> Self {
        if origin == b"null" { Self::NullOrigin } else { Self::Origin(quote(origin)) }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost => f.write_str("Missing `Host` header"),
            Self::ManyHosts => f.write_str("Repeated `Host` header; send it once"),
            Self::BadHost(host) => write!(f, "Invalid `Host`: `{host}`; use a form such as `example.com:8000`"),
            Self::Host(host) => {
                write!(
                    f,
                    "Host `{host}` is not allowed; to allow it, add `.allow_host(\"{host}\")` to HttpServerOptions"
                )
            }
            Self::ManyOrigins => f.write_str("Repeated `Origin` header; send it once"),
            Self::Origin(origin) => write!(
                f,
                "Origin `{origin}` is not allowed; to allow it, add `.allow_origin(\"{origin}\")` to HttpServerOptions"
            ),
            Self::NullOrigin => f.write_str(
                "Origin `null` is not allowed; only `HttpServerOptions::any_origin` allows pages without an origin",
            ),
        }
    }
}

impl std::error::Error for Rejection {}

/// Shortens a header value and replaces unsafe characters.
fn quote(text: &[u8]) -> String {
    let sanitize =
        |byte: u8| if byte.is_ascii_graphic() && !b"`\"\\<>".contains(&byte) { char::from(byte) } else { '?' };
    let mut quoted: String = text.iter().take(MAX_QUOTED).map(|byte| sanitize(*byte)).collect();
    if text.len() > MAX_QUOTED {
        quoted.push_str("...");
    }
    quoted
}
