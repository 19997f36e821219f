//! One authorization: its random values, the URL of the authorization page, and the checks of the response.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization#authorization-response-validation>.

use std::fmt;

use ferromcp_core::text::excerpt;
use url::Url;

use super::discovery::Discovered;
use super::pkce::challenge;
use super::tolerance::Tolerances;
use crate::Secret;
use crate::error::AuthError;
use crate::fetch::Network;
use crate::random::random_text;
use crate::scopes::Scopes;

/// Parameters that the client sets in an authorization request, or that would change its meaning.
pub(crate) const RESERVED_PARAMETERS: [&str; 11] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "code_challenge",
    "code_challenge_method",
    "resource",
    "scope",
    "request",
    "request_uri",
    "response_mode",
];

/// The page on which the user authorizes the client.
#[derive(Clone)]
pub struct AuthorizationRequest {
    url: Url,
    state: Secret,
    redirect_uri: String,
}

impl AuthorizationRequest {
    /// Returns the URL of the page. It uses `https`, or `http` on the loopback interface.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Returns the redirect URI, to which the server sends the response.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Returns whether a response belongs to this request, by its `state`. `url` is the URL to which the browser was
    /// redirected.
    pub fn matches(&self, url: &str) -> bool {
        Response::parse(url, &self.redirect_uri).is_ok_and(|response| response.state.as_ref() == Some(&self.state))
    }

    /// Returns whether a response is an error, such as one that the user has denied. Its parameters are not verified.
    pub(crate) fn is_denied_by(&self, url: &str) -> bool {
        Response::parse(url, &self.redirect_uri).is_ok_and(|response| response.error.is_some())
    }
}

impl fmt::Debug for AuthorizationRequest {
    /// Omits the query, which contains the state.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = format!("{}{}", self.url.origin().ascii_serialization(), self.url.path());
        f.debug_struct("AuthorizationRequest")
            .field("url", &url)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

/// An authorization in progress. It is used once.
pub(crate) struct PendingAuthorization {
    pub(crate) request: AuthorizationRequest,
    pub(crate) verifier: Secret,
    /// The issuer of the validated metadata.
    issuer: String,
    requires_iss: bool,
}

impl PendingAuthorization {
    /// Creates a request with new random values, and additional parameters.
    ///
    /// # Errors
    /// Fails if the server has no safe authorization endpoint.
    pub(crate) fn new(
        discovered: &Discovered,
        network: Network,
        client_id: &str,
        redirect_uri: &str,
        scopes: &Scopes,
        additional: &[(&str, &str)],
    ) -> Result<Self, AuthError> {
        let server = &discovered.server;
        let endpoint = server.authorization_endpoint.as_deref().ok_or_else(|| {
            AuthError::discovery(format!(
                "authorization server {} has no authorization endpoint",
                excerpt(&server.issuer)
            ))
        })?;
        let mut url = network.check(endpoint)?;
        let (verifier, state) = (Secret::new(random_text()?), Secret::new(random_text()?));
        // The endpoint may have a query, which is preserved.
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| !RESERVED_PARAMETERS.contains(&name.as_ref()))
            .filter(|(name, _)| additional.iter().all(|(other, _)| other != name))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        url.set_fragment(None);
        url.query_pairs_mut()
            .clear()
            .extend_pairs(kept)
            .append_pair("response_type", "code")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("state", state.expose())
            .append_pair("code_challenge", &challenge(&verifier))
            .append_pair("code_challenge_method", "S256")
            .append_pair("resource", &discovered.resource);
        url.query_pairs_mut().extend_pairs(additional.iter().filter(|(_, value)| !value.is_empty()));
        if !scopes.is_empty() {
            url.query_pairs_mut().append_pair("scope", &scopes.to_string());
        }
        let request = AuthorizationRequest { url, state, redirect_uri: redirect_uri.to_owned() };
        Ok(Self { request, verifier, issuer: server.issuer.clone(), requires_iss: server.supports_iss_parameter })
    }

