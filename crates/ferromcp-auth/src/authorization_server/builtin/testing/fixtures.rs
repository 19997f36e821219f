//! Records for the check of a store, and for the tests of this crate.

use crate::authorization_server::builtin::records::{
    BrowserSession, NewTokens, PendingAuthorization, StoredAccessToken, StoredCode, StoredConsent, StoredGrant,
    StoredRefreshToken,
};
use crate::authorization_server::builtin::user::User;
use crate::authorization_server::provider::AuthorizationRequest;
use crate::clock::now;

/// A text that changes if it is not passed as a parameter of a statement, or not encoded as UTF-8.
pub(super) const TEXT: &str = "O'Neil \"Zoë\" \\ %_ ?1 $1 :a 🦀";

fn request() -> AuthorizationRequest {
    AuthorizationRequest::new("https://as.example", "c", "https://c.example/cb", "challenge", "https://as.example/mcp")
}

pub(in crate::authorization_server) fn grant(id: &str, client_id: &str, subject: &str) -> StoredGrant {
    StoredGrant {
        id: id.into(),
        issuer: "https://as.example".into(),
        client_id: client_id.into(),
        user: User::new(subject).with_name(TEXT).with_claim("email", "ada@example.com").with_reference("r"),
        scopes: vec!["read".into()],
        resource: "https://as.example/mcp".into(),
        created_at: now(),
        expires_at: now() + 300,
    }
}

pub(in crate::authorization_server) fn pending() -> PendingAuthorization {
    PendingAuthorization {
        request: AuthorizationRequest { state: Some(TEXT.into()), ..request() },
        client_name: Some("Client".into()),
        is_metadata_document: false,
        is_public_client: true,
        is_approved: true,
        selected_scopes: Some(vec!["read".into()]),
        expires_at: now() + 600,
    }
}

pub(in crate::authorization_server) fn code(grant_id: &str) -> StoredCode {
    StoredCode { grant_id: grant_id.into(), request: request(), expires_at: now() + 300, is_used: false }
}

pub(in crate::authorization_server) fn tokens(grant_id: &str, access: &str, refresh: Option<&str>) -> NewTokens {
    let record = StoredAccessToken {
        grant_id: grant_id.into(),
        scopes: vec!["read".into()],
        key_thumbprint: Some("t".into()),
        expires_at: now() + 3600,
    };
    let refresh = refresh.map(|digest| {
        let record = StoredRefreshToken {
            grant_id: grant_id.into(),
            key_thumbprint: None,
            expires_at: now() + 86_400,
            parent: None,
            rotated_at: None,
            successor: None,
        };
        (digest.to_owned(), record)
    });
    NewTokens { grant_id: grant_id.into(), access: (access.into(), record), refresh, now: now() }
}

pub(super) fn consent(subject: &str) -> StoredConsent {
    StoredConsent {
        subject: subject.into(),
        client_id: "c".into(),
        redirect_uri: "https://c.example/cb".into(),
        resource: "https://as.example/mcp".into(),
        scopes: vec!["read".into()],
        expires_at: now() + 600,
    }
}

pub(super) fn session(subject: &str) -> BrowserSession {
    BrowserSession { user: User::new(subject).with_name("Ada"), expires_at: now() + 600 }
}
