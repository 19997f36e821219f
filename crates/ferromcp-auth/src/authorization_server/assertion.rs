//! The JWT bearer grant: identity assertions of identity providers (ID-JAG), and tokens of workloads.
//!
//! Both have the same grant type. The media type (`typ`) and the issuer distinguish them; one is never tried as the
//! other.
//!
//! Spec: RFC 7523; the extensions `io.modelcontextprotocol/enterprise-managed-authorization` and
//! `io.modelcontextprotocol/auth/wif`.

use ferromcp_core::text::excerpt;
use http::HeaderMap;
use serde_json::{Map, Value};

use super::client::RegisteredClient;
use super::client_auth::{AssertionUse, MAX_ASSERTION_SECONDS, recorded_until};
use super::error::OAuthError;
use super::form::Parameters;
use super::grant_type::JWT_BEARER;
use super::inner::{Inner, is_same_resource};
use super::scope;
use super::token::{check_grant, check_has_proof, success};
use super::trusted_issuer::{AssertionGrant, AssertionKind, TrustedIssuer};
use crate::client_authentication::ClientAuthentication;
use crate::clock::now;
use crate::dpop_proof::Confirmation;
use crate::jwt::{CompactToken, Expected, JwkSource, numeric_date, verify};
use crate::random::sha256_base64;
use crate::scopes::Scopes;
use crate::token_verifier::VerifyError;

/// The media type of identity assertions.
const ID_JAG: &str = "oauth-id-jag+jwt";

/// An access token that an assertion justifies.
struct Justified {
    client_id: String,
    subject: String,
    scopes: Vec<String>,
    resource: String,
}

impl Inner {
    /// Exchanges an assertion for an access token.
    pub(super) async fn exchange_assertion(
        &self,
        headers: &HeaderMap,
        parameters: &Parameters,
    ) -> Result<Value, OAuthError> {
        let assertion = parameters.required("assertion")?;
        let token = CompactToken::parse(assertion).map_err(invalid)?;
        let issuer = token.claim_text("iss");
        let (trusted, claims, justified, proof) = if token.has_type(&[ID_JAG]) {
            let (trusted, keys) = self.trusted(AssertionKind::Identity, issuer)?;
            let proof = self.check_proof(headers)?;
            let client = self.authenticate(headers, parameters).await?;
            check_grant(&client, JWT_BEARER)?;
            check_has_proof(&client, proof.as_ref())?;
            let is_bound = Confirmation::read(&token.claims) != Confirmation::Absent;
            if client.auth_method == ClientAuthentication::None && !is_bound {
                return Err(OAuthError::invalid_client(
                    "a public client cannot use an identity assertion that is not bound to a key; register with a \
                     secret or a public key",
                ));
            }
            let audiences = [self.options.issuer.as_str()];
            let claims = verified(assertion, keys, trusted, &audiences, &[ID_JAG]).await?;
            let justified = self.check_identity(trusted, &claims, parameters, &client)?;
            (trusted, claims, justified, proof)
        } else {
            let (trusted, keys) = self.trusted(AssertionKind::Workload, issuer)?;
            let proof = self.check_proof(headers)?;
            let mut audiences = vec![self.options.issuer.as_str(), self.token_endpoint.as_str()];
            audiences.extend(trusted.audiences.iter().map(String::as_str));
            let claims = verified(assertion, keys, trusted, &audiences, &[]).await?;
            let justified = self.check_workload(trusted, &claims, parameters)?;
            (trusted, claims, justified, proof)
        };
        check_key(&claims, proof.as_ref().map(|proof| proof.thumbprint.as_str()))?;
        let key = self.use_proof(proof)?;
        self.record(trusted, &claims, assertion)?;
        self.issue(trusted, justified, key).await
    }

    fn trusted(&self, kind: AssertionKind, issuer: Option<&str>) -> Result<&(TrustedIssuer, JwkSource), OAuthError> {
        self.issuer_keys.find(kind, issuer).ok_or_else(|| invalid("its issuer is not trusted"))
    }

