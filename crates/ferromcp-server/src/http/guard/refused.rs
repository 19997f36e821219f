//! Why a request is not let in, in words that say what to do about it.

use std::fmt;

/// The most characters of a peer's words that are repeated.
const MOST_SHOWN: usize = 100;

/// Why a request is not let in. Its words say what was seen and which setting lets it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no host.
    NoHost,
    /// There are several.
    ManyHosts,
    /// This is none.
    BadHost(String),
    /// This one is not of here.
    Host(String),
    /// There are several origins.
    ManyOrigins,
    /// Web pages of this origin may not ask.
    Origin(String),
    /// Nor those that have none.
    NullOrigin,
}

impl Refused {
    pub(super) fn bad_host(host: &[u8]) -> Self {
        Self::BadHost(shown(host))
    }

    pub(super) fn host(host: &[u8]) -> Self {
        Self::Host(shown(host))
    }

    pub(super) fn origin(origin: &[u8]) -> Self {
        if origin == b"null" { Self::NullOrigin } else { Self::Origin(shown(origin)) }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost => f.write_str("The request names no `Host`, so nobody knows whom it is for"),
            Self::ManyHosts => f.write_str("The request names several `Host`s; one is right"),
            Self::BadHost(host) => write!(f, "Host `{host}` is not a host; one looks like `example.com:8000`"),
            Self::Host(host) => write!(
                f,
                "Host `{host}` is not one this server answers to; if it should be, add `.allow_host(\"{host}\")` to HttpOptions"
            ),
            Self::ManyOrigins => f.write_str("The request has several `Origin`s; one is right"),
            Self::Origin(origin) => write!(
                f,
                "Origin `{origin}` may not use this server; if it should, add `.allow_origin(\"{origin}\")` to HttpOptions"
            ),
            Self::NullOrigin => f.write_str(
                "Origin `null` may not use this server; only `.any_origin()` of HttpOptions lets pages without an origin in",
            ),
        }
    }
}

impl std::error::Error for Refused {}

/// What a peer wrote, short and harmless.
fn shown(text: &[u8]) -> String {
    let harmless =
        |byte: u8| if byte.is_ascii_graphic() && !b"`\"\\<>".contains(&byte) { char::from(byte) } else { '?' };
    let mut shown: String = text.iter().take(MOST_SHOWN).map(|byte| harmless(*byte)).collect();
    if text.len() > MOST_SHOWN {
        shown.push_str("...");
    }
    shown
}
