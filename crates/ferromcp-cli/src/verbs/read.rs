//! `mcp read`: reads a resource.

use crate::cli::Read;
use crate::connect::with_client;
use crate::content::{print_contents, save_contents};
use crate::exit::Failure;
use crate::output::Output;
use crate::progress::show_progress;
use crate::target::{reject_extra, split};
use crate::terminal::clear_bar;

/// Reads a resource, and prints or saves its contents.
pub(crate) async fn run(args: Read) -> Result<(), Failure> {
    let (source, rest) = split(&args.words)?;
    let Some((uri, extra)) = rest.split_first() else {
        return Err(Failure::usage("the URI of the resource is missing; `mcp list TARGET resources` lists resources"));
    };
    reject_extra(extra)?;
    with_client(source, &args.connection, async |client| {
        let result = show_progress(client.read(uri)).await?;
        drop(clear_bar());
        let mut out = Output::stdout();
        if args.json {
            out.json(&result)?;
        } else if let Some(path) = &args.output {
            save_contents(&result.contents, path)?;
        } else {
            for contents in &result.contents {
                print_contents(contents, &mut out)?;
            }
        }
        out.flush()
    })
    .await
}
