//! A client that answers elicitation and sampling requests on the terminal.
//!
//! The arguments are a tool, its arguments as JSON, and the command of a server. Default: the tool `book` of the asking example.

#![allow(clippy::print_stdout, reason = "this program is a client; its stdout does not carry the protocol")]

use std::io;
use std::process::Command;

use ferromcp::client::{accept, cancel, decline};
use ferromcp::core::Error;
use ferromcp::core::RawJson;
use ferromcp::model::{CreateMessageParams, CreateMessageResult, ElicitResult, FormParams};
use ferromcp::model::{FieldType, PrimitiveSchema, SamplingContent};
use ferromcp::prelude::*;
use ferromcp_examples::{example, text};
use serde_json::{Map, Value};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (tool, arguments) = (args.next().unwrap_or("book".into()), args.next().unwrap_or("{}".into()));
    let mut server = args.next().map_or_else(|| example("asking"), |program| Ok(Command::new(program)))?;
    server.args(args);
    let client = Client::builder("answering", "1.0.0").on_form(fill_in).on_sampling(speak).connect(server).await?;
    println!("{}", text(&client.call(&tool, RawJson::parse(arguments)?).await?));
    client.close().await;
    Ok(())
}

async fn fill_in(form: FormParams) -> Result<ElicitResult, Error> {
    println!("{} (an empty line takes the default, `-` declines)", form.message);
    let mut content = Map::new();
    for (name, field) in form.requested_schema.properties {
        let choices: Vec<_> = field.one_of.iter().flatten().map(|choice| &*choice.r#const).collect();
        match ask(format!("{name}: {}", choices.join("|"))).await?.as_deref() {
            None => return Ok(cancel()), // end of input: the user is gone
            Some("-") => return Ok(decline()),
            Some("") => {}
            Some(words) => drop(content.insert(name, value(&field, words))),
        }
    }
    accept(&content)
}

/// Parses the input as the field's type. Invalid input stays a string, which form validation rejects.
fn value(field: &PrimitiveSchema, words: &str) -> Value {
    let json = (field.r#type != FieldType::String).then(|| serde_json::from_str(words).ok());
    json.flatten().unwrap_or_else(|| words.into())
}

async fn speak(asked: CreateMessageParams) -> Result<CreateMessageResult, Error> {
    let texts = asked.messages.iter().flat_map(|message| &message.content).filter_map(SamplingContent::as_text);
    let said = ask(format!("What does a model say to this? {}", texts.collect::<Vec<_>>().join("\n"))).await?;
    Ok(CreateMessageResult::new("the user", SamplingContent::text(said.unwrap_or_default())))
}

/// Reads a line of user input on the blocking thread pool.
async fn ask(question: String) -> Result<Option<String>, Error> {
    println!("{question}");
    let read = tokio::task::spawn_blocking(|| io::stdin().lines().next().transpose()).await;
    read.unwrap_or_else(|error| Err(error.into())).map_err(|error| Error::internal(error.to_string()))
}
