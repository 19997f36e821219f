//! Chooses the identity of the client at an authorization server.
//!
//! The order: credentials that were configured, a registration in the store, a client ID metadata document, dynamic
//! registration.

use ferromcp_core::text::excerpt;

use super::discovery::Discovered;
use super::options::OAuthOptions;
use super::registration::{ClientIdentity, IdentityOrigin};
use crate::client_authentication::ClientAuthentication;
use crate::clock::now;
use crate::error::AuthError;
use crate::fetch::Fetcher;
use crate::scopes::Scopes;

/// A registration that expires within this time, in seconds, is renewed.
const EXPIRY_MARGIN: u64 = 60;

/// Returns the configured identity, if any.
///
/// `bound_issuer` is the issuer to which it was bound before.
///
/// # Errors
/// Fails if the credentials belong to another authorization server: they must not be sent to this one.
pub(crate) fn configured(
    options: &OAuthOptions,
    discovered: &Discovered,
    bound_issuer: Option<&str>,
) -> Result<Option<ClientIdentity>, AuthError> {
    let Some(registration) = &options.registration else { return Ok(None) };
    let issuer = &discovered.server.issuer;
    if let Some(bound) = registration.issuer.as_deref().or(bound_issuer).filter(|bound| bound != issuer) {
        return Err(AuthError::configuration(format!(
            "the configured client credentials belong to authorization server {}, but the MCP server now names {}; set \
             `OAuthOptions::registration` for the new one",
            excerpt(bound),
            excerpt(issuer)
        )));
    }
    let default = match &options.key {
        Some(_) if registration.secret.is_none() => ClientAuthentication::PrivateKeyJwt,
        _ => ClientAuthentication::choose(&discovered.server, registration.secret.is_some()),
    };
    let authentication = registration.authentication.unwrap_or(default);
    let (id, secret) = (registration.id.clone(), registration.secret.clone());
    Ok(Some(ClientIdentity::new(id, secret, authentication, IdentityOrigin::Configured)))
}

/// Returns whether an identity of the store can be used for a login.
pub(crate) fn is_usable(identity: &ClientIdentity, redirect_uri: &str) -> bool {
    // Configured credentials and the URL of a metadata document are read from the options each time.
    let fits = identity.origin == IdentityOrigin::Registered;
    let fits = fits && identity.redirect_uri.as_deref().is_none_or(|registered| registered == redirect_uri);
    fits && identity.expires_at.is_none_or(|at| at > now() + EXPIRY_MARGIN)
}

/// Obtains an identity: from a client ID metadata document, or by dynamic registration.
///
/// # Errors
/// Fails if the server supports neither, or rejects the registration.
pub(crate) async fn obtain(
    options: &OAuthOptions,
    fetcher: &Fetcher,
    discovered: &Discovered,
    redirect_uri: &str,
    scopes: &Scopes,
) -> Result<ClientIdentity, AuthError> {
    let server = &discovered.server;
    if let Some(url) = options.metadata_url.as_ref().filter(|_| server.supports_client_id_metadata) {
        let authentication = options.document_authentication();
        return Ok(ClientIdentity::new(url.clone(), None, authentication, IdentityOrigin::MetadataDocument));
    }
    let endpoint = server.registration_endpoint.as_deref().ok_or_else(|| {
        AuthError::configuration(format!(
            "authorization server {} does not support dynamic registration; register the client with its operator and set \
             `OAuthOptions::registration`{}",
            excerpt(&server.issuer),
            if server.supports_client_id_metadata { ", or set `OAuthOptions::client_metadata_url`" } else { "" }
        ))
    })?;
    options.metadata.register(fetcher, endpoint, server, redirect_uri, scopes).await
}
