//! Selection of scopes on the consent page.

use std::time::Duration;

use ferromcp_auth::authorization_server::{
    AuthorizationProvider, ConsentPages, ConsentView, ErrorView, LoginView, TokenContext,
};
use http::StatusCode;

use crate::browser::{Browser, ISSUER, RESOURCE, authorize, client, password_provider, redeem, request};
use crate::identity_provider::IdentityProvider;
use crate::upstream::{options, provider};

#[tokio::test]
async fn grant_has_only_the_selected_scopes() {
    let provider = password_provider().describe_scope("write", "Write your notes");
    let mut browser = Browser::new(provider.clone());
    let mut request = request(&client("c"), "read write admin");
    request.required_scopes = vec!["read".to_owned()];
    let url = provider.authorize(&client("c"), request).await.unwrap();
    let page = browser.open_as(&url, "ada").await;
    for text in ["<fieldset>", "<legend>", "Write your notes <small>(write)</small>", "<code>read</code> – required"]
    {
        assert!(page.html.contains(text), "{text} {}", page.html);
    }
    let location = browser.press_without(&page, &["admin"], "approve").await.location();
    let tokens = redeem(&provider, &client("c"), &location).await.unwrap();
    assert_eq!(tokens.scopes, ["read", "write"]);
    let access = provider.load_access_token(tokens.access_token.expose()).await.unwrap().unwrap();
    assert_eq!(access.scopes, ["read", "write"]);
    let token = provider.load_refresh_token(&client("c"), tokens.refresh_token.unwrap().expose()).await.unwrap();
    let token = token.unwrap();
    assert_eq!(token.scopes, ["read", "write"]);
    // The deselected scope is not available to a refresh.
    let scopes = vec!["admin".to_owned()];
    let context = TokenContext::new(ISSUER, RESOURCE);
    let error = provider.exchange_refresh_token(&client("c"), token, scopes, context).await.unwrap_err();
    assert_eq!(error.code(), "invalid_scope");
}

#[tokio::test]
async fn page_is_shown_again_when_no_scope_is_selected() {
    let provider = password_provider();
    let mut browser = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read write").await;
    let page = browser.open_as(&url, "ada").await;
    let page = browser.press_without(&page, &["read", "write"], "approve").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.html.contains("role=\"alert\">Nothing is selected."), "{}", page.html);
    assert!(!page.html.contains(" checked>"), "the page shows what the user selected: {}", page.html);
    // The authorization is still open.
    let fields = page.fields(&[]);
    let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.extend([("scope", "1"), ("action", "approve")]);
    let location = browser.post("/consent", &fields).await.location();
    assert_eq!(redeem(&provider, &client("c"), &location).await.unwrap().scopes, ["write"]);
    // A selection is not needed to deny.
    let url = authorize(&provider, &client("c"), "read write").await;
    let page = browser.get(&url).await;
    let location = browser.press_without(&page, &["read", "write"], "deny").await.location();
    assert!(location.contains("error=access_denied"), "{location}");
}

#[tokio::test]
async fn single_and_required_scopes_have_no_checkbox() {
    let provider = password_provider();
    let mut browser = Browser::new(provider.clone());
    let page = browser.open_as(&authorize(&provider, &client("c"), "read").await, "ada").await;
    assert!(page.html.contains("<code>read</code>") && !page.html.contains("checkbox"), "{}", page.html);
    let mut request = request(&client("c"), "read write");
    request.required_scopes = request.scopes.clone();
    let url = provider.authorize(&client("c"), request).await.unwrap();
    let page = browser.get(&url).await;
    assert!(!page.html.contains("checkbox"), "{}", page.html);
    // A forged selection cannot remove them.
    let (id, csrf) = (page.hidden("id"), page.hidden("csrf"));
    let fields = [("id", &*id), ("csrf", &*csrf), ("select_scopes", "true"), ("action", "approve")];
    let location = browser.post("/consent", &fields).await.location();
    assert_eq!(redeem(&provider, &client("c"), &location).await.unwrap().scopes, ["read", "write"]);
}

#[tokio::test]
async fn trap_forged_scope_in_the_consent_form() {
    let provider = password_provider();
    let mut browser = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read write").await;
    let page = browser.open_as(&url, "ada").await;
    let (id, csrf) = (page.hidden("id"), page.hidden("csrf"));
    let forged = ["admin", "write", "2", "-1", "read admin"].map(|value| ("scope", value));
    let mut fields = vec![("id", &*id), ("csrf", &*csrf), ("select_scopes", "true"), ("action", "approve")];
    fields.extend(forged);
    // Only forged values: nothing is selected.
    let page = browser.post("/consent", &fields).await;
    assert!(page.html.contains("Nothing is selected."), "{}", page.html);
    fields.push(("scope", "0"));
    let location = browser.post("/consent", &fields).await.location();
    assert_eq!(redeem(&provider, &client("c"), &location).await.unwrap().scopes, ["read"]);
}

