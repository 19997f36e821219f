//! `mcp read`: reads a resource.

use crate::cli::Read;
use crate::connect;
use crate::content;
use crate::exit::Failure;
use crate::output::Output;
use crate::progress;
use crate::target;
use crate::terminal;

/// Reads a resource, and prints or saves its contents.
pub(crate) async fn run(args: Read) -> Result<(), Failure> {
    let (source, rest) = target::split(&args.words)?;
    let Some((uri, extra)) = rest.split_first() else {
        return Err(Failure::usage("the URI of the resource is missing; `mcp list TARGET resources` lists resources"));
    };
    target::reject_extra(extra)?;
    connect::with(source, &args.connection, async |client| {
        let result = progress::show(client.read(uri)).await?;
        drop(terminal::clear_bar());
        let mut out = Output::stdout();
        if args.json {
            out.json(&result)?;
        } else if let Some(path) = &args.output {
            content::save_contents(&result.contents, path)?;
        } else {
            for contents in &result.contents {
                content::print_contents(contents, &mut out)?;
            }
        }
        out.flush()
    })
    .await
}
