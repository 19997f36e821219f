//! [`PasswordLogin`]: a login with a name and a password.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use http::StatusCode;

use super::attempts::Attempts;
use super::login::{LoginForm, LoginOutcome, LoginRequest, UserLogin};
use crate::Secret;
use crate::authorization_server::builtin::user::User;
use crate::authorization_server::provider::ProviderFuture;

/// Maximum length of a name and of a password, in bytes.
const MAX_BYTES: usize = 1024;

const FIELDS: &str = r#"<label for="username">User name</label>
<input id="username" name="username" type="text" autocomplete="username" autocapitalize="none" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>"#;

type CheckFuture = Pin<Box<dyn Future<Output = Option<User>> + Send>>;
type Check = dyn Fn(String, Secret) -> CheckFuture + Send + Sync;
type ActiveFuture = Pin<Box<dyn Future<Output = bool> + Send>>;
type ActiveCheck = dyn Fn(User) -> ActiveFuture + Send + Sync;

/// A login with a name and a password, which a function checks.
///
/// At most 10 failed attempts for one name and 50 from one address (or /64 network of IPv6) are possible in 15 minutes.
/// An attacker can thereby block the login of a name for that time; sessions and tokens are not affected. Behind a
/// reverse proxy, set `HttpServerOptions::trust_proxy`, or [`trust_proxy`](Self::trust_proxy) if another HTTP server serves
/// the routes. `Debug` omits the function.
#[must_use = "a login does nothing until it is passed to a provider"]
pub struct PasswordLogin {
    check: Box<Check>,
    active_check: Option<Box<ActiveCheck>>,
    attempts: Attempts,
    proxies: Vec<IpAddr>,
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
        let check: Box<Check> = Box::new(move |name, password| Box::pin(check(name, password)));
        Self { check, active_check: None, attempts: Attempts::new(), proxies: Vec::new() }
    }

    /// Sets a function that returns whether the account of a user still exists and is not locked. It is called when tokens
    /// are refreshed and when a browser with a session opens a page; if it returns false, the user must log in again.
    /// Without it, refreshes continue until [`StoredProvider::revoke_user`](super::super::StoredProvider::revoke_user) is
    /// called or the grant expires.
    pub fn active_check<F, R>(mut self, function: F) -> Self
    where
        F: Fn(User) -> R + Send + Sync + 'static,
        R: Future<Output = bool> + Send + 'static,
    {
        self.active_check = Some(Box::new(move |user| Box::pin(function(user))));
        self
    }

    /// Trusts the headers `X-Forwarded-For` and `Forwarded` of a proxy, which must replace or extend them. The address whose
    /// attempts are counted is then that of [`LoginRequest::client_address`]. Without it, all users behind the proxy share
    /// the limit of one address, so that one of them can block the login of all.
    pub fn trust_proxy(mut self, address: IpAddr) -> Self {
        self.proxies.push(address);
        self
    }

    async fn submit(&self, name: &str, password: &str, address: Option<IpAddr>) -> LoginOutcome {
        if name.len() > MAX_BYTES || password.len() > MAX_BYTES {
            return failed();
        }
        if !self.attempts.begin(name, address) {
            tracing::warn!("login rejected: too many attempts");
            let form = LoginForm::new(FIELDS).with_error("Too many attempts. Try again in 15 minutes.");
            return LoginOutcome::ShowForm(form.with_status(StatusCode::TOO_MANY_REQUESTS));
        }
        match (self.check)(name.to_owned(), Secret::new(password)).await {
            Some(user) => {
                self.attempts.succeed(name, address);
                LoginOutcome::Authenticated(user)
            }
            None => failed(),
        }
    }
}

