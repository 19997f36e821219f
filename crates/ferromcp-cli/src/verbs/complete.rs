//! `mcp complete`: completes an argument of a prompt or a resource template.

use ferromcp_core::model::Reference;

use crate::arguments;
use crate::cli::Complete;
use crate::connect::with_client;
use crate::exit::Failure;
use crate::output::Output;
use crate::target::split;
use crate::terminal::message;

/// Prints the possible values, one per line.
pub(crate) async fn run(args: Complete) -> Result<(), Failure> {
    let (source, rest) = split(&args.words)?;
    let [reference, words @ ..] = rest else {
        return Err(Failure::usage("the name of the prompt, or the resource template, is missing"));
    };
    let mut written = arguments::parse(words)?.into_iter();
    let Some(argument) = written.next() else {
        return Err(Failure::usage("the argument to complete is missing; write `NAME=PREFIX`"));
    };
    let known: Vec<(String, String)> = written.map(|argument| (argument.name.clone(), argument.into_text())).collect();
    // A name of a prompt has neither.
    let is_template = reference.contains("://") || reference.contains('{');
    let of = if is_template { Reference::resource(reference) } else { Reference::prompt(reference) };
    with_client(source, &args.connection, async |client| {
        let name = argument.name.clone();
        let values = client.complete(of, &name, &argument.into_text(), known).await?;
        let mut out = Output::stdout();
        if args.json {
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
    })
    .await
}
