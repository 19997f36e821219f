//! The pages of a [`StoredProvider`](super::StoredProvider): login and consent.

mod any_user;
mod attempts;
mod cookie;
mod flow;
mod form;
mod html;
mod login;
mod pages;
mod password;
mod reply;
mod site;

pub use any_user::AnyUser;
pub use html::StandardPages;
pub use login::{Delegation, LoginForm, LoginOutcome, LoginRequest, UserLogin};
pub use pages::{ConsentPages, ConsentView, ErrorView, LoginView, ScopeView};
pub use password::PasswordLogin;

pub(super) use site::Site;
