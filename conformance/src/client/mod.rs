//! The client that the conformance suite runs: one function per scenario.
//!
//! | module | contents |
//! |---|---|
//! | `auth` | scenarios with OAuth |
//! | `run` | parameters that the suite passes to a client |
//! | `basic` | scenarios with connections, tools, resources and prompts |
//! | `elicitation` | scenarios with elicitation |
//! | `headers` | scenarios with arguments mirrored in headers |
//! | `schema` | scenarios with tool schemas |

mod auth;
mod basic;
mod elicitation;
mod error;
mod headers;
mod run;
mod schema;

pub use error::BoxError;
pub use run::Run;

/// Runs a scenario.
///
/// # Errors
/// When the scenario is unknown or one of its requests fails.
pub async fn run_scenario(run: &Run) -> Result<(), BoxError> {
    match run.scenario() {
        "initialize" => basic::connect(run).await,
        "tools_call" => basic::add_numbers(run).await,
        "request-metadata" | "json-schema-ref-no-deref" => basic::list_tools(run).await,
        "http-standard-headers" => basic::call_everything(run).await,
        "sse-retry" => basic::reconnect(run).await,
        "elicitation-sep1034-client-defaults" => elicitation::form_defaults(run).await,
        "sep-2322-client-request-state" => elicitation::multi_round(run).await,
        "http-custom-headers" => headers::declared_calls(run).await,
        "http-invalid-tool-headers" => headers::valid_tools(run).await,
        "json-schema-2020-12-preservation" => schema::echo(run).await,
        oauth if oauth.starts_with("auth/") => auth::run(run).await,
        unknown => Err(format!("unknown scenario `{unknown}`").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn fails_without_connecting_when_scenario_unknown() {
        for scenario in ["auth/no-such-thing", "no-such-thing"] {
            let variable = |name: &str| (name == "MCP_CONFORMANCE_SCENARIO").then(|| scenario.to_owned());
            let run = Run::read(["http://localhost:1/mcp".to_owned()].into_iter(), variable).expect("a run");
            let failed = run_scenario(&run).await.expect_err("unknown").to_string();
            assert!(failed.contains(scenario) && failed.contains("unknown scenario"), "{failed}");
        }
    }
}
