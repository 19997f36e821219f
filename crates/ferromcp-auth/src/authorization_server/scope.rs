//! The scopes that a client may request.

use ferromcp_core::text::excerpt;

use super::client::RegisteredClient;
use super::error::OAuthError;
use crate::error::AuthError;
use crate::scopes::{self, OFFLINE_ACCESS, Scopes};

/// The scopes of the options, as the operator wrote them.
#[derive(Debug, Clone, Default)]
pub(super) struct ScopeSettings {
    pub(super) valid: Option<Vec<String>>,
    pub(super) default: Vec<String>,
    pub(super) required: Vec<String>,
}

impl ScopeSettings {
    /// Validates the scopes. None is omitted: without a required scope, each token would be accepted.
    ///
    /// # Errors
    /// Fails if a text is not a scope, or there are too many.
    pub(super) fn policy(&self) -> Result<ScopePolicy, AuthError> {
        Ok(ScopePolicy {
            valid: self.valid.as_deref().map(|scopes| validated("valid", scopes)).transpose()?,
            default: validated("default", &self.default)?,
            required: validated("required", &self.required)?,
        })
    }
}

fn validated(kind: &str, texts: &[String]) -> Result<Scopes, AuthError> {
    if let Some(invalid) = texts.iter().find(|text| !scopes::is_valid(text)) {
        return Err(AuthError::configuration(format!(
            "cannot use the {kind} scope `{}`: it is empty, or contains a space, a quote, a backslash or another \
             character that is not allowed; pass each scope separately",
            excerpt(invalid)
        )));
    }
    let scopes: Scopes = texts.iter().collect();
    if let Some(omitted) = texts.iter().find(|text| !scopes.contains(text)) {
        return Err(AuthError::configuration(format!(
            "cannot use the {kind} scope `{}`: there are too many scopes; remove some",
            excerpt(omitted)
        )));
    }
    Ok(scopes)
}

/// The scopes of the authorization server.
#[derive(Debug, Clone, Default)]
pub(super) struct ScopePolicy {
    /// The valid scopes, if they are configured. Others are then errors.
    pub(super) valid: Option<Scopes>,
    /// The scopes of a request without scopes.
    pub(super) default: Scopes,
    /// The scopes that the MCP server requires.
    pub(super) required: Scopes,
}

impl ScopePolicy {
    /// Returns the scopes that the metadata lists.
    pub(super) fn supported(&self) -> Scopes {
        self.valid.clone().unwrap_or_else(|| self.default.clone().union(&self.required))
    }

    /// Returns the scopes that a client may request after it registers: all valid ones, whichever it names. Clients register
    /// the scopes of their first request, and request further scopes when a tool requires them. Without configured valid
    /// scopes, unknown scopes are omitted (RFC 7591, section 2): many clients register scopes of other servers.
    ///
    /// # Errors
    /// Fails with the first scope that is not valid.
    pub(super) fn registered(&self, requested: Option<&str>) -> Result<Option<Vec<String>>, OAuthError> {
        let Some(valid) = &self.valid else { return Ok(None) };
        match first_missing(valid, &requested.map(Scopes::parse).unwrap_or_default()) {
            Some(scope) => Err(OAuthError::invalid_client_metadata(format!("the scope `{scope}` is not supported"))),
            None => Ok(Some(list(valid))),
        }
    }

    /// Returns the scopes of an authorization or token request.
    ///
    /// # Errors
    /// `invalid_scope` if the client may not request one of them.
    pub(super) fn requested(
        &self,
        client: &RegisteredClient,
        requested: Option<&str>,
    ) -> Result<Vec<String>, OAuthError> {
        let registered: Option<Scopes> = client.scopes.as_ref().map(|scopes| scopes.iter().collect());
        let requested = requested.map(parse).transpose()?.unwrap_or_default();
        let allowed = match (&registered, &self.valid) {
            // Scopes that were removed from the configuration after the client registered are no longer allowed.
            (Some(registered), Some(valid)) if client.is_self_described() => intersection(registered, valid),
            (Some(registered), _) => registered.clone(),
            (None, Some(valid)) => valid.clone(),
            // Unknown scopes are omitted, as for registrations.
            (None, None) => {
                let known = intersection(&requested, &self.supported());
                return Ok(list(if known.is_empty() { self.fallback() } else { &known }));
            }
        };
        if requested.is_empty() {
            return Ok(list(&intersection(self.fallback(), &allowed)));
        }
        match first_missing(&allowed, &requested) {
            Some(scope) => Err(OAuthError::invalid_scope(format!("the client may not request the scope `{scope}`"))),
            None => Ok(list(&requested)),
        }
    }

    /// Returns granted scopes without those that were removed from the configuration after the grant. Clients that the
    /// operator registers may have others.
    pub(super) fn still_valid(&self, client: &RegisteredClient, granted: Vec<String>) -> Vec<String> {
        match &self.valid {
            Some(valid) if client.is_self_described() => granted.into_iter().filter(|it| valid.contains(it)).collect(),
            _ => granted,
        }
    }

    /// Returns those of the requested scopes that the MCP server requires.
    pub(super) fn required_of(&self, requested: &[String]) -> Vec<String> {
        requested.iter().filter(|scope| self.required.contains(scope)).cloned().collect()
    }

