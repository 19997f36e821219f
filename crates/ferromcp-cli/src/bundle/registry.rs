//! `server.json` of the MCP Registry, with the schema of 2025-12-11.

use ferromcp_core::text::excerpt;
use serde_json::{Value, json};
use url::Url;

use super::manifest::Manifest;
use crate::exit::Failure;

const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";

/// Limits of the schema, in characters.
const MAX_NAME: usize = 200;
const MAX_TEXT: usize = 100;
const MAX_VERSION: usize = 255;

/// The hosts from which the registry accepts bundles.
const HOSTS: [&str; 4] = ["github.com", "www.github.com", "gitlab.com", "www.gitlab.com"];

/// The name and the URL of a bundle in the registry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Registration<'a> {
    name: &'a str,
    url: &'a str,
}

impl<'a> Registration<'a> {
    /// Checks the name and the URL.
    ///
    /// # Errors
    /// Fails if the registry would reject one of them.
    pub(crate) fn new(name: &'a str, url: &'a str) -> Result<Self, Failure> {
        if !is_name(name) {
            let name = excerpt(name);
            return Err(Failure::usage(format!(
                "cannot use the registry name `{name}`: it is not a domain in reverse order, `/` and a name; write for \
                 example io.github.user/server"
            )));
        }
        let host = Url::parse(url).ok().filter(|url| url.scheme() == "https");
        let is_known = host.as_ref().and_then(Url::host_str).is_some_and(|host| HOSTS.contains(&host));
        if !is_known || !url.to_ascii_lowercase().contains("mcp") {
            let url = excerpt(url);
            return Err(Failure::usage(format!(
                "cannot use the URL `{url}`: the registry accepts bundles of releases on https://github.com and \
                 https://gitlab.com whose URL contains `mcp`; use the URL of such a release"
            )));
        }
        Ok(Self { name, url })
    }

    /// Returns `server.json`. `sha256` is the digest of the bundle.
    ///
    /// # Errors
    /// Fails if the version is not a specific one.
    pub(crate) fn to_json(self, manifest: &Manifest<'_>, sha256: &str) -> Result<Value, Failure> {
        let version = manifest.version();
        if !is_version(version) {
            let version = excerpt(version);
            return Err(Failure::usage(format!(
                "cannot use the version `{version}`: the registry accepts one version, not `latest` or a range; change \
                 the version of the server"
            )));
        }
        let mut package = json!({
            "registryType": "mcpb",
            "identifier": self.url,
            "version": version,
            "fileSha256": sha256,
            "transport": { "type": "stdio" },
        });
        if !manifest.variables.is_empty() {
            let variables = manifest.variables.iter();
            package["environmentVariables"] = variables.map(super::variable::Variable::registry_input).collect();
        }
        let mut server = json!({
            "$schema": SCHEMA,
            "name": self.name,
            "title": shorten(manifest.display_name()),
            "description": shorten(manifest.description()?),
            "version": version,
        });
        let repository = manifest.package.repository.as_deref();
        for source in ["github", "gitlab"] {
            let prefix = format!("https://{source}.com/");
            if let Some(url) = repository.filter(|url| url.starts_with(&prefix)) {
                server["repository"] = json!({ "url": url, "source": source });
            }
        }
        server["packages"] = json!([package]);
        Ok(server)
    }
}

fn is_name(name: &str) -> bool {
    let valid = |text: &str, other: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || other.contains(c))
    };
    name.len() <= MAX_NAME
        && name.split_once('/').is_some_and(|(domain, name)| valid(domain, ".-") && valid(name, "._-"))
}

fn is_version(version: &str) -> bool {
    let is_range = version.starts_with(['^', '~', '<', '>', '=']) || version.contains(['*', '|', ' ']);
    let is_wildcard = version.split('.').any(|part| part.eq_ignore_ascii_case("x"));
    !version.is_empty() && version.len() <= MAX_VERSION && version != "latest" && !is_range && !is_wildcard
}

/// Returns the first line of a text, with at most [`MAX_TEXT`] characters.
fn shorten(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default().trim_end();
    if line.chars().count() <= MAX_TEXT {
        return line.to_owned();
    }
    let start: String = line.chars().take(MAX_TEXT - 1).collect();
    format!("{}…", start.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_urls_are_checked() {
        let url = "https://github.com/ada/demo/releases/download/v1/demo.mcpb";
        Registration::new("io.github.ada/demo", url).unwrap();
        for name in
            ["demo", "io.github.ada/", "/demo", "a/b/c", "io.github.ada/de mo", &format!("a/{}", "x".repeat(199))]
        {
            let error = Registration::new(name, url).unwrap_err().to_string();
            assert!(error.contains("write for example io.github.user/server"), "{error}");
        }
        for url in ["demo.mcpb", "http://github.com/a.mcpb", "https://example.com/a.mcpb", "https://github.com/a.zip"] {
            assert!(Registration::new("a/b", url).unwrap_err().to_string().contains("cannot use the URL"), "{url}");
        }
    }

    #[test]
    fn ranges_are_rejected_as_versions() {
        for version in ["1.0.0", "2.1.0-alpha", "2026.12"] {
            assert!(is_version(version), "{version}");
        }
        for version in ["", "latest", "^1.2.3", "~1", ">=1.2", "1.x", "1.*", "1 || 2", &"1".repeat(256)] {
            assert!(!is_version(version), "{version}");
        }
    }

    #[test]
    fn text_is_shortened_when_it_is_longer_than_the_limit() {
        assert_eq!(shorten(" one \n two"), "one");
        let long = shorten(&"ä".repeat(101));
        assert_eq!(long.chars().count(), 100);
        assert!(long.ends_with('…'));
    }
}
