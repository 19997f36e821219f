//! `mcp read`: reads a resource.

use ferromcp_client::Client;

use crate::cli::{Read, ReadOptions};
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
    let request = Request::new(&args.options, rest)?;
    with_client(source, &args.connection, async |client| request.send(client).await).await
}

/// A resource that was requested.
pub(crate) struct Request<'a> {
    options: &'a ReadOptions,
    uri: &'a str,
}

impl<'a> Request<'a> {
    /// Parses the arguments of the verb.
    ///
    /// # Errors
    /// Fails if the number of arguments is not 1.
    pub(crate) fn new(options: &'a ReadOptions, words: &'a [String]) -> Result<Self, Failure> {
        let Some((uri, extra)) = words.split_first() else {
            let message = "the URI of the resource is missing; `mcp list TARGET resources` lists resources";
            return Err(Failure::usage(message));
        };
        reject_extra(extra)?;
        Ok(Self { options, uri })
    }

    /// Reads the resource, and prints or saves its contents.
    pub(crate) async fn send(self, client: &Client) -> Result<(), Failure> {
        let result = show_progress(client.read(self.uri)).await?;
        drop(clear_bar());
        let mut out = Output::stdout();
        if self.options.json {
            out.json(&result)?;
        } else if let Some(path) = &self.options.output {
            save_contents(&result.contents, path)?;
        } else {
            for contents in &result.contents {
                print_contents(contents, &mut out)?;
            }
        }
        out.flush()
    }
}
