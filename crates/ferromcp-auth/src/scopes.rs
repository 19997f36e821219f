//! Sets of scopes, in the order in which they were added.

use std::fmt;

/// The scope with which a client requests a refresh token: OpenID Connect Core, section 11.
pub(crate) const OFFLINE_ACCESS: &str = "offline_access";

/// Scopes that concern the authorization server only, not the access token: OpenID Connect Core, sections 3.1.2.1, 5.4
/// and 11.
pub(crate) const OPENID_SCOPES: [&str; 6] = ["openid", "profile", "email", "address", "phone", OFFLINE_ACCESS];

/// Maximum number of scopes of a request.
const MAX_SCOPES: usize = 200;

/// A set of scopes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scopes(Vec<String>);

impl Scopes {
    /// Parses scopes separated by spaces. Invalid scopes are omitted.
    pub(crate) fn parse(text: &str) -> Self {
        text.split([' ', '\t', '\n']).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(crate) fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|other| other == scope)
    }

    pub(crate) fn contains_all(&self, other: &Self) -> bool {
        other.0.iter().all(|scope| self.contains(scope))
    }

    /// Adds the scopes of another set.
    pub(crate) fn union(mut self, other: &Self) -> Self {
        for scope in &other.0 {
            self.add(scope);
        }
        self
    }

    pub(crate) fn add(&mut self, scope: &str) {
        if self.0.len() < MAX_SCOPES && is_valid(scope) && !self.contains(scope) {
            self.0.push(scope.to_owned());
        }
    }
}

impl<S: AsRef<str>> FromIterator<S> for Scopes {
    fn from_iter<I: IntoIterator<Item = S>>(scopes: I) -> Self {
        let mut set = Self::default();
        for scope in scopes {
            set.add(scope.as_ref());
        }
        set
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

/// Returns whether a text is a scope: RFC 6749, section 3.3.
pub(crate) fn is_valid(scope: &str) -> bool {
    !scope.is_empty() && scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn union_preserves_order_and_omits_duplicates() {
        //
        let union = Scopes::parse("a b").union(&Scopes::parse("b  c"));
        assert_eq!(union.to_string(), "a b c");
        assert!(union.contains_all(&Scopes::parse("c a")) && !union.contains_all(&Scopes::parse("d")));
    }

    #[test]
    fn invalid_scopes_are_omitted() {
        assert_eq!(Scopes::parse("a \"b\" \u{e9} c\\").to_string(), "a");
        assert!(Scopes::parse(" ").is_empty());
    }

    fn scopes() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec("[a-e:]{1,2}|[!-~]{1,6}|\\PC{0,3}", 0..12)
    }

    proptest! {
        //
        #[test]
        fn union_contains_each_valid_scope_once(first in scopes(), second in scopes()) {
            let [a, b]: [Scopes; 2] = [&first, &second].map(|scopes| scopes.iter().collect());
            let union = a.clone().union(&b);
            prop_assert!(union.contains_all(&a) && union.contains_all(&b));
            prop_assert!(union.0.starts_with(&a.0), "the order is preserved");
            for (i, scope) in union.0.iter().enumerate() {
                prop_assert!(is_valid(scope) && !union.0[..i].contains(scope), "{:?}", union);
                prop_assert!(first.contains(scope) || second.contains(scope));
            }
            prop_assert_eq!(union.clone().union(&a).union(&b), union.clone());
            prop_assert_eq!(Scopes::parse(&union.to_string()), union);
        }

        #[test]
        fn number_of_scopes_is_limited(count in 0..3 * MAX_SCOPES, extra in 0..MAX_SCOPES) {
            let many: Scopes = (0..count).map(|i| format!("scope-{i}")).collect();
            prop_assert_eq!(many.0.len(), count.min(MAX_SCOPES));
            let other: Scopes = (0..extra).map(|i| format!("other-{i}")).collect();
            let union = many.clone().union(&other);
            prop_assert_eq!(union.0.len(), (many.0.len() + extra).min(MAX_SCOPES));
            prop_assert!(union.contains_all(&many), "scopes that were requested first are kept");
        }
    }
}
