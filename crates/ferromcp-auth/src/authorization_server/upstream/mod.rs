//! Login through another authorization server or OpenID provider (an upstream server).

mod exchange;
#[cfg(any(fuzzing, test))]
pub(super) mod fuzzing;
mod login;
mod options;
mod session;

pub use login::UpstreamLogin;
pub use options::UpstreamOptions;
