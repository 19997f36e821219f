//! The parameters of a scenario: the server URL is the last argument, the others are environment variables.

use ferromcp::client::ClientBuilder;
use ferromcp::core::Revision;
use ferromcp::prelude::*;
use serde_json::Value;

use super::error::BoxError;

/// The parameters of a scenario.
#[derive(Debug)]
pub struct Run {
    url: String,
    scenario: String,
    revision: Revision,
    context: Value,
}

impl Run {
    /// Reads the parameters; `args` are the program arguments without the program name.
    ///
    /// # Errors
    /// When a parameter is missing or invalid.
    pub fn read(
        args: impl Iterator<Item = String>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, BoxError> {
        let url = args.last().ok_or("missing server URL")?;
        let scenario =
            variable("MCP_CONFORMANCE_SCENARIO").ok_or("missing environment variable MCP_CONFORMANCE_SCENARIO")?;
        let revision = match variable("MCP_CONFORMANCE_PROTOCOL_VERSION") {
            Some(name) => Revision::parse(&name).ok_or_else(|| format!("unknown protocol revision `{name}`"))?,
            None => Revision::LATEST,
        };
        let context = variable("MCP_CONFORMANCE_CONTEXT").map(|context| serde_json::from_str(&context)).transpose()?;
        Ok(Self { url, scenario, revision, context: context.unwrap_or_default() })
    }

    pub(super) fn scenario(&self) -> &str {
        &self.scenario
    }

    /// Returns the scenario context, as JSON.
    pub(super) fn context(&self) -> &Value {
        &self.context
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Returns a client builder limited to the revision of the scenario; the suite validates each message against its schema.
    pub(super) fn builder(&self) -> ClientBuilder {
        Client::builder("conformance-client", env!("CARGO_PKG_VERSION")).only_revision(self.revision)
    }

    /// Connects a client with default settings.
    pub(super) async fn client(&self) -> Result<Client, BoxError> {
        self.connect(self.builder()).await
    }

    pub(super) async fn connect(&self, builder: ClientBuilder) -> Result<Client, BoxError> {
        let client = builder.connect(&*self.url).await?;
        if client.revision() != self.revision {
            return Err(format!("negotiated revision {}, expected {}", client.revision(), self.revision).into());
        }
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str], variables: &[(&str, &str)]) -> Result<Run, BoxError> {
        let variable =
            |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        Run::read(args.iter().map(|&arg| arg.to_owned()), variable)
    }

    #[test]
    fn reads_scenario_from_arguments_and_environment() {
        let variables = [
            ("MCP_CONFORMANCE_SCENARIO", "x"),
            ("MCP_CONFORMANCE_PROTOCOL_VERSION", Revision::LATEST_LEGACY.as_str()),
            ("MCP_CONFORMANCE_CONTEXT", r#"{"name":"x"}"#),
        ];
        let run = read(&["--flag", "http://localhost:1/mcp"], &variables).expect("a run");
        assert_eq!((&*run.url, run.scenario(), run.revision), ("http://localhost:1/mcp", "x", Revision::LATEST_LEGACY));
        assert_eq!(run.context()["name"], "x");
        assert_eq!(read(&["u"], &variables[..1]).expect("a run").context(), &Value::Null);
    }

    #[test]
    fn rejects_missing_or_invalid_settings() {
        let scenario = ("MCP_CONFORMANCE_SCENARIO", "x");
        assert!(read(&[], &[scenario]).is_err());
        assert!(read(&["u"], &[]).is_err());
        assert!(read(&["u"], &[scenario, ("MCP_CONFORMANCE_PROTOCOL_VERSION", "yesterday")]).is_err());
        assert!(read(&["u"], &[scenario, ("MCP_CONFORMANCE_CONTEXT", "{")]).is_err());
    }
}
