//! What a server did, as far as its test wants to know.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::way::Way;

/// A list of what a server did. Give it to the server as state, and note there what is to happen once. Clones share it.
#[derive(Clone, Default)]
pub struct Effects(Arc<Mutex<Vec<String>>>);

impl Effects {
    /// Nothing has happened yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that something was done.
    pub fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what.into());
    }

    /// All that was done, in order.
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often something was done.
    pub fn count(&self, what: &str) -> usize {
        self.all().iter().filter(|done| *done == what).count()
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Effects").field(&self.all()).finish()
    }
}

/// Holds what happened in one way against what happened live.
///
/// # Panics
/// When something happened more often, or less.
pub(super) fn compare(live: &[String], happened: &[String], way: Way) {
    let (live, happened) = (counted(live), counted(happened));
    for (what, count) in &happened {
        let once = live.get(what).copied().unwrap_or_default();
        assert!(
            *count <= once,
            "`{what}` happened {count} times in {way:?}, and {once} times live: it stands before a question, so put it into \
             `ctx.once(..)`"
        );
    }
    for (what, count) in &live {
        let here = happened.get(what).copied().unwrap_or_default();
        assert!(here >= *count, "`{what}` happened {here} times in {way:?}, and {count} times live");
    }
}

fn counted(effects: &[String]) -> BTreeMap<&str, usize> {
    effects.iter().fold(BTreeMap::new(), |mut counts, what| {
        *counts.entry(what.as_str()).or_default() += 1;
        counts
    })
}
