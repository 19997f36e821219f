//! The device authorization grant (RFC 8628): the user enters a code on another device.

use std::time::Duration;

use ferromcp_core::text::excerpt;
use tokio::time::sleep;

use super::discovery::Discovered;
use super::grant::{DEVICE_CODE, DeviceCode};
use super::token::{Rejected, TokenEndpoint, TokenError, Tokens};
use crate::Secret;
use crate::document::Document;
use crate::error::{AuthError, AuthErrorKind};
use crate::fetch::Network;
use crate::scopes::Scopes;

/// The default interval between two polls, and the increase after `slow_down`, in seconds.
const INTERVAL: u64 = 5;
/// Maximum interval, in seconds.
const MAX_INTERVAL: u64 = 60;
/// Maximum lifetime of a code, in seconds.
const MAX_LIFETIME: u64 = 3600;

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
    let parameters = [("resource", discovered.resource.as_str()), ("scope", &scope)];
    let at_device = TokenEndpoint { url, dpop: None, ..*endpoint };
    let response = at_device.exchange(&parameters).await?;
    let network = endpoint.fetcher.network();
    let (shown, code) = parse(&response, network)?;
    show(&shown);
    tracing::info!("waiting for the user to enter the code");
    let interval = response.seconds("interval").unwrap_or(INTERVAL);
    poll(endpoint, discovered, &code, interval, shown.expires_in).await
}

/// Returns the code for the user, and the one of the device.
pub(super) fn parse(response: &Document, network: Network) -> Result<(DeviceCode, Secret), AuthError> {
    let missing = |name| {
        AuthError::new(AuthErrorKind::Token, format!("invalid device authorization response: `{name}` is missing"))
    };
    // Google sends the page as `verification_url`.
    let page = response.non_empty("verification_uri").or_else(|| response.non_empty("verification_url"));
    let page = page.ok_or_else(|| missing("verification_uri"))?;
    let user_code = response.non_empty("user_code").ok_or_else(|| missing("user_code"))?;
    let device_code = response.non_empty("device_code").ok_or_else(|| missing("device_code"))?;
    let complete = response.non_empty("verification_uri_complete");
    let shown = DeviceCode {
        verification_uri: network.check(&page)?.into(),
        verification_uri_complete: complete.map(|uri| network.check(&uri)).transpose()?.map(Into::into),
        user_code: excerpt(&user_code).to_string(),
        expires_in: response.seconds("expires_in").unwrap_or(MAX_LIFETIME).min(MAX_LIFETIME),
    };
    Ok((shown, Secret::new(device_code)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_json(json: &str) -> Result<(DeviceCode, Secret), AuthError> {
        parse(&Document::parse(json.as_bytes()).unwrap(), Network::Global)
    }

    #[test]
    fn trap_script_scheme_in_verification_uri() {
        // A-182
        for url in ["javascript:alert(1)", "file:///etc/passwd", "http://example.com", "https://10.0.0.1/", "x"] {
            for field in ["verification_uri", "verification_url", "verification_uri_complete"] {
                let json = format!(r#"{{"device_code":"s3cret","user_code":"u","{field}":"{url}"}}"#)
                    .replace("complete\":", "complete\":\"https://example.com\",\"verification_uri\":");
                let error = parse_json(&json).unwrap_err().to_string();
                assert!(error.contains("unsafe URL") && !error.contains("s3cret"), "{json}: {error}");
            }
        }
    }

    #[test]
    fn reads_imperfect_responses() {
        let json = r#"{"device_code":"d","user_code":"s3cret","verification_url":"https://example.com/d","expires_in":"1e9",
            "interval":0,"verification_uri_complete":null}"#;
        let (shown, code) = parse_json(json).unwrap();
        assert!(!format!("{shown:?}").contains("s3cret"), "{shown:?}");
        assert_eq!((&*shown.verification_uri, code.expose()), ("https://example.com/d", "d"));
        assert_eq!((shown.expires_in, shown.verification_uri_complete), (MAX_LIFETIME, None));
        assert!(
            parse_json(r#"{"user_code":"u","verification_uri":"https://e"}"#)
                .unwrap_err()
                .to_string()
                .contains("device_code")
        );
    }
}
