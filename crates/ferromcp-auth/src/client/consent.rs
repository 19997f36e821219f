//! Whether authorization requests ask for consent, so that the server issues a refresh token.
//!
//! Some OpenID providers ignore the scope `offline_access` without `prompt=consent` (OpenID Connect Core, section 11). Others
//! issue a refresh token without it, and show a needless page with it, or one on which only an administrator can consent
//! (Microsoft Entra). The metadata of both are alike. Therefore the parameter is sent only after a login without a
//! refresh token in the response, and not again if the response with it has none either.

use serde::{Deserialize, Serialize};

/// Whether an authorization server issues refresh tokens only with `prompt=consent`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Consent {
    /// It was not requested yet.
    #[default]
    Unknown,
    /// A login with it returned a refresh token.
    Required,
    /// A login with it failed, or returned no refresh token.
    Useless,
}

impl Consent {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the field")]
    pub(crate) fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }
}
