//! `mcp prompt`: gets a prompt.

use std::collections::BTreeMap;

use ferromcp_client::Client;
use ferromcp_core::model::{PromptDefinition, Role};
use ferromcp_core::text::excerpt;

use crate::arguments::{self, Written};
use crate::cli::{JsonOption, Prompt};
use crate::connect::with_client;
use crate::content::print_block;
use crate::definition::{find_definition, unknown_argument, with_signature};
use crate::exit::Failure;
use crate::output::Output;
use crate::progress::show_progress;
use crate::target::split;
use crate::terminal::clear_bar;

/// Gets a prompt and prints its messages.
pub(crate) async fn run(args: Prompt) -> Result<(), Failure> {
    let (source, rest) = split(&args.words)?;
    let request = Request::new(&args.options, rest)?;
    with_client(source, &args.connection, async |client| request.send(client).await).await
}

/// A prompt that was requested.
pub(crate) struct Request<'a> {
    options: &'a JsonOption,
    name: &'a str,
    written: Vec<Written>,
}

impl<'a> Request<'a> {
    /// Parses the arguments of the verb, and reads their files.
    ///
    /// # Errors
    /// Fails if an argument is invalid.
    pub(crate) fn new(options: &'a JsonOption, words: &'a [String]) -> Result<Self, Failure> {
        let Some((name, words)) = words.split_first() else {
            let message = "the name of the prompt is missing; `mcp list TARGET prompts` lists the prompts";
            return Err(Failure::usage(message));
        };
        Ok(Self { options, name, written: arguments::parse(words)? })
    }

    /// Finds the prompt, checks the arguments, gets it and prints its messages.
    pub(crate) async fn send(self, client: &Client) -> Result<(), Failure> {
        let prompt = find_definition(client.prompts(), self.name).await?;
        let arguments = check(&prompt, self.written)?;
        let result = show_progress(client.prompt(self.name, &arguments)).await?;
        drop(clear_bar());
        let mut out = Output::stdout();
        if self.options.json {
            out.json(&result)?;
            return out.flush();
        }
        for (index, message) in result.messages.iter().enumerate() {
            let blank = if index > 0 { "\n" } else { "" };
            let role = if message.role == Role::Assistant { "assistant" } else { "user" };
            out.line(&format!("{blank}[{role}]"))?;
            print_block(&message.content, &mut out)?;
        }
        out.flush()
    }
}

/// Checks the names of the arguments.
///
/// # Errors
/// Fails if an argument is unknown, missing or given twice. The text contains the signature of the prompt.
fn check(prompt: &PromptDefinition, written: Vec<Written>) -> Result<BTreeMap<String, String>, Failure> {
    let with_signature = |failure| with_signature(failure, prompt);
    let mut arguments = BTreeMap::new();
    for argument in written {
        let name = argument.name.clone();
        if !prompt.arguments.iter().any(|known| known.name == name) {
            let known = prompt.arguments.iter().map(|known| known.name.as_str());
            return Err(with_signature(unknown_argument(&name, known)));
        }
        if arguments.insert(name.clone(), argument.into_text()).is_some() {
            let failure = Failure::usage(format!("cannot set the argument `{}`: it is given twice", excerpt(&name)));
            return Err(with_signature(failure));
        }
    }
    let required = prompt.arguments.iter().filter(|argument| argument.required == Some(true));
    match required.map(|argument| &argument.name).find(|name| !arguments.contains_key(*name)) {
        Some(name) => Err(with_signature(Failure::usage(format!("missing argument `{}`", excerpt(name))))),
        None => Ok(arguments),
    }
}
