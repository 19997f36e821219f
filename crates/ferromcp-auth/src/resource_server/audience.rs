//! Checks that an access token was issued for this server: RFC 8707.

use std::borrow::Cow;

/// Audiences that identify no particular server.
const GENERIC: [&str; 7] = ["*", "account", "all", "api", "default", "mcp", "server"];

/// The audiences that a resource server accepts.
#[derive(Debug, Clone)]
pub(super) enum Audiences {
    /// Any, including none.
    Unchecked,
    /// One of these, normalized.
    OneOf(Vec<String>),
}

impl Audiences {
    /// Returns whether one of the audiences of a token is accepted.
    pub(super) fn accept(&self, audiences: &[String]) -> bool {
        match self {
            Self::Unchecked => true,
            Self::OneOf(accepted) => {
                audiences.iter().any(|audience| accepted.iter().any(|it| *it == normalized(audience)))
            }
        }
    }
}

/// Returns an audience with the scheme and host of a URL in lower case, and without one trailing slash. Other audiences
/// are unchanged.
pub(super) fn normalized(audience: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = audience.split_once("://") else { return audience.into() };
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return audience.into();
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if [scheme, host].iter().any(|part| part.bytes().any(|byte| byte.is_ascii_uppercase())) {
        return format!("{}://{}{path}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase()).into();
    }
    audience.strip_suffix('/').unwrap_or(audience).into()
}

/// Returns whether tokens for other servers can have this audience too.
pub(super) fn is_generic(audience: &str) -> bool {
    audience.trim().is_empty() || GENERIC.iter().any(|generic| audience.eq_ignore_ascii_case(generic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(audience: &str) -> bool {
        let accepted = ["https://mcp.example.com/mcp", "api://x"].map(|it| normalized(it).into_owned());
        Audiences::OneOf(accepted.to_vec()).accept(&["https://other".to_owned(), audience.to_owned()])
    }

    #[test]
    fn only_host_case_and_one_trailing_slash_may_differ() {
        //
        for audience in [
            "https://mcp.example.com/mcp",
            "https://mcp.example.com/mcp/",
            "HTTPS://MCP.Example.com/mcp",
            "HTTPS://MCP.Example.com/mcp/",
            "api://x",
        ] {
            assert!(accepts(audience), "{audience}");
        }
    }

    #[test]
    fn trap_audience_of_another_resource() {
        //
        for audience in [
            "https://mcp.example.com",
            "https://mcp.example.com/",
            "https://mcp.example.com/mcp//",
            "https://mcp.example.com/mcp/x",
            "https://mcp.example.com/MCP",
            "https://mcp.example.com/mcp?x=1",
            "https://mcp.example.com/mcp#x",
            "https://mcp.example.com/x/../mcp",
            "https://mcp.example.com:443/mcp",
            "https://mcp.example.com.evil.com/mcp",
            "https://user@mcp.example.com/mcp",
            "http://mcp.example.com/mcp",
            "https:\\\\mcp.example.com\\mcp",
            " https://mcp.example.com/mcp",
            "mcp.example.com/mcp",
            "API://x",
            "api://x/",
            "api",
            "*",
            "",
        ] {
            assert!(!accepts(audience), "{audience}");
        }
        assert!(!Audiences::OneOf(vec!["https://mcp.example.com/mcp".to_owned()]).accept(&[]));
        assert!(Audiences::Unchecked.accept(&[]));
    }

    #[test]
    fn trap_generic_audience() {
        //
        assert!(is_generic("api") && is_generic("*") && is_generic(" ") && is_generic("Account"));
        assert!(!is_generic("api://x") && !is_generic("6f1d1c1e-0000-4000-8000-000000000000"));
    }
}
