//! Keys of credential files in the keychain of the operating system.

use keyring::{Entry, Error};
use zeroize::Zeroizing;

use crate::client::StoreKey;
use crate::client::random_key;
use crate::error::AuthError;

impl StoreKey {
    /// Loads the key of an application from the keychain of the operating system, and creates it if it does not exist:
    /// Keychain Services on macOS, the Credential Manager on Windows, the Secret Service on other systems. The system may
    /// ask the user for permission, so that this blocks.
    ///
    /// `application` identifies the key among those of all applications of the user.
    ///
    /// # Errors
    /// Fails if the keychain is missing or locked, or denies access.
    pub fn from_keychain(application: &str) -> Result<Self, AuthError> {
        let failed = |error: Error| {
            AuthError::store(
                "cannot use the keychain of the operating system; unlock it, or use a `FileStore` without it",
            )
            .with_source(error)
        };
        let entry = Entry::new(application, "credential store key").map_err(failed)?;
        match entry.get_secret() {
            Ok(key) => Self::from_bytes(&Zeroizing::new(key)),
            Err(Error::NoEntry) => {
                let key = random_key()?;
                entry.set_secret(&*key).map_err(failed)?;
                // Of two processes that create the key at the same time, the last one wins.
                Self::from_bytes(&Zeroizing::new(entry.get_secret().map_err(failed)?))
            }
            Err(error) => Err(failed(error)),
        }
    }
}
