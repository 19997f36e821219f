//! [`PasswordLogin`]: a login with a name and a password.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use http::StatusCode;

use super::login::{LoginForm, LoginOutcome, LoginRequest, UserLogin};
use crate::Secret;
use crate::authorization_server::builtin::expiring_map::ExpiringMap;
use crate::authorization_server::builtin::user::User;
use crate::authorization_server::provider::ProviderFuture;
use crate::clock::now;
use crate::random::sha256_base64;

/// Maximum number of attempts for one name in a window. A successful login starts again.
const ATTEMPTS_PER_NAME: u32 = 10;
/// Maximum number of attempts from one address (or /64 network of IPv6) in a window.
const ATTEMPTS_PER_ADDRESS: u32 = 50;
/// Length of a window, in seconds.
const WINDOW_SECONDS: u64 = 15 * 60;
/// Maximum number of names and addresses that are counted. The oldest count is then removed.
const MAX_COUNTERS: usize = 20_000;
/// Maximum length of a name and of a password, in bytes.
const MAX_BYTES: usize = 1024;

const FIELDS: &str = r#"<label for="username">User name</label>
<input id="username" name="username" type="text" autocomplete="username" autocapitalize="none" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>"#;

type CheckFuture = Pin<Box<dyn Future<Output = Option<User>> + Send>>;
type Check = dyn Fn(String, Secret) -> CheckFuture + Send + Sync;

/// A login with a name and a password, which a function checks.
///
/// At most 10 attempts for one name and 50 from one address are made in 15 minutes. An attacker can thereby block the
/// login of a name for that time; sessions and tokens are not affected. `Debug` omits the function.
#[must_use = "a login does nothing until it is passed to a provider"]
pub struct PasswordLogin {
    check: Box<Check>,
    attempts: Mutex<ExpiringMap<Attempts>>,
}

struct Attempts {
    count: u32,
    ends_at: u64,
}

impl PasswordLogin {
    /// Creates a login. The function receives the name and the password, and returns the user, or `None` if they are
    /// wrong.
    ///
    /// Compare with a password hash (Argon2, scrypt or bcrypt), and take the same time for unknown names, so that names
    /// cannot be guessed. Names that differ in case or spaces share the limit of attempts.
    pub fn new<F, R>(check: F) -> Self
    where
        F: Fn(String, Secret) -> R + Send + Sync + 'static,
        R: Future<Output = Option<User>> + Send + 'static,
    {
        Self {
            check: Box::new(move |name, password| Box::pin(check(name, password))),
            attempts: Mutex::new(ExpiringMap::new(MAX_COUNTERS)),
        }
    }

    async fn submit(&self, name: &str, password: &str, address: Option<IpAddr>) -> LoginOutcome {
        if name.len() > MAX_BYTES || password.len() > MAX_BYTES {
            return failed();
        }
        let by_name = name_key(name);
        // Counted before the check, so that concurrent attempts do not exceed the limit.
        let is_allowed = self.count(&by_name, ATTEMPTS_PER_NAME)
            && address.is_none_or(|address| self.count(&address_key(address), ATTEMPTS_PER_ADDRESS));
        if !is_allowed {
            tracing::warn!("login rejected: too many attempts");
            let form = LoginForm::new(FIELDS).with_error("Too many attempts. Try again in 15 minutes.");
            return LoginOutcome::ShowForm(form.with_status(StatusCode::TOO_MANY_REQUESTS));
        }
        match (self.check)(name.to_owned(), Secret::new(password)).await {
            Some(user) => {
                self.attempts().remove(&by_name);
                LoginOutcome::Authenticated(user)
            }
            None => failed(),
        }
    }

    /// Counts an attempt. Returns false if there were too many.
    fn count(&self, key: &str, limit: u32) -> bool {
        let now = now();
        let mut attempts = self.attempts();
        if let Some(found) = attempts.get_mut(key).filter(|found| found.ends_at > now) {
            found.count = found.count.saturating_add(1);
            return found.count <= limit;
        }
        let ends_at = now.saturating_add(WINDOW_SECONDS);
        attempts.insert(key, Attempts { count: 1, ends_at }, ends_at, now);
        true
    }

