//! The client that the conformance suite drives: one conversation per scenario, each held by the library alone.
//!
//! | file | scenarios |
//! |---|---|
//! | `run` | what the suite tells a client |
//! | `plain` | those that need no more than a client: connecting, tools, everything that is listed |
//! | `asked` | those in which the server asks |
//! | `headers` | those about tools whose arguments are repeated in headers |
//! | `schema` | those about schemas as tools carry them |

mod asked;
mod failed;
mod headers;
mod plain;
mod run;
mod schema;

pub use failed::Failed;
pub use run::Run;

/// Holds the conversation of a scenario.
///
/// # Errors
/// When the scenario is unknown, or anything in the conversation failed.
pub async fn play(run: &Run) -> Result<(), Failed> {
    match run.scenario() {
        "initialize" => plain::connect(run).await,
        "tools_call" => plain::add(run).await,
        "request-metadata" | "json-schema-ref-no-deref" => plain::list(run).await,
        "http-standard-headers" => plain::everything(run).await,
        "sse-retry" => plain::reconnection(run).await,
        "elicitation-sep1034-client-defaults" => asked::defaults(run).await,
        "sep-2322-client-request-state" => asked::rounds(run).await,
        "http-custom-headers" => headers::told(run).await,
        "http-invalid-tool-headers" => headers::good_tools(run).await,
        "json-schema-2020-12-preservation" => schema::echo(run).await,
        unknown => Err(format!("the scenario `{unknown}` is not known here").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_unknown_scenario_fails_before_anything_is_sent() {
        for scenario in ["auth/metadata-default", "no-such-thing"] {
            let variable = |name: &str| (name == "MCP_CONFORMANCE_SCENARIO").then(|| scenario.to_owned());
            let run = Run::read(["http://localhost:1/mcp".to_owned()].into_iter(), variable).expect("a run");
            let failed = play(&run).await.expect_err("unknown").to_string();
            assert!(failed.contains(scenario) && failed.contains("not known"), "{failed}");
        }
    }
}
