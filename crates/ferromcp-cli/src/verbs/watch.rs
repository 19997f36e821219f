//! `mcp watch`: prints changes of lists and resources.

use ferromcp_client::{Change, ChangeFilter, Client};
use serde_json::{Value, json};

use crate::cli::Watch;
use crate::connect::with_client;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::target::split;

/// Prints changes until the server ends the subscription, or the user presses Ctrl-C.
pub(crate) async fn run(args: Watch) -> Result<(), Failure> {
    let (source, uris) = split(&args.words)?;
    with_client(source, &args.connection, async |client| watch(client, uris, args.options.json).await).await
}

/// Prints changes until the server ends the subscription.
pub(crate) async fn watch(client: &Client, uris: &[String], json: bool) -> Result<(), Failure> {
    let filter = match uris {
        [] => ChangeFilter::new().tools().resources().prompts(),
        uris => uris.iter().fold(ChangeFilter::new(), ChangeFilter::resource),
    };
    let mut subscription = client.subscribe(filter).await?;
    while let Some(change) = subscription.next().await {
        let change = change?;
        // The lock of stdout is not held while waiting.
        let mut out = Output::stdout();
        if json {
            out.json_line(&to_value(&change))?;
        } else {
            out.line(&describe(&change))?;
        }
        out.flush()?;
    }
    Err(Failure::new(Exit::Protocol, "the server ended the subscription"))
}

/// Returns a change as one line.
pub(crate) fn describe(change: &Change) -> String {
    match change {
        Change::Tools => "tools changed".to_owned(),
        Change::Prompts => "prompts changed".to_owned(),
        Change::Resources => "resources changed".to_owned(),
        Change::Resource(uri) => format!("resource changed: {}", uri.replace('\n', " ")),
        _ => "changes may have been missed".to_owned(),
    }
}

fn to_value(change: &Change) -> Value {
    match change {
        Change::Tools => json!({ "change": "tools" }),
        Change::Prompts => json!({ "change": "prompts" }),
        Change::Resources => json!({ "change": "resources" }),
        Change::Resource(uri) => json!({ "change": "resource", "uri": uri }),
        _ => json!({ "change": "gap" }),
    }
}
