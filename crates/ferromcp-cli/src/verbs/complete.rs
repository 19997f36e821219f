//! `mcp complete`: completes an argument of a prompt or a resource template.

use ferromcp_client::Client;
use ferromcp_core::model::Reference;

use crate::arguments::{self, Written};
use crate::cli::{Complete, JsonOption};
use crate::connect::with_client;
use crate::exit::Failure;
use crate::output::Output;
use crate::target::split;
use crate::terminal::message;

/// Prints the possible values, one per line.
pub(crate) async fn run(args: Complete) -> Result<(), Failure> {
    let (source, rest) = split(&args.words)?;
    let request = Request::new(&args.options, rest)?;
    with_client(source, &args.connection, async |client| request.send(client).await).await
}

/// A completion that was requested.
pub(crate) struct Request<'a> {
    options: &'a JsonOption,
    reference: &'a str,
    argument: Written,
    known: Vec<(String, String)>,
}

impl<'a> Request<'a> {
    /// Parses the arguments of the verb, and reads their files.
    ///
    /// # Errors
    /// Fails if an argument is missing or invalid.
    pub(crate) fn new(options: &'a JsonOption, words: &'a [String]) -> Result<Self, Failure> {
        let [reference, words @ ..] = words else {
            return Err(Failure::usage("the name of the prompt, or the resource template, is missing"));
        };
        let mut written = arguments::parse(words)?.into_iter();
        let Some(argument) = written.next() else {
            return Err(Failure::usage("the argument to complete is missing; write `NAME=PREFIX`"));
        };
        let known = written.map(|argument| (argument.name.clone(), argument.into_text())).collect();
        Ok(Self { options, reference, argument, known })
    }

    /// Gets the values, and prints them.
    pub(crate) async fn send(self, client: &Client) -> Result<(), Failure> {
        let Self { options, reference, argument, known } = self;
        // A name of a prompt has neither.
        let is_template = reference.contains("://") || reference.contains('{');
        let of = if is_template { Reference::resource(reference) } else { Reference::prompt(reference) };
        let name = argument.name.clone();
        let values = client.complete(of, &name, &argument.into_text(), known).await?;
        let mut out = Output::stdout();
        if options.json {
            out.json(&values)?;
            return out.flush();
        }
        for value in &values.values {
            out.line(&value.replace('\n', " "))?;
        }
        if values.has_more == Some(true) {
            message("the server has more values; write a longer prefix");
        }
        out.flush()
    }
}
