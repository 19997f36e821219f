//! The scopes that the requests of a session had. Its stored events may depend on them.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::principal::Principal;

/// Maximum number of scopes of a session. With more, no stream of the session can be resumed.
const MAX_SCOPES: usize = 256;

/// The scopes of all access tokens of a session: only a token with all of them may receive its stored events.
#[derive(Default)]
pub(super) struct SessionScopes(Mutex<BTreeSet<String>>);

impl SessionScopes {
    /// Adds the scopes of a request, if it has an access token.
    pub(super) fn add(&self, principal: Option<&Principal>) {
        let Some(principal) = principal.filter(|principal| !principal.scopes().is_empty()) else { return };
        let mut all = self.lock();
        for scope in principal.scopes() {
            if all.len() <= MAX_SCOPES && !all.contains(scope) {
                all.insert(scope.clone());
            }
        }
    }

    /// Returns whether the access token of a request grants all scopes.
    pub(super) fn are_granted_to(&self, principal: Option<&Principal>) -> bool {
        let all = self.lock();
        all.len() <= MAX_SCOPES && all.iter().all(|scope| principal.is_some_and(|principal| principal.has_scope(scope)))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_bounded_and_all_required() {
        let scopes = SessionScopes::default();
        assert!(scopes.are_granted_to(None), "an endpoint without authorization");
        let token = |names: &[&str]| Principal::new("ada").with_scopes(names);
        scopes.add(None);
        scopes.add(Some(&token(&["a"])));
        scopes.add(Some(&token(&["a", "b"])));
        assert!(scopes.are_granted_to(Some(&token(&["c", "b", "a"]))));
        assert!(!scopes.are_granted_to(Some(&token(&["a"]))) && !scopes.are_granted_to(None));
        let many: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
        scopes.add(Some(&Principal::new("ada").with_scopes(&many)));
        assert_eq!(scopes.lock().len(), MAX_SCOPES + 1);
        assert!(!scopes.are_granted_to(Some(
            &Principal::new("ada").with_scopes(many.iter().map(String::as_str).chain(["a", "b"]))
        )));
    }
}
