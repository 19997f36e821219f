//! What the suite tells a client: the server's URL as the last argument, the rest in the environment.

use ferromcp::prelude::*;
use serde_json::Value;

use super::failed::Failed;

/// One run of a scenario.
#[derive(Debug)]
pub struct Run {
    url: String,
    scenario: String,
    revision: Revision,
    context: Value,
}

impl Run {
    /// Reads what the suite tells; `args` are those of the program, without its name.
    ///
    /// # Errors
    /// When something is missing or cannot be read.
    pub fn read(args: impl Iterator<Item = String>, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failed> {
        let url = args.last().ok_or("the URL of the server is missing")?;
        let scenario = variable("MCP_CONFORMANCE_SCENARIO").ok_or("MCP_CONFORMANCE_SCENARIO is missing")?;
        let revision = match variable("MCP_CONFORMANCE_PROTOCOL_VERSION") {
            Some(name) => Revision::parse(&name).ok_or_else(|| format!("the revision `{name}` is not known here"))?,
            None => Revision::LATEST,
        };
        let context = variable("MCP_CONFORMANCE_CONTEXT").map(|context| serde_json::from_str(&context)).transpose()?;
        Ok(Self { url, scenario, revision, context: context.unwrap_or_default() })
    }

    pub(super) fn scenario(&self) -> &str {
        &self.scenario
    }

    /// What the scenario wants done, as JSON.
    pub(super) fn context(&self) -> &Value {
        &self.context
    }

    /// A client that speaks the revision of the run alone: the suite holds each message to that revision's schema.
    pub(super) fn builder(&self) -> ClientBuilder {
        Client::new("conformance-client", env!("CARGO_PKG_VERSION")).only_revision(self.revision)
    }

    /// A client without anything special, connected.
    pub(super) async fn client(&self) -> Result<Client, Failed> {
        self.connect(self.builder()).await
    }

    pub(super) async fn connect(&self, builder: ClientBuilder) -> Result<Client, Failed> {
        let client = builder.connect(&*self.url).await?;
        if client.revision() != self.revision {
            return Err(format!("{} was agreed on, not {}", client.revision(), self.revision).into());
        }
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str], variables: &[(&str, &str)]) -> Result<Run, Failed> {
        let variable =
            |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        Run::read(args.iter().map(|&arg| arg.to_owned()), variable)
    }

    #[test]
    fn the_last_argument_and_the_environment_tell_what_to_do() {
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
    fn what_is_missing_or_unknown_is_said() {
        let scenario = ("MCP_CONFORMANCE_SCENARIO", "x");
        assert!(read(&[], &[scenario]).is_err());
        assert!(read(&["u"], &[]).is_err());
        assert!(read(&["u"], &[scenario, ("MCP_CONFORMANCE_PROTOCOL_VERSION", "yesterday")]).is_err());
        assert!(read(&["u"], &[scenario, ("MCP_CONFORMANCE_CONTEXT", "{")]).is_err());
    }
}
