//! Built-in providers: codes, tokens and consents in a store, with a login page and a consent page.

mod consent;
mod expiring_map;
mod issue;
mod memory;
mod memory_store;
mod provider;
mod records;
mod settings;
mod store;
pub mod testing;
mod token;
mod user;

pub use consent::{
    AnyUser, ConsentPages, ConsentView, Delegation, ErrorView, LoginForm, LoginOutcome, LoginRequest, LoginView,
    PasswordLogin, ScopeChoice, ScopeView, StandardPages, UserLogin,
};
pub use memory::MemoryProvider;
pub use memory_store::MemoryAuthorizationStore;
pub use provider::StoredProvider;
pub use records::{
    BrowserSession, CodeRedemption, NewTokens, PendingAuthorization, RefreshRotation, StoredAccessToken, StoredCode,
    StoredConsent, StoredGrant, StoredRefreshToken,
};
pub use store::AuthorizationStore;
pub use user::User;

pub(super) use expiring_map::ExpiringMap;