#[tokio::test]
async fn remembered_consent_covers_only_the_selected_scopes() {
    //
    let provider = password_provider().remember_consent(Duration::from_secs(3600));
    let mut browser = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read write admin").await;
    let page = browser.open_as(&url, "ada").await;
    browser.press_without(&page, &["admin"], "approve").await.location();
    let location = browser.get(&authorize(&provider, &client("c"), "read write").await).await.location();
    assert_eq!(redeem(&provider, &client("c"), &location).await.unwrap().scopes, ["read", "write"]);
    for scopes in ["admin", "read admin"] {
        let page = browser.get(&authorize(&provider, &client("c"), scopes).await).await;
        assert!(page.has_button("approve"), "{scopes}");
    }
}

#[tokio::test]
async fn selection_is_kept_during_a_login_upstream() {
    //
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream)).remember_consent(Duration::from_secs(3600));
    let mut browser = Browser::new(provider.clone());
    let page = browser.get(&authorize(&provider, &client("c"), "read write").await).await;
    let page = browser.press_without(&page, &["read", "write"], "approve").await;
    assert!(page.html.contains("Nothing is selected.") && page.html.contains("Example ID"), "{}", page.html);
    let page = browser.get(&authorize(&provider, &client("c"), "read write").await).await;
    let callback = upstream.log_in(&browser.press_without(&page, &["write"], "approve").await.location());
    // The callback cannot change the selection.
    let location = browser.get(&format!("{callback}&scope=1&select_scopes=true")).await.location();
    assert_eq!(redeem(&provider, &client("c"), &location).await.unwrap().scopes, ["read"]);
    let page = browser.get(&authorize(&provider, &client("c"), "read write").await).await;
    assert!(page.has_button("approve"), "the consent to one scope was remembered");
}

#[tokio::test]
async fn refresh_token_is_not_issued_when_offline_access_is_deselected() {
    let provider = password_provider();
    let mut browser = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read offline_access").await;
    let page = browser.open_as(&url, "ada").await;
    let location = browser.press_without(&page, &["offline_access"], "approve").await.location();
    let tokens = redeem(&provider, &client("c"), &location).await.unwrap();
    assert!(tokens.scopes == ["read"] && tokens.refresh_token.is_none());
    // Clients that do not request it get one as before.
    for scopes in ["read offline_access", "read"] {
        let page = browser.get(&authorize(&provider, &client("c"), scopes).await).await;
        let location = browser.press(&page, "approve").await.location();
        assert!(redeem(&provider, &client("c"), &location).await.unwrap().refresh_token.is_some(), "{scopes}");
    }
}

#[tokio::test]
async fn all_scopes_of_a_long_request_can_be_selected() {
    let provider = password_provider();
    let mut browser = Browser::new(provider.clone());
    let scopes: Vec<String> = (0..200).map(|n| format!("scope:{n:03}")).collect();
    let page = browser.open_as(&authorize(&provider, &client("c"), &scopes.join(" ")).await, "ada").await;
    let location = browser.press_without(&page, &["scope:007"], "approve").await.location();
    let granted = redeem(&provider, &client("c"), &location).await.unwrap().scopes;
    assert!(granted.len() == 199 && granted[7] == "scope:008", "{granted:?}");
}

/// Pages with the HTML of the scopes in their own form.
struct PagesWithScopes;

impl ConsentPages for PagesWithScopes {
    fn login(&self, view: &LoginView<'_>) -> String {
        format!("{} {}", view.hidden_fields, view.form.fields_html)
    }

    fn consent(&self, view: &ConsentView<'_>) -> String {
        let values: Vec<_> = view.scopes.iter().filter_map(|scope| scope.choice.as_ref()).collect();
        assert!(values.iter().all(|choice| choice.is_selected));
        format!("<form>{} {}</form>", view.hidden_fields, view.scopes_html())
    }

    fn error(&self, view: &ErrorView<'_>) -> String {
        view.status.to_string()
    }
}

#[tokio::test]
async fn pages_with_their_own_html_offer_the_selection() {
    let provider = password_provider().pages(PagesWithScopes);
    let mut browser = Browser::new(provider.clone());
    let page = browser.open_as(&authorize(&provider, &client("c"), "read write").await, "ada").await;
    let location = browser.press_without(&page, &["read"], "approve").await.location();
    assert_eq!(redeem(&provider, &client("c"), &location).await.unwrap().scopes, ["write"]);
}