    /// Checks an identity assertion whose signature, issuer, audience and time were verified.
    fn check_identity(
        &self,
        trusted: &TrustedIssuer,
        claims: &Map<String, Value>,
        parameters: &Parameters,
        client: &RegisteredClient,
    ) -> Result<Justified, OAuthError> {
        if claims.get("client_id").and_then(Value::as_str) != Some(&client.client_id) {
            return Err(invalid("it is for another client"));
        }
        if claims.get("sub").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(invalid("`sub` is missing"));
        }
        let issued_at = claims.get("iat").and_then(numeric_date).ok_or_else(|| invalid("`iat` is missing"))?;
        if issued_at > now().saturating_add(Expected::default().leeway_seconds) {
            return Err(invalid("it was issued in the future"));
        }
        let resource = claims.get("resource").and_then(Value::as_str);
        let resource = resource.ok_or_else(|| invalid("`resource` is missing"))?;
        let resource = self.resource(Some(resource)).map_err(|_| invalid("`resource` is not one of this server"))?;
        if parameters.get("resource")?.is_some_and(|requested| !is_same_resource(&resource, requested)) {
            return Err(OAuthError::invalid_target("the resource is not that of the assertion"));
        }
        let grant = granted(trusted, claims, &resource)?;
        let asserted = match claims.get("scope") {
            None | Some(Value::Null) => Scopes::default(),
            Some(Value::String(scopes)) => scope::parse(scopes).map_err(|_| invalid("`scope` is malformed"))?,
            Some(_) => return Err(invalid("`scope` is not a text")),
        };
        let mut allowed = match &self.scopes.valid {
            Some(valid) => scope::intersection(&asserted, valid),
            None => asserted,
        };
        for limit in [&grant.scopes, &client.scopes].into_iter().flatten() {
            allowed = scope::intersection(&allowed, &limit.iter().collect());
        }
        let scopes = match parameters.get("scope")?.map(scope::parse).transpose()? {
            None => allowed,
            Some(requested) => {
                let common = scope::intersection(&requested, &allowed);
                if common.is_empty() && !requested.is_empty() {
                    return Err(OAuthError::invalid_scope("the assertion grants none of the requested scopes"));
                }
                common
            }
        };
        Ok(Justified {
            client_id: client.client_id.clone(),
            subject: grant.subject,
            scopes: scope::list(&scopes),
            resource,
        })
    }

    /// Checks the token of a workload whose signature, issuer, audience and time were verified.
    fn check_workload(
        &self,
        trusted: &TrustedIssuer,
        claims: &Map<String, Value>,
        parameters: &Parameters,
    ) -> Result<Justified, OAuthError> {
        let resource = self.resource(parameters.get("resource")?)?;
        let grant = granted(trusted, claims, &resource)?;
        let scopes = scope::subset(grant.scopes.as_deref().unwrap_or_default(), parameters.get("scope")?)?;
        // A workload has no registered client: it acts as itself.
        Ok(Justified { client_id: grant.subject.clone(), subject: grant.subject, scopes, resource })
    }

    /// Records the use of an assertion.
    ///
    /// # Errors
    /// `invalid_grant` if it was used before, or its lifetime is too long to record it.
    fn record(&self, trusted: &TrustedIssuer, claims: &Map<String, Value>, assertion: &str) -> Result<(), OAuthError> {
        let is_identity = trusted.kind == AssertionKind::Identity;
        if !is_identity && trusted.is_reusable {
            return Ok(());
        }
        let used = if is_identity || claims.contains_key("jti") {
            AssertionUse::read(claims, MAX_ASSERTION_SECONDS)
        } else {
            // Without an ID, the signed text identifies the token. The signature does not: a valid ECDSA signature can
            // be changed into another valid one without the key.
            let signed = assertion.rsplit_once('.').map_or(assertion, |(signed, _)| signed);
            recorded_until(claims, MAX_ASSERTION_SECONDS)
                .map(|recorded_until| AssertionUse { id: sha256_base64(signed.as_bytes()), recorded_until })
        };
        let used = used.map_err(|problem| invalid(&problem))?;
        if !self.used_grants.is_first_use(&trusted.issuer, &used.id, used.recorded_until, now())? {
            return Err(invalid("it was used before"));
        }
        Ok(())
    }

    /// Issues the access token.
    async fn issue(
        &self,
        trusted: &TrustedIssuer,
        justified: Justified,
        key: Option<String>,
    ) -> Result<Value, OAuthError> {
        let Justified { client_id, subject, scopes, resource } = justified;
        tracing::info!(issuer = %excerpt(&trusted.issuer), client = %excerpt(&client_id), subject = %excerpt(&subject),
            resource, "issuing an access token for an assertion");
        let context = self.context(resource, key);
        let tokens = self.provider.issue_without_user(&client_id, subject, scopes, context.clone()).await?;
        Ok(success(&tokens, &context, false))
    }
}

/// Returns what the rule of the issuer grants for a resource.
fn granted(trusted: &TrustedIssuer, claims: &Map<String, Value>, resource: &str) -> Result<AssertionGrant, OAuthError> {
    let grant = trusted.grant(claims).filter(|grant| !grant.subject.is_empty());
    let grant = grant.ok_or_else(|| invalid("its subject is not authorized"))?;
    if !grant.resources.is_empty() && !grant.resources.iter().any(|known| is_same_resource(known, resource)) {
        return Err(invalid("its subject is not authorized for the resource"));
    }
    Ok(grant)
}

/// Verifies the signature, the issuer, the audience and the time of an assertion.
async fn verified(
    assertion: &str,
    keys: &JwkSource,
    trusted: &TrustedIssuer,
    audiences: &[&str],
    types: &[&str],
) -> Result<Map<String, Value>, OAuthError> {
    let expected = Expected { issuer: Some(&trusted.issuer), audiences, types, ..Expected::default() };
    verify(assertion, keys, &expected).await.map_err(|error| match error {
        VerifyError::Invalid(problem) => invalid(&problem),
        VerifyError::Unavailable(_) => {
            OAuthError::temporarily_unavailable("the keys of the issuer cannot be fetched; try again later")
        }
    })
}

/// Fails if the assertion is bound to a key (`cnf.jkt`) and the request does not prove its possession.
fn check_key(claims: &Map<String, Value>, key: Option<&str>) -> Result<(), OAuthError> {
    match Confirmation::read(claims) {
        Confirmation::Absent => Ok(()),
        Confirmation::Key(bound) if Some(bound) == key => Ok(()),
        Confirmation::Key(_) => Err(invalid("it is bound to another DPoP key")),
        Confirmation::Unsupported => Err(invalid("it is bound by a method that is not supported (`cnf`)")),
    }
}

fn invalid(problem: &str) -> OAuthError {
    OAuthError::invalid_grant(format!("invalid assertion: {problem}"))
}
