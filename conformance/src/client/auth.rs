//! Scenarios with OAuth. The fixture acts as the user: it requests the authorization page and returns the URL to which
//! it is redirected.

use ferromcp::auth::Secret;
use ferromcp::auth::client::{
    AuthError, AuthorizationRequest, ClientRegistration, EnterpriseIdentityProvider, Grant, OAuth, OAuthOptions,
    RedirectHandler, SigningAlgorithm, SigningKey,
};
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;

use super::error::BoxError;
use super::run::Run;

/// Nothing listens here.
const REDIRECT_URI: &str = "http://localhost:3000/callback";
const METADATA_URL: &str = "https://conformance-test.local/client-metadata.json";

/// Authorizes the client, lists the tools and calls each of them.
pub(super) async fn run(run: &Run) -> Result<(), BoxError> {
    let (options, expected_error) = scenario(run)?;
    let builder = run.builder().credentials(OAuth::new(options)?);
    let outcome = converse(run, builder).await;
    match (outcome, expected_error) {
        (outcome, None) => outcome,
        (Ok(()), Some(expected)) => Err(format!("the scenario succeeded, expected an error with {expected:?}").into()),
        (Err(error), Some(expected)) if report(error.as_ref()).contains(expected) => Ok(()),
        (Err(error), Some(expected)) => {
            Err(format!("expected an error with {expected:?}, got: {}", report(error.as_ref())).into())
        }
    }
}

async fn converse(run: &Run, builder: ferromcp::client::ClientBuilder) -> Result<(), BoxError> {
    let client = run.connect(builder).await?;
    // The authorization server of `authorization-server-migration` changes between two calls.
    for _ in 0..2 {
        for tool in client.tools().await? {
            client.call(&tool.name, ()).await?;
        }
    }
    client.close().await;
    Ok(())
}

/// Returns the options of a scenario, and a part of the error with which it must end.
fn scenario(run: &Run) -> Result<(OAuthOptions, Option<&'static str>), BoxError> {
    let context = |name: &str| {
        let value = run.context()[name].as_str().map(str::to_owned);
        value.ok_or_else(|| BoxError::from(format!("the context has no `{name}`")))
    };
    let registration = || Ok::<_, BoxError>(ClientRegistration::new(context("client_id")?));
    let options =
        OAuthOptions::new(run.url()).client_name("conformance-client").grant(Grant::authorization_code(browser()));
    let name = run.scenario().strip_prefix("auth/").unwrap_or_default();
    let options = match name {
        "basic-cimd" => options.client_metadata_url(METADATA_URL),
        "pre-registration" => options.registration(registration()?.secret(context("client_secret")?)),
        "client-credentials-basic" => {
            options.registration(registration()?.secret(context("client_secret")?)).grant(Grant::client_credentials())
        }
        "client-credentials-jwt" => {
            let algorithm = context("signing_algorithm")?;
            let algorithm = SigningAlgorithm::parse(&algorithm).ok_or("unknown signing algorithm")?;
            let key = SigningKey::from_pem(algorithm, &context("private_key_pem")?)?;
            options.registration(registration()?).signing_key(key).grant(Grant::client_credentials())
        }
        "enterprise-managed-authorization" => {
            let provider = EnterpriseIdentityProvider::new(context("idp_token_endpoint")?, context("idp_client_id")?);
            let id_token = Secret::new(context("idp_id_token")?);
            let grant = Grant::enterprise_managed(provider, move |_| std::future::ready(Ok(id_token.clone())));
            options.registration(registration()?.secret(context("client_secret")?)).grant(grant)
        }
        "wif-jwt-bearer" => {
            let token = Secret::new(context("valid_jwt")?);
            options.grant(Grant::workload_identity(move |_| std::future::ready(Ok(token.clone()))))
        }
        "dpop" | "dpop-nonce" => options.dpop(),
        _ => options,
    };
    let expected_error = match name {
        "resource-mismatch" => Some("the protected resource metadata is for"),
        "metadata-issuer-mismatch" => Some("has issuer"),
        "iss-supported-missing" => Some("has no `iss`"),
        "iss-wrong-issuer" | "iss-unexpected" | "iss-normalized" => Some("its `iss` differs"),
        "scope-retry-limit" => Some("403"),
        "metadata-default"
        | "metadata-var1"
        | "metadata-var2"
        | "metadata-var3"
        | "basic-cimd"
        | "pre-registration"
        | "scope-from-www-authenticate"
        | "scope-from-scopes-supported"
        | "scope-omitted-when-undefined"
        | "scope-step-up"
        | "token-endpoint-auth-basic"
        | "token-endpoint-auth-post"
        | "token-endpoint-auth-none"
        | "offline-access-scope"
        | "offline-access-not-supported"
        | "authorization-server-migration"
        | "iss-supported"
        | "iss-not-advertised"
        | "client-credentials-basic"
        | "client-credentials-jwt"
        | "enterprise-managed-authorization"
        | "wif-jwt-bearer"
        | "dpop"
        | "dpop-nonce" => None,
        backward
            if backward.ends_with("-oauth-metadata-backcompat") || backward.ends_with("-oauth-endpoint-fallback") =>
        {
            None
        }
        _ => return Err(format!("unknown scenario `{}`", run.scenario()).into()),
    };
    Ok((options, expected_error))
}

/// Returns a prompt that accepts each authorization.
fn browser() -> RedirectHandler {
    RedirectHandler::new(REDIRECT_URI, |request: AuthorizationRequest| async move {
        let failed = |problem: String| AuthError::prompt(format!("the authorization page failed: {problem}"));
        let browser = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build();
        let page = browser.map_err(|error| failed(error.to_string()))?.get(request.url()).send().await;
        let page = page.map_err(|error| failed(error.to_string()))?;
        let location = page.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        location.map(str::to_owned).ok_or_else(|| failed(format!("status {} without a redirect", page.status())))
    })
}

/// Returns the text of an error and its causes.
fn report(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
