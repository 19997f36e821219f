//! `mcp prompt`: gets a prompt.

use std::collections::BTreeMap;

use ferromcp_client::Client;
use ferromcp_core::model::{PromptDefinition, Role};
use ferromcp_core::text::excerpt;

use crate::arguments::{self, Written};
use crate::cli::Prompt;
use crate::exit::Failure;
use crate::output::Output;
use crate::suggestion::{Closest, closest};
use crate::{connect, content, progress, signature, target, terminal};

/// Gets a prompt and prints its messages.
pub(crate) async fn run(args: Prompt) -> Result<(), Failure> {
    let (source, rest) = target::split(&args.words)?;
    let Some((name, words)) = rest.split_first() else {
        return Err(Failure::usage("the name of the prompt is missing; `mcp list TARGET prompts` lists the prompts"));
    };
    let written = arguments::parse(words)?;
    connect::with(source, &args.connection, async |client| {
        let prompt = find(client, name).await?;
        let arguments = check(&prompt, written)?;
        let result = progress::show(client.prompt(name, &arguments)).await?;
        drop(terminal::clear_bar());
        let mut out = Output::stdout();
        if args.json {
            out.json(&result)?;
            return out.flush();
        }
        for (index, message) in result.messages.iter().enumerate() {
            let blank = if index > 0 { "\n" } else { "" };
            let role = if message.role == Role::Assistant { "assistant" } else { "user" };
            out.line(&format!("{blank}[{role}]"))?;
            content::print(&message.content, &mut out)?;
        }
        out.flush()
    })
    .await
}

/// Returns the definition of a prompt.
///
/// # Errors
/// Fails if the server does not list it.
async fn find(client: &Client, name: &str) -> Result<PromptDefinition, Failure> {
    let mut closest: Closest<'_> = Closest::to(name);
    let mut similar = None;
    let mut prompts = client.prompts();
    while let Some(prompt) = prompts.next().await {
        let prompt = prompt?;
        if prompt.name == name {
            return Ok(prompt);
        }
        closest.add(&prompt.name);
        if closest.get() == Some(&*prompt.name) {
            similar = Some(signature::of_prompt(&prompt));
        }
    }
    let remedy = match similar {
        Some(signature) => format!("did you mean `{signature}`?"),
        None => "`mcp list TARGET prompts` lists the prompts".to_owned(),
    };
    Err(Failure::usage(format!("the server has no prompt `{}`; {remedy}", excerpt(name))))
}

/// Checks the names of the arguments.
fn check(prompt: &PromptDefinition, written: Vec<Written>) -> Result<BTreeMap<String, String>, Failure> {
    let with_signature =
        |text: String| Failure::usage(text).with_remedy(format_args!("usage: {}", signature::of_prompt(prompt)));
    let mut arguments = BTreeMap::new();
    for argument in written {
        let name = argument.name.clone();
        if !prompt.arguments.iter().any(|known| known.name == name) {
            let similar = closest(&name, prompt.arguments.iter().map(|known| known.name.as_str()));
            let similar = similar.map(|name| format!("; did you mean `{}`?", excerpt(&name))).unwrap_or_default();
            return Err(with_signature(format!("unknown argument `{}`{similar}", excerpt(&name))));
        }
        if arguments.insert(name.clone(), argument.into_text()).is_some() {
            return Err(with_signature(format!("cannot set the argument `{}`: it is given twice", excerpt(&name))));
        }
    }
    let is_missing = |name: &str| !arguments.contains_key(name);
    let required = prompt.arguments.iter().filter(|argument| argument.required == Some(true));
    match required.map(|argument| &argument.name).find(|name| is_missing(name)) {
        Some(name) => Err(with_signature(format!("missing argument `{}`", excerpt(name)))),
        None => Ok(arguments),
    }
}
