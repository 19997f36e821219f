//! The settings of a [`StoredProvider`](super::StoredProvider).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::authorization_server::client::RegisteredClient;
use crate::clock;
use crate::error::AuthError;

/// Minimum lifetime of a code, in seconds: a client needs some time to send it.
const MIN_CODE_SECONDS: u64 = 60;
/// Maximum lifetime of a code, in seconds (RFC 6749, section 4.1.2).
const MAX_CODE_SECONDS: u64 = 600;
/// Maximum grace time, in seconds: a longer one weakens the detection of stolen refresh tokens.
const MAX_GRACE_SECONDS: u64 = 60;

/// Maximum lifetime, in seconds (100 years of 365 days), so that each time fits into a signed 64-bit column of a store.
const MAX_SECONDS: u64 = 100 * 365 * 24 * 60 * 60;

/// How long a user has for the login and the consent, in seconds; and again for the login at another server.
pub(super) const PENDING_SECONDS: u64 = 600;

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) code_seconds: u64,
    pub(super) access_seconds: u64,
    pub(super) refresh_seconds: u64,
    pub(super) grant_seconds: u64,
    pub(super) grace_seconds: u64,
    /// How long consents are remembered. `None`: not at all.
    pub(super) consent_seconds: Option<u64>,
    /// Whether authorizations are granted without a page.
    pub(super) auto_approve: bool,
    /// Clients that the operator has registered.
    pub(super) clients: Vec<RegisteredClient>,
    /// Descriptions of scopes.
    pub(super) scope_descriptions: Vec<(String, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self {
            code_seconds: 300,
            access_seconds: 3600,
            refresh_seconds: 30 * DAY,
            grant_seconds: 365 * DAY,
            grace_seconds: 10,
            consent_seconds: None,
            auto_approve: false,
            clients: Vec::new(),
            scope_descriptions: Vec::new(),
        }
    }
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), AuthError> {
        let invalid = |setting: &str, seconds: u64, range: String| {
            Err(AuthError::configuration(format!("cannot use a {setting} of {seconds} seconds; set {range}")))
        };
        if !(MIN_CODE_SECONDS..=MAX_CODE_SECONDS).contains(&self.code_seconds) {
            let range = format!("{MIN_CODE_SECONDS} to {MAX_CODE_SECONDS} seconds");
            return invalid("code lifetime", self.code_seconds, range);
        }
        if self.grace_seconds > MAX_GRACE_SECONDS {
            return invalid("refresh grace time", self.grace_seconds, format!("at most {MAX_GRACE_SECONDS} seconds"));
        }
        for (setting, seconds) in [
            ("access token lifetime", self.access_seconds),
            ("refresh token lifetime", self.refresh_seconds),
            ("grant lifetime", self.grant_seconds),
        ] {
            if seconds == 0 {
                return invalid(setting, seconds, "at least one second".to_owned());
            }
        }
        Ok(())
    }
}

/// Returns the whole seconds of a setting, at most [`MAX_SECONDS`].
pub(super) fn seconds(duration: Duration) -> u64 {
    duration.as_secs().min(MAX_SECONDS)
}

/// The wall clock, with an offset that tests set.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(super) fn now(&self) -> u64 {
        clock::now().saturating_add(self.0.load(Ordering::Relaxed))
    }

    #[cfg(test)]
    pub(super) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_outside_of_their_range_are_errors() {
        //
        assert!(Settings::default().check().is_ok());
        for (settings, text) in [
            (Settings { code_seconds: 59, ..Settings::default() }, "60 to 600"),
            (Settings { code_seconds: 601, ..Settings::default() }, "60 to 600"),
            (Settings { grace_seconds: 61, ..Settings::default() }, "at most 60"),
            (Settings { access_seconds: 0, ..Settings::default() }, "access token lifetime"),
            (Settings { refresh_seconds: 0, ..Settings::default() }, "refresh token lifetime"),
        ] {
            assert!(settings.check().unwrap_err().to_string().contains(text));
        }
    }

    #[test]
    fn times_fit_into_signed_integers_when_a_lifetime_is_unlimited() {
        let lifetime = seconds(Duration::MAX);
        assert!(i64::try_from(clock::now() + lifetime).is_ok());
        assert!(Settings { access_seconds: lifetime, grant_seconds: lifetime, ..Settings::default() }.check().is_ok());
    }
}