fn failed() -> LoginOutcome {
    LoginOutcome::ShowForm(LoginForm::new(FIELDS).with_error("The user name or the password is wrong."))
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
            Ok(self.submit(name, password, request.client_address(&self.proxies)).await)
        })
    }

    fn is_active<'a>(&'a self, user: &'a User) -> ProviderFuture<'a, bool> {
        Box::pin(async move {
            match &self.active_check {
                Some(check) => Ok(check(user.clone()).await),
                None => Ok(true),
            }
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

    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;
    use crate::authorization_server::builtin::consent::attempts::{ATTEMPTS_PER_ADDRESS, ATTEMPTS_PER_NAME};

    #[tokio::test]
    async fn accounts_can_be_checked_after_the_login() {
        let check = || PasswordLogin::new(|name, _| async { Some(User::new(name)) });
        let [ada, bob] = ["ada", "bob"].map(User::new);
        assert!(check().is_active(&bob).await.unwrap());
        let login = check().active_check(|user| async move { user.subject == "ada" });
        assert!(login.is_active(&ada).await.unwrap() && !login.is_active(&bob).await.unwrap());
    }

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
    async fn trap_successful_logins_block_an_address() {
        // Users behind one address, such as that of a proxy or an office.
        let (login, _) = login();
        let address = Some(IpAddr::from([10, 0, 0, 1]));
        for n in 0..4 * ATTEMPTS_PER_ADDRESS {
            let outcome = login.submit(&format!("user{n}"), "right", address).await;
            assert!(matches!(outcome, LoginOutcome::Authenticated(_)), "{n}");
        }
    }

    #[tokio::test]
    async fn success_resets_the_attempts_of_the_name_only() {
        let (login, checks) = login();
        let address = Some(IpAddr::from([10, 0, 0, 1]));
        let (mut failures, mut n) = (0, 0);
        while failures < ATTEMPTS_PER_ADDRESS {
            n += 1;
            let is_right = n % 5 == 0;
            let outcome = login.submit("ada", if is_right { "right" } else { "wrong" }, address).await;
            assert_eq!(matches!(outcome, LoginOutcome::Authenticated(_)), is_right);
            failures += u32::from(!is_right);
        }
        assert_eq!(checks.load(Ordering::Relaxed), n);
        assert!(is_limited(&login.submit("ada", "right", address).await), "the address has its own limit");
    }

    #[tokio::test]
    async fn trap_login_blocked_for_all_users_of_a_proxy() {
        let (login, _) = login();
        let proxy = IpAddr::from([10, 0, 0, 1]);
        let login = login.trust_proxy(proxy);
        let submit = |peer: [u8; 4], forwarded: &'static str, name: String, password: &'static str| {
            let login = &login;
            async move {
                let headers = HeaderMap::from_iter([(
                    HeaderName::from_static("x-forwarded-for"),
                    HeaderValue::from_static(forwarded),
                )]);
                let form = [("username".to_owned(), name), ("password".to_owned(), password.to_owned())];
                let request = LoginRequest {
                    headers: &headers,
                    address: Some(peer.into()),
                    form: Some(&form),
                    callback: None,
                    state: "",
                    browser_secret: "",
                    callback_url: "",
                };
                login.login(request).await.unwrap()
            }
        };
        // The attacker writes the first entry, the proxy the second one.
        for n in 0..=ATTEMPTS_PER_ADDRESS {
            let forwarded = if n % 2 == 0 { "198.51.100.9, 192.0.2.1:4711" } else { "192.0.2.1, 10.0.0.1" };
            let outcome = submit([10, 0, 0, 1], forwarded, format!("user{n}"), "wrong").await;
            assert_eq!(is_limited(&outcome), n >= ATTEMPTS_PER_ADDRESS);
        }
        for forwarded in ["192.0.2.2", "192.0.2.2:80", "198.51.100.9", "[2001:db8::17]:80", "not an address"] {
            let outcome = submit([10, 0, 0, 1], forwarded, "ada".to_owned(), "right").await;
            assert!(matches!(outcome, LoginOutcome::Authenticated(_)), "{forwarded}");
        }
        // A client that is not a proxy cannot name another address.
        for n in 0..=ATTEMPTS_PER_ADDRESS {
            let forwarded = if n % 2 == 0 { "203.0.113.1" } else { "203.0.113.2" };
            let outcome = submit([192, 0, 2, 3], forwarded, format!("guess{n}"), "wrong").await;
            assert_eq!(is_limited(&outcome), n >= ATTEMPTS_PER_ADDRESS);
        }
    }

    #[tokio::test]
    async fn long_names_and_passwords_are_not_checked() {
        let (login, checks) = login();
        login.submit(&"x".repeat(MAX_BYTES + 1), "right", None).await;
        login.submit("ada", &"x".repeat(MAX_BYTES + 1), None).await;
        assert_eq!(checks.load(Ordering::Relaxed), 0);
    }
}