    /// Checks a response and returns the code: first `state`, then `iss`, and only then the error or the code.
    ///
    /// # Errors
    /// Fails if the response does not belong to this request, comes from another server, or is an error.
    pub(crate) fn code(self, response: &str, tolerances: &Tolerances) -> Result<Secret, AuthError> {
        let response = Response::parse(response, &self.request.redirect_uri)?;
        if response.state.as_ref() != Some(&self.request.state) {
            return Err(AuthError::authorization(
                "the authorization response has another `state`; it belongs to another request. Authorize again",
            ));
        }
        match &response.iss {
            Some(iss) if *iss == self.issuer || tolerances.allows_issuer(&self.issuer, iss) => {}
            None if !self.requires_iss => {}
            // The parameters of another server are not shown.
            Some(_) => {
                return Err(AuthError::authorization(format!(
                    "the authorization response is not from {}: its `iss` differs",
                    excerpt(&self.issuer)
                )));
            }
            None => {
                return Err(AuthError::authorization(format!(
                    "the authorization response has no `iss`, which {} declares to send",
                    excerpt(&self.issuer)
                )));
            }
        }
        if let Some(error) = &response.error {
            // Some servers repeat the parameters of the request.
            let description = response.description.filter(|text| !text.contains(self.request.state.expose()));
            let description = description.map(|text| format!(" ({})", excerpt(&text))).unwrap_or_default();
            let text = format!("the authorization was denied: {}{description}", excerpt(error));
            return Err(AuthError::authorization(text).with_oauth_error(error));
        }
        response.code.ok_or_else(|| AuthError::authorization("the authorization response has no `code`"))
    }
}

/// The parameters of an authorization response.
#[derive(Default)]
struct Response {
    state: Option<Secret>,
    iss: Option<String>,
    code: Option<Secret>,
    error: Option<String>,
    description: Option<String>,
}

impl Response {
    /// Parses the URL to which the browser was redirected, or a part of it that starts with its path or query.
    fn parse(url: &str, redirect_uri: &str) -> Result<Self, AuthError> {
        let url = Url::parse(redirect_uri)
            .and_then(|base| base.join(url.trim()))
            .map_err(|error| AuthError::authorization("the authorization response is not a URL").with_source(error))?;
        let mut response = Self::default();
        for (name, value) in url.query_pairs() {
            let slot = match name.as_ref() {
                "iss" => &mut response.iss,
                "error" => &mut response.error,
                "error_description" => &mut response.description,
                "state" if response.state.is_none() => {
                    response.state = Some(Secret::new(value));
                    continue;
                }
                "code" if response.code.is_none() && !value.is_empty() => {
                    response.code = Some(Secret::new(value));
                    continue;
                }
                "state" | "code" => return Err(duplicate()),
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(duplicate());
            }
        }
        Ok(response)
    }
}

