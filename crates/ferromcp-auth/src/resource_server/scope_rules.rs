//! Scopes that requests require, and scopes that imply others.

use std::collections::BTreeMap;

use crate::scopes::{OPENID_SCOPES, is_valid};

/// Maximum number of scopes in a challenge.
const MAX_CHALLENGED: usize = 50;

/// The scope rules of a resource server.
#[derive(Debug, Clone, Default)]
pub(super) struct ScopeRules {
    /// The scopes that each request requires.
    pub(super) required: Vec<String>,
    /// The scopes that a scope implies.
    pub(super) implied: BTreeMap<String, Vec<String>>,
}

impl ScopeRules {
    /// Returns scopes with those that they imply, directly or indirectly.
    pub(super) fn expand(&self, granted: &[String]) -> Vec<String> {
        let mut all = granted.to_vec();
        if self.implied.is_empty() {
            return all;
        }
        let mut next = 0;
        while let Some(scope) = all.get(next) {
            for implied in self.implied.get(scope).into_iter().flatten() {
                if !all.contains(implied) {
                    all.push(implied.clone());
                }
            }
            next += 1;
        }
        all
    }

    /// Returns whether the expanded scopes contain the required ones.
    pub(super) fn is_sufficient(&self, expanded: &[String]) -> bool {
        self.required.iter().all(|scope| expanded.contains(scope))
    }

    /// Returns the scopes of a challenge: those of each request, those of the operation, and those that were granted,
    /// so that a client that requests exactly these loses nothing. Granted scopes that concern the authorization server only
    /// are omitted. The order is always the same.
    pub(super) fn challenge<'a>(&'a self, operation: &[&'a str], granted: &'a [String]) -> Vec<&'a str> {
        let mut scopes: Vec<&str> = Vec::new();
        let granted = granted.iter().map(String::as_str).filter(|scope| !OPENID_SCOPES.contains(scope));
        for scope in self.required.iter().map(String::as_str).chain(operation.iter().copied()).chain(granted) {
            if scopes.len() < MAX_CHALLENGED && is_valid(scope) && !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        scopes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scopes: &[&str]) -> Vec<String> {
        scopes.iter().map(|scope| (*scope).to_owned()).collect()
    }

    #[test]
    fn broad_scopes_imply_narrow_ones() {
        //
        let implied = [("admin", &["write"][..]), ("write", &["read", "list"]), ("list", &["write"])];
        let implied = implied.into_iter().map(|(scope, implied)| (scope.to_owned(), texts(implied))).collect();
        let rules = ScopeRules { required: texts(&["read"]), implied };
        assert_eq!(rules.expand(&texts(&["x", "admin"])), ["x", "admin", "write", "read", "list"]);
        assert!(rules.is_sufficient(&rules.expand(&texts(&["admin"]))));
        assert!(!rules.is_sufficient(&rules.expand(&texts(&["x"]))));
        assert_eq!(ScopeRules::default().expand(&texts(&["x"])), ["x"]);
    }

    #[test]
    fn challenges_contain_required_and_granted_scopes() {
        //
        let rules = ScopeRules { required: texts(&["a", "b"]), ..ScopeRules::default() };
        let granted = texts(&["b", "c", "offline_access", "openid", "bad\"scope"]);
        assert_eq!(rules.challenge(&["d", "e"], &granted), ["a", "b", "d", "e", "c"]);
        let many: Vec<String> = (0..100).map(|i| i.to_string()).collect();
        assert_eq!(rules.challenge(&[], &many).len(), MAX_CHALLENGED);
    }
}
