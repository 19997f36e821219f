//! MCP's header fields as header maps know them: made once, so that no lookup spells a name out again.

use ferromcp_core::header::field::lower;
use http::HeaderName;

/// The session of a legacy connection.
pub(crate) static SESSION_ID: HeaderName = HeaderName::from_static(lower::SESSION_ID);
/// The revision a request is written in.
pub(crate) static PROTOCOL_VERSION: HeaderName = HeaderName::from_static(lower::PROTOCOL_VERSION);
/// The message's method.
pub(crate) static METHOD: HeaderName = HeaderName::from_static(lower::METHOD);
/// What a request is about.
pub(crate) static NAME: HeaderName = HeaderName::from_static(lower::NAME);
