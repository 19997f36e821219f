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
mod headers;
mod plain;
mod run;
mod schema;

pub use run::Run;

/// Why a conversation did not go as it should.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

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
