//! The device authorization grant (RFC 8628): the user enters a code on another device.

use std::time::Duration;

use ferromcp_core::text::excerpt;
use serde::Deserialize;
use tokio::time::sleep;

use super::discovery::Discovered;
use super::error::{AuthError, AuthErrorKind};
use super::grant::DeviceCode;
use super::scopes::Scopes;
use super::token::{Rejected, TokenEndpoint, TokenError, Tokens};
use crate::Secret;

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The default interval between two polls, and the increase after `slow_down`, in seconds.
const INTERVAL: u64 = 5;
/// Maximum interval, in seconds.
const MAX_INTERVAL: u64 = 60;
/// Maximum lifetime of a code, in seconds.
const MAX_LIFETIME: u64 = 3600;

#[derive(Deserialize)]
struct DeviceResponse {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    #[serde(default)]
    expires_in: Option<u64>,
    interval: Option<u64>,
}

/// Requests a code, shows it, and polls until the user has entered it.
pub(crate) async fn authorize(
    endpoint: &TokenEndpoint<'_>,
    discovered: &Discovered,
    scopes: &Scopes,
    show: &(dyn Fn(&DeviceCode) + Send + Sync),
) -> Result<Tokens, AuthError> {
    let url = discovered.server.device_authorization_endpoint.as_deref().ok_or_else(|| {
        AuthError::configuration(format!(
            "authorization server {} does not support device codes; use another `Grant`",
            excerpt(&discovered.server.issuer)
        ))
    })?;
    let scope = scopes.to_string();
    let mut parameters = vec![("resource", discovered.resource.as_str())];
    if !scope.is_empty() {
        parameters.push(("scope", &scope));
    }
    let at_device = TokenEndpoint { url, dpop: None, ..*endpoint };
    let response = at_device.exchange(&parameters).await?;
    let response: DeviceResponse = serde_json::from_value(response).map_err(|error| {
        AuthError::new(AuthErrorKind::Token, "invalid device authorization response").with_source(error.to_string())
    })?;
    let network = endpoint.fetcher.network();
    let lifetime = response.expires_in.unwrap_or(MAX_LIFETIME).min(MAX_LIFETIME);
    show(&DeviceCode {
        verification_uri: network.check(&response.verification_uri)?.into(),
        verification_uri_complete: match &response.verification_uri_complete {
            Some(uri) => Some(network.check(uri)?.into()),
            None => None,
        },
        user_code: excerpt(&response.user_code).to_string(),
        expires_in: lifetime,
    });
    let code = Secret::new(response.device_code);
    poll(endpoint, discovered, &code, response.interval.unwrap_or(INTERVAL), lifetime).await
}

async fn poll(
    endpoint: &TokenEndpoint<'_>,
    discovered: &Discovered,
    code: &Secret,
    interval: u64,
    lifetime: u64,
) -> Result<Tokens, AuthError> {
    let parameters =
        [("grant_type", DEVICE_CODE), ("device_code", code.expose()), ("resource", discovered.resource.as_str())];
    let (mut interval, mut waited) = (interval.clamp(1, MAX_INTERVAL), 0);
    while waited < lifetime {
        sleep(Duration::from_secs(interval)).await;
        waited += interval;
        match endpoint.request(&parameters).await {
            Err(TokenError::Rejected(Rejected { code, .. })) if code == "authorization_pending" => {}
            Err(TokenError::Rejected(Rejected { code, .. })) if code == "slow_down" => {
                interval = (interval + INTERVAL).min(MAX_INTERVAL);
            }
            // An outage; the code remains valid.
            Err(TokenError::Failed(error)) if error.kind() == AuthErrorKind::Unavailable => {
                interval = (interval * 2).min(MAX_INTERVAL);
            }
            result => return Ok(result?),
        }
    }
    Err(AuthError::new(AuthErrorKind::Timeout, "the device code expired before it was entered; try again"))
}