    /// Returns the scopes that the metadata of the MCP server lists.
    pub(super) fn of_resource(&self) -> Vec<String> {
        let scopes = self.default.clone().union(&self.required);
        list(&scopes).into_iter().filter(|scope| scope != OFFLINE_ACCESS).collect()
    }

    fn fallback(&self) -> &Scopes {
        if self.default.is_empty() { &self.required } else { &self.default }
    }
}

/// Parses the parameter `scope`.
///
/// # Errors
/// `invalid_scope` if a scope contains a character that is not allowed (RFC 6749, section 3.3), or there are too many.
pub(super) fn parse(text: &str) -> Result<Scopes, OAuthError> {
    let mut names: Vec<&str> = text.split(' ').filter(|scope| !scope.is_empty()).collect();
    let scopes = Scopes::parse(text);
    names.sort_unstable();
    names.dedup();
    if list(&scopes).len() == names.len() {
        return Ok(scopes);
    }
    Err(OAuthError::invalid_scope("the parameter `scope` contains invalid characters, or too many scopes"))
}

/// Returns the scopes of a text that are granted, or all granted scopes without a text.
///
/// # Errors
/// `invalid_scope` if a scope is not granted.
pub(super) fn subset(granted: &[String], requested: Option<&str>) -> Result<Vec<String>, OAuthError> {
    let Some(requested) = requested.map(parse).transpose()?.filter(|scopes| !scopes.is_empty()) else {
        return Ok(granted.to_vec());
    };
    let granted: Scopes = granted.iter().collect();
    match first_missing(&granted, &requested) {
        Some(scope) => Err(OAuthError::invalid_scope(format!("the scope `{scope}` was not granted"))),
        None => Ok(list(&requested)),
    }
}

/// Returns the scopes of the first set that are in the second.
pub(super) fn intersection(scopes: &Scopes, other: &Scopes) -> Scopes {
    list(scopes).iter().filter(|scope| other.contains(scope)).collect()
}

/// Returns the scopes as a list.
pub(super) fn list(scopes: &Scopes) -> Vec<String> {
    scopes.to_string().split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

fn first_missing(allowed: &Scopes, requested: &Scopes) -> Option<String> {
    list(requested).into_iter().find(|scope| !allowed.contains(scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(valid: Option<&str>, default: &str, required: &str) -> ScopePolicy {
        ScopePolicy {
            valid: valid.map(Scopes::parse),
            default: Scopes::parse(default),
            required: Scopes::parse(required),
        }
    }

    fn client(scopes: Option<&[&str]>) -> RegisteredClient {
        let mut client = RegisteredClient::new("c", ["https://example.com/cb"]);
        client.scopes = scopes.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()).collect());
        client
    }

    #[test]
    fn too_many_scopes_are_an_error() {
        let required = (0..201).map(|i| format!("scope-{i}")).collect();
        let error = ScopeSettings { required, ..ScopeSettings::default() }.policy().unwrap_err().to_string();
        assert!(error.contains("the required scope `scope-200`"), "{error}");
    }

    #[test]
    fn scopes_outside_of_the_client_are_invalid() {
        let strict = policy(Some("read write"), "", "read");
        for (registered, requested, expected) in [
            (None, Some("read write"), Ok("read write")),
            (None, Some("admin"), Err("invalid_scope")),
            (None, None, Ok("read")),
            (Some(&["read"][..]), Some("write"), Err("invalid_scope")),
            (Some(&["read"][..]), Some("read"), Ok("read")),
            (Some(&["write"][..]), None, Ok("")),
            (None, Some("re\"ad"), Err("invalid_scope")),
        ] {
            let result = strict.requested(&client(registered), requested);
            let result = result.map(|scopes| scopes.join(" ")).map_err(|error| error.code());
            assert_eq!(result, expected.map(str::to_owned), "{registered:?} {requested:?}");
        }
    }

    #[test]
    fn unknown_scopes_are_omitted_without_valid_scopes() {
        let lenient = policy(None, "", "read");
        assert_eq!(lenient.requested(&client(None), Some("claudeai")).unwrap(), ["read"]);
        assert_eq!(lenient.requested(&client(None), Some("read admin")).unwrap(), ["read"]);
        assert_eq!(lenient.requested(&client(Some(&["a"])), Some("b")).unwrap_err().code(), "invalid_scope");
        assert_eq!(lenient.registered(Some("claudeai")).unwrap(), None);
        assert_eq!(lenient.registered(Some("read x")).unwrap(), None);
    }

    #[test]
    fn registered_client_may_request_all_valid_scopes() {
        let strict = policy(Some("read write"), "read", "");
        for scope in [Some("write"), None] {
            assert_eq!(strict.registered(scope).unwrap().unwrap(), ["read", "write"]);
        }
        assert_eq!(strict.registered(Some("admin")).unwrap_err().code(), "invalid_client_metadata");
    }

    #[test]
    fn trap_scope_widened_on_refresh() {
        //
        let granted = ["read".to_owned(), "write".to_owned()];
        assert_eq!(subset(&granted, Some("write")).unwrap(), ["write"]);
        assert_eq!(subset(&granted, None).unwrap(), granted);
        assert_eq!(subset(&granted, Some("read admin")).unwrap_err().code(), "invalid_scope");
    }
}
