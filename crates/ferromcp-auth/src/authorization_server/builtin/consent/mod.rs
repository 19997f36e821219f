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
mod selection;
mod site;
mod views;
mod visit;

pub use any_user::AnyUser;
pub use html::StandardPages;
pub use login::{Delegation, LoginForm, LoginOutcome, LoginRequest, UserLogin};
pub use pages::ConsentPages;
pub use password::PasswordLogin;
pub use views::{ConsentView, ErrorView, LoginView, ScopeChoice, ScopeView};

pub(super) use site::Site;
