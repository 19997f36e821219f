//! [`Effects`]: records the side effects of a server under test.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::client_mode::ClientMode;

/// A list of side effects. Add it to the server as state and record each effect that must run once.
///
/// Clones share the list.
///
/// ```
/// use ferromcp_server::testing::Effects;
///
/// let effects = Effects::new();
/// effects.record("paid");
/// assert_eq!(effects.count("paid"), 1);
/// ```
#[derive(Clone, Default)]
pub struct Effects(Arc<Mutex<Vec<String>>>);

impl Effects {
    /// Creates an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records an effect.
    pub fn record(&self, what: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what.into());
    }

    /// Returns all recorded effects, in order.
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns how often an effect was recorded.
    pub fn count(&self, what: &str) -> usize {
        self.all().iter().filter(|done| *done == what).count()
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Effects").field(&self.all()).finish()
    }
}

/// Compares the effects of one mode with those of live mode.
///
/// # Errors
/// Returns a message if an effect ran more or less often than in live mode.
pub(super) fn compare(live: &[String], happened: &[String], mode: ClientMode) -> Result<(), String> {
    let (live, happened) = (counted(live), counted(happened));
    for (what, count) in &happened {
        let once = live.get(what).copied().unwrap_or_default();
        if *count > once {
            return Err(format!(
                "effect `{what}` ran {count} times in {mode:?} but {once} times live: it precedes a question; wrap it in \
                 `ctx.once(..)`"
            ));
        }
    }
    for (what, count) in &live {
        let here = happened.get(what).copied().unwrap_or_default();
        if here < *count {
            return Err(format!("effect `{what}` ran {here} times in {mode:?} but {count} times live"));
        }
    }
    Ok(())
}

fn counted(effects: &[String]) -> BTreeMap<&str, usize> {
    effects.iter().fold(BTreeMap::new(), |mut counts, what| {
        *counts.entry(what.as_str()).or_default() += 1;
        counts
    })
}
