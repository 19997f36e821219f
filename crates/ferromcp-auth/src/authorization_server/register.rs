//! The registration endpoint: RFC 7591.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::client::RegisteredClient;
use super::client_metadata::{checked_name, checked_url, invalid, list, redirect_uris, set_keys, text};
use super::client_secret::ClientSecretDigest;
use super::error::OAuthError;
use super::form::has_media_type;
use super::grant_type::{AUTHORIZATION_CODE, JWT_BEARER, is_open_grant};
use super::inner::Inner;
use super::response;
use crate::Secret;
use crate::client_authentication::ClientAuthentication;
use crate::clock::now;
use crate::random::random_text;

impl Inner {
    pub(super) async fn register(&self, request: &Request<Bytes>) -> Response<Bytes> {
        match self.try_register(request).await {
            Ok(document) => response::json(StatusCode::CREATED, &document),
            Err(error) => response::error(&error),
        }
    }

    async fn try_register(&self, request: &Request<Bytes>) -> Result<Value, OAuthError> {
        if !has_media_type(request.headers(), "application/json") {
            return Err(invalid("the content type is not supported; use application/json"));
        }
        let document: Value = serde_json::from_slice(request.body()).map_err(|_| invalid("the body is not JSON"))?;
        let fields = document.as_object().ok_or_else(|| invalid("the body is not a JSON object"))?;
        let mut client = self.parse_client(fields)?;
        let random =
            || random_text().map_err(|error| OAuthError::server_error(format!("cannot create a client: {error}")));
        client.client_id = random()?;
        client.issued_at = now();
        client.is_dynamically_registered = true;
        let mut secret = None;
        if matches!(
            client.auth_method,
            ClientAuthentication::ClientSecretBasic | ClientAuthentication::ClientSecretPost
        ) {
            let issued = Secret::new(random()?);
            client.client_secret = Some(ClientSecretDigest::of(issued.clone()));
            secret = Some(issued);
            let lifetime = self.options.registration.as_ref().and_then(|options| options.secret_expiry);
            client.secret_expires_at = lifetime.map(|lifetime| client.issued_at.saturating_add(lifetime.as_secs()));
        }
        let registered = registered(&client, secret.as_ref());
        self.provider.register_client(client).await?;
        Ok(registered)
    }

    /// Reads the metadata of a client. Unknown fields are ignored; grants that are not available are omitted, as RFC
    /// 7591, section 2 allows.
    fn parse_client(&self, fields: &Map<String, Value>) -> Result<RegisteredClient, OAuthError> {
        let application_type = text(fields, "application_type")?;
        if application_type.is_some_and(|kind| !matches!(kind, "native" | "web")) {
            return Err(invalid("`application_type` is not `native` or `web`"));
        }
        let uris = redirect_uris(fields, application_type, &self.options.redirect_schemes)?;
        let mut client = RegisteredClient::new("", uris);
        client.application_type = application_type.map(str::to_owned);
        client.auth_method = match text(fields, "token_endpoint_auth_method")? {
            None => ClientAuthentication::ClientSecretBasic,
            Some(name) => ClientAuthentication::parse(name)
                .ok_or_else(|| invalid("`token_endpoint_auth_method` is not supported"))?,
        };
        if client.auth_method == ClientAuthentication::PrivateKeyJwt {
            set_keys(&mut client, fields)?;
        }
        if let Some(grants) = list(fields, "grant_types")? {
            client.grant_types = grants.into_iter().filter(|grant| is_open_grant(grant)).map(str::to_owned).collect();
            client.grant_types.dedup();
            if !client.allows_grant(AUTHORIZATION_CODE) && !client.allows_grant(JWT_BEARER) {
                return Err(invalid("`grant_types` contains no grant that is available; use `authorization_code`"));
            }
        }
        if client.allows_grant(AUTHORIZATION_CODE) {
            if client.redirect_uris.is_empty() {
                return Err(OAuthError::invalid_redirect_uri("`redirect_uris` is missing or empty"));
            }
            if list(fields, "response_types")?.is_some_and(|types| !types.contains(&"code")) {
                return Err(invalid("`response_types` does not contain `code`"));
            }
        }
        client.client_name = text(fields, "client_name")?.map(|name| checked_name(name.to_owned())).transpose()?;
        client.client_uri = text(fields, "client_uri")?.map(checked_url).transpose()?;
        client.scopes = self.scopes.registered(text(fields, "scope")?)?;
        client.requires_dpop = match fields.get("dpop_bound_access_tokens") {
            None | Some(Value::Null) => false,
            Some(value) => value.as_bool().ok_or_else(|| invalid("`dpop_bound_access_tokens` is not a Boolean"))?,
        };
        Ok(client)
    }
}

/// Returns the response with all metadata of a client that was registered, and its secret: RFC 7591, section 3.2.1.
fn registered(client: &RegisteredClient, secret: Option<&Secret>) -> Value {
    let mut document = json!({
        "client_id": client.client_id,
        "client_id_issued_at": client.issued_at,
        "redirect_uris": client.redirect_uris,
        "grant_types": client.grant_types,
        "token_endpoint_auth_method": client.auth_method.as_str(),
    });
    if client.allows_grant(AUTHORIZATION_CODE) {
        document["response_types"] = json!(["code"]);
    }
    if let Some(secret) = secret {
        document["client_secret"] = json!(secret.expose());
        document["client_secret_expires_at"] = json!(client.secret_expires_at.unwrap_or(0));
    }
    let texts = [
        ("client_name", &client.client_name),
        ("client_uri", &client.client_uri),
        ("application_type", &client.application_type),
        ("jwks_uri", &client.jwks_uri),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            document[name] = json!(value);
        }
    }
    if let Some(scopes) = &client.scopes {
        document["scope"] = json!(scopes.join(" "));
    }
    if let Some(keys) = &client.jwks {
        document["jwks"] = keys.clone();
    }
    if client.requires_dpop {
        document["dpop_bound_access_tokens"] = json!(true);
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_state_that_a_secret_does_not_expire() {
        //
        let mut client = RegisteredClient::new("c", ["https://example.com/cb"]);
        assert_eq!(registered(&client, None).get("client_secret_expires_at"), None);
        let secret = Some(Secret::new("s"));
        assert_eq!(registered(&client, secret.as_ref())["client_secret_expires_at"], 0);
        client.secret_expires_at = Some(5);
        assert_eq!(registered(&client, secret.as_ref())["client_secret_expires_at"], 5);
    }
}
