//! The scopes of a consent page, and those that the user selects.

use ferromcp_core::text::excerpt;

use super::views::{ScopeChoice, ScopeView};
use crate::authorization_server::provider::AuthorizationRequest;

/// The name of the checkboxes. Their value is the position of the scope in the request.
pub(super) const SCOPE_FIELD: &str = "scope";
/// The hidden field of a form with checkboxes. Browsers send nothing for a checkbox that is not checked, so that a form
/// without this field is that of a page without checkboxes.
pub(super) const SELECTION_FIELD: &str = "select_scopes";

/// Returns the scopes that the user selected and those that cannot be deselected, or all scopes if the page has no
/// checkboxes. `None` if none remains. Values that are not those of a checkbox are ignored.
pub(super) fn selected(request: &AuthorizationRequest, form: &[(String, String)]) -> Option<Vec<String>> {
    if !form.iter().any(|(name, _)| name == SELECTION_FIELD) {
        return Some(request.scopes.clone());
    }
    let is_checked = |position: usize| {
        let value = position.to_string();
        form.iter().any(|(name, other)| name == SCOPE_FIELD && *other == value)
    };
    let scopes = request.scopes.iter().enumerate();
    let scopes = scopes.filter(|(position, scope)| !is_optional(request, scope) || is_checked(*position));
    let scopes: Vec<String> = scopes.map(|(_, scope)| scope.clone()).collect();
    (!scopes.is_empty() || request.scopes.is_empty()).then_some(scopes)
}

/// Returns the scopes for display. The checkboxes are checked if `is_selected` is true.
pub(super) fn views(
    request: &AuthorizationRequest,
    descriptions: &[(String, String)],
    is_selected: bool,
) -> Vec<ScopeView> {
    let view = |(position, scope): (usize, &String)| ScopeView {
        choice: is_optional(request, scope).then(|| ScopeChoice { value: position.to_string(), is_selected }),
        ..view(scope, descriptions)
    };
    request.scopes.iter().enumerate().map(view).collect()
}

/// Returns a scope for display, without a checkbox.
pub(super) fn view(scope: &str, descriptions: &[(String, String)]) -> ScopeView {
    ScopeView {
        name: excerpt(scope).to_string(),
        description: descriptions.iter().find(|(name, _)| name == scope).map(|(_, text)| text.clone()),
        choice: None,
    }
}

/// Returns whether the user can deselect a scope. A consent to nothing is a denial, for which there is a button.
fn is_optional(request: &AuthorizationRequest, scope: &str) -> bool {
    request.scopes.len() > 1 && !request.required_scopes.iter().any(|required| required == scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(scopes: &str, required: &str) -> AuthorizationRequest {
        let list = |text: &str| text.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect();
        let mut request = AuthorizationRequest::new("i", "c", "u", "x", "r");
        request.scopes = list(scopes);
        request.required_scopes = list(required);
        request
    }

    fn select(request: &AuthorizationRequest, form: &str) -> Option<String> {
        let fields: Vec<_> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        selected(request, &fields).map(|scopes| scopes.join(" "))
    }

    #[test]
    fn selection_contains_checked_and_required_scopes() {
        for (scopes, required, form, expected) in [
            ("read write admin", "read", "", Some("read write admin")),
            ("read write admin", "read", "scope=1", Some("read write admin")),
            ("read write admin", "read", "select_scopes=1", Some("read")),
            ("read write admin", "read", "select_scopes=1&scope=2", Some("read admin")),
            ("read write admin", "", "select_scopes=1&scope=1&scope=1", Some("write")),
            ("read write admin", "", "select_scopes=1", None),
            ("read", "", "select_scopes=1", Some("read")),
            ("", "", "select_scopes=1", Some("")),
        ] {
            assert_eq!(select(&request(scopes, required), form).as_deref(), expected, "{scopes} {required} {form}");
        }
    }

    #[test]
    fn trap_forged_scopes_in_the_form() {
        let request = request("read write", "");
        for forged in ["2", "-1", "admin", "write", "01", "+1", "1 ", "", "99999999999999999999"] {
            let form = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("select_scopes", "1"), ("scope", "0"), ("scope", forged)])
                .finish();
            assert_eq!(select(&request, &form).as_deref(), Some("read"), "{forged}");
        }
    }

    #[test]
    fn required_and_single_scopes_have_no_checkbox() {
        let values = |request: &AuthorizationRequest| -> Vec<Option<String>> {
            views(request, &[], true).into_iter().map(|scope| scope.choice.map(|choice| choice.value)).collect()
        };
        assert_eq!(values(&request("read write", "read")), [None, Some("1".to_owned())]);
        assert_eq!(values(&request("read", "")), [None]);
    }
}