fn duplicate() -> AuthError {
    AuthError::authorization("the authorization response has a duplicate or empty parameter")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::metadata::ServerMetadata;

    const REDIRECT: &str = "http://127.0.0.1:1/callback";
    const ISSUER: &str = "https://as.example.com";

    /// Returns a request with a redirect URI, and its state.
    pub(in crate::client) fn request_to(redirect_uri: &str) -> (AuthorizationRequest, String) {
        let request = pending(false).request;
        let state = request.state.expose().to_owned();
        (AuthorizationRequest { redirect_uri: redirect_uri.to_owned(), ..request }, state)
    }

    fn pending(requires_iss: bool) -> PendingAuthorization {
        let server = ServerMetadata {
            issuer: ISSUER.to_owned(),
            authorization_endpoint: Some(
                "https://as.example.com/authorize?kept=1&tenant=1&state=evil&request=x".to_owned(),
            ),
            supports_iss_parameter: requires_iss,
            ..ServerMetadata::default()
        };
        let discovered = Discovered { resource: "https://h:1".to_owned(), scopes_supported: Vec::new(), server };
        PendingAuthorization::new(
            &discovered,
            Network::Global,
            "id",
            REDIRECT,
            &Scopes::parse("a b"),
            &[("prompt", "login"), ("hint", ""), ("tenant", "2")],
        )
        .unwrap()
    }

    fn code(requires_iss: bool, query: impl Fn(&str) -> String) -> Result<Secret, String> {
        let pending = pending(requires_iss);
        let url = format!("{REDIRECT}?{}", query(pending.request.state.expose()));
        pending.code(&url, &Tolerances::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn request_has_pkce_resource_and_the_query_of_the_endpoint() {
        //
        let pending = pending(false);
        let pairs: Vec<(String, String)> = pending.request.url.query_pairs().into_owned().collect();
        let get = |name: &str| {
            let mut values = pairs.iter().filter(|(other, _)| other == name);
            let value = values.next().map(|(_, value)| value.as_str());
            assert!(values.next().is_none(), "duplicate {name}");
            value
        };
        assert_eq!(
            (get("kept"), get("tenant"), get("prompt"), get("hint")),
            (Some("1"), Some("2"), Some("login"), None)
        );
        assert_eq!(get("state"), Some(pending.request.state.expose()));
        assert_eq!(get("resource"), Some("https://h:1"));
        assert_eq!((get("scope"), get("request")), (Some("a b"), None));
        assert_eq!(get("code_challenge_method"), Some("S256"));
        assert_eq!(get("code_challenge"), Some(&*challenge(&pending.verifier)));
    }

    #[test]
    fn iss_is_compared_unchanged() {
        //
        let with = |iss: &'static str| move |state: &str| format!("code=c&state={state}&iss={iss}");
        let without = |state: &str| format!("code=c&state={state}");
        assert_eq!(code(true, with(ISSUER)).unwrap().expose(), "c");
        assert!(code(false, with(ISSUER)).is_ok() && code(false, without).is_ok());
        assert!(code(true, without).unwrap_err().contains("no `iss`"));
        for iss in
            ["https://as.example.com/", "https://AS.example.com", "https://as.example.com:443", "", "https://evil"]
        {
            assert!(code(false, with(iss)).is_err(), "{iss}");
        }
    }

    #[test]
    fn errors_of_another_server_are_not_shown() {
        //
        let text =
            code(false, |state| format!("error=E&error_description=D&state={state}&iss=https://evil")).unwrap_err();
        assert!(!text.contains('E') && !text.contains("evil"), "{text}");
        let text = code(false, |state| format!("error=access_denied&error_description=D&state={state}")).unwrap_err();
        assert_eq!(text, "the authorization was denied: access_denied (D)");
        let text = code(false, |state| format!("error=x&error_description=bad+{state}&state={state}")).unwrap_err();
        assert_eq!(text, "the authorization was denied: x");
    }

    #[test]
    fn responses_with_another_state_or_duplicates_are_rejected() {
        //
        for query in ["code=c", "code=c&state=x", "state=&code=c"] {
            assert!(code(false, |_| query.to_owned()).unwrap_err().contains("state"), "{query}");
        }
        for query in ["code=c&code=d", "error=x&error=y", "state=x", "iss=a&iss=b"] {
            let text = code(false, |state| format!("{query}&state={state}")).unwrap_err();
            assert!(text.contains("duplicate"), "{query}: {text}");
        }
        assert!(code(false, |state| format!("state={state}")).unwrap_err().contains("no `code`"));
    }

    #[test]
    fn debug_omits_the_state_and_the_challenge() {
        //
        let pending = pending(false);
        let shown = format!("{:?}", pending.request);
        assert!(shown.contains(REDIRECT) && shown.contains("https://as.example.com/authorize"), "{shown}");
        for secret in [pending.request.state.expose(), pending.verifier.expose(), &challenge(&pending.verifier)] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn a_part_of_the_url_is_accepted() {
        let pending = pending(false);
        let state = pending.request.state.expose();
        assert!(pending.request.matches(&format!(" /callback?code=c&state={state} ")));
        let query = format!("?code=c&state={state}");
        assert_eq!(pending.code(&query, &Tolerances::default()).unwrap().expose(), "c");
    }
}