    fn attempts(&self) -> std::sync::MutexGuard<'_, ExpiringMap<Attempts>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed() -> LoginOutcome {
    LoginOutcome::ShowForm(LoginForm::new(FIELDS).with_error("The user name or the password is wrong."))
}

/// Returns the key of a name. It is a digest, so that its length is bounded.
fn name_key(name: &str) -> String {
    format!("n{}", sha256_base64(name.trim().to_lowercase().as_bytes()))
}

fn address_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("a{address}"),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("a{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

impl UserLogin for PasswordLogin {
    fn login<'a>(&'a self, request: LoginRequest<'a>) -> ProviderFuture<'a, LoginOutcome> {
        Box::pin(async move {
            if request.form.is_none() {
                return Ok(LoginOutcome::ShowForm(LoginForm::new(FIELDS)));
            }
            let (Some(name), Some(password)) = (request.field("username"), request.field("password")) else {
                return Ok(failed());
            };
            Ok(self.submit(name, password, request.address).await)
        })
    }
}

impl fmt::Debug for PasswordLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordLogin").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn login() -> (PasswordLogin, Arc<AtomicU32>) {
        let checks = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&checks);
        let login = PasswordLogin::new(move |name, password| {
            counter.fetch_add(1, Ordering::Relaxed);
            async move { (password.expose() == "right").then(|| User::new(name)) }
        });
        (login, checks)
    }

    fn is_limited(outcome: &LoginOutcome) -> bool {
        matches!(outcome, LoginOutcome::ShowForm(form) if form.status == StatusCode::TOO_MANY_REQUESTS)
    }

    #[tokio::test]
    async fn trap_brute_force_of_one_name() {
        let (login, checks) = login();
        for n in 0..30 {
            // Neither the address nor the spelling of the name gives further attempts.
            let name = if n % 2 == 0 { "ada" } else { " ADA" };
            let outcome = login.submit(name, "wrong", Some(IpAddr::from([10, 0, 0, n]))).await;
            assert_eq!(is_limited(&outcome), u32::from(n) >= ATTEMPTS_PER_NAME);
        }
        assert_eq!(checks.load(Ordering::Relaxed), ATTEMPTS_PER_NAME);
        assert!(is_limited(&login.submit("ada", "right", None).await), "the right password is rejected too");
    }

    #[tokio::test]
    async fn trap_brute_force_of_many_names() {
        let (login, checks) = login();
        for n in 0..100u16 {
            // All addresses of one /64 network.
            let address = IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, n]);
            let outcome = login.submit(&format!("user{n}"), "wrong", Some(address)).await;
            assert_eq!(is_limited(&outcome), u32::from(n) >= ATTEMPTS_PER_ADDRESS);
        }
        assert_eq!(checks.load(Ordering::Relaxed), ATTEMPTS_PER_ADDRESS);
    }

    #[tokio::test]
    async fn success_resets_the_attempts_of_the_name_only() {
        let (login, _) = login();
        let address = Some(IpAddr::from([10, 0, 0, 1]));
        for n in 0..ATTEMPTS_PER_ADDRESS {
            let outcome = login.submit("ada", if n % 5 == 4 { "right" } else { "wrong" }, address).await;
            assert_eq!(matches!(outcome, LoginOutcome::Authenticated(_)), n % 5 == 4);
        }
        assert!(is_limited(&login.submit("ada", "right", address).await), "the address has its own limit");
    }

    #[tokio::test]
    async fn long_names_and_passwords_are_not_checked() {
        let (login, checks) = login();
        login.submit(&"x".repeat(MAX_BYTES + 1), "right", None).await;
        login.submit("ada", &"x".repeat(MAX_BYTES + 1), None).await;
        assert_eq!(checks.load(Ordering::Relaxed), 0);
    }
}
