//! [`LoginStep`], the progress of a login.

/// A completed step of a login, for [`OAuthOptions::on_step`](super::OAuthOptions::on_step). Contains no secrets. The texts
/// are those of the servers; escape them before they are shown.
///
/// Steps that a grant does not have are omitted. A login that is repeated, for example because the server has forgotten the
/// registration of the client, repeats steps.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginStep {
    /// The MCP server requires a token.
    #[non_exhaustive]
    Challenged {
        /// The URL of the protected resource metadata, if the challenge names one.
        resource_metadata: Option<String>,
        /// The scopes that the challenge requests.
        scope: Option<String>,
    },
    /// The authorization server is known.
    #[non_exhaustive]
    Discovered {
        /// The identifier of the MCP server.
        resource: String,
        /// The authorization server.
        issuer: String,
        /// The URL of its authorization page.
        authorization_endpoint: Option<String>,
        /// The URL of its token endpoint.
        token_endpoint: Option<String>,
        /// The scopes that the MCP server supports.
        scopes_supported: Vec<String>,
    },
    /// The client has an identity at the authorization server.
    #[non_exhaustive]
    Identified {
        /// The client ID.
        client_id: String,
        /// Whether the client ID is from dynamic registration, a client ID metadata document, or the options.
        source: ClientIdSource,
    },
    /// The user has authorized the client.
    CodeReceived,
    /// The authorization server has issued tokens.
    #[non_exhaustive]
    TokensReceived {
        /// The granted scopes.
        scope: String,
        /// When the access token expires, in seconds since the Unix epoch.
        expires_at: Option<u64>,
        /// Whether there is a refresh token.
        has_refresh_token: bool,
        /// Whether the tokens are bound to a key (RFC 9449).
        is_dpop_bound: bool,
    },
}

/// Origin of a client ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientIdSource {
    /// The options of the client.
    Configured,
    /// The URL of a client ID metadata document.
    MetadataDocument,
    /// Dynamic client registration (RFC 7591), now or in an earlier login.
    Registered,
}
