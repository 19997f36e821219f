//! [`IssuerKeys`]: the trusted issuers of assertions with their keys.

use ferromcp_core::text::excerpt;
use url::Url;

use super::options::AuthorizationServerOptions;
use super::trusted_issuer::{AssertionKind, Keys, TrustedIssuer};
use crate::error::AuthError;
use crate::fetch::{Fetcher, Network};
use crate::jwt::JwkSource;

/// The trusted issuers with their keys.
pub(super) struct IssuerKeys(Vec<(TrustedIssuer, JwkSource)>);

impl IssuerKeys {
    /// Creates the sources of the keys.
    ///
    /// # Errors
    /// Fails if an issuer or the URL of its keys is not safe, or an issuer is configured twice.
    pub(super) fn new(options: &AuthorizationServerOptions) -> Result<Self, AuthError> {
        let mut issuers: Vec<(TrustedIssuer, JwkSource)> = Vec::new();
        for trusted in &options.trusted_issuers {
            let name = &trusted.issuer;
            if issuers.iter().any(|(other, _)| other.issuer == *name) {
                return Err(AuthError::configuration(format!(
                    "cannot trust the issuer `{}` twice; an issuer has one kind of assertions",
                    excerpt(name)
                )));
            }
            issuers.push((trusted.clone(), keys(trusted, options.private_networks)?));
        }
        Ok(Self(issuers))
    }

    /// Returns an issuer that is trusted for this kind of assertions.
    pub(super) fn find(&self, kind: AssertionKind, issuer: Option<&str>) -> Option<&(TrustedIssuer, JwkSource)> {
        let is_wanted = |trusted: &TrustedIssuer| trusted.kind == kind && Some(trusted.issuer.as_str()) == issuer;
        self.0.iter().find(|(trusted, _)| is_wanted(trusted))
    }
}

fn keys(trusted: &TrustedIssuer, private_networks: bool) -> Result<JwkSource, AuthError> {
    let url = match &trusted.keys {
        Keys::Fixed(set) => return Ok(JwkSource::fixed(set)),
        Keys::Url(url) => url,
        Keys::Discovered => &trusted.issuer,
    };
    // The operator configures the URL, so that it may be on the loopback interface.
    let network = match Url::parse(url) {
        _ if private_networks => Network::Any,
        Ok(url) => Network::of(&url),
        Err(_) => Network::Global,
    };
    network.check(url).map_err(|error| {
        AuthError::configuration(format!("cannot trust the issuer `{}`", excerpt(&trusted.issuer))).with_source(error)
    })?;
    let fetcher = Fetcher::new(network)?;
    Ok(match &trusted.keys {
        Keys::Url(url) => JwkSource::url(fetcher, url.clone()),
        _ => JwkSource::issuer(fetcher, trusted.issuer.clone()),
    })
}
