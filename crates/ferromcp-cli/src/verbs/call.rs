//! `mcp call`: calls a tool.

use std::path::Path;

use ferromcp_client::Client;
use ferromcp_core::model::{CallToolResult, TaskSupport, ToolDefinition};
use ferromcp_core::text::excerpt;
use serde_json::{Map, Value};

use crate::arguments::{self, Written};
use crate::cli::{Call, CallOptions};
use crate::connect::with_client;
use crate::content::{print_block, save_blocks};
use crate::definition::{find_definition, unknown_argument, with_signature};
use crate::exit::{Exit, Failure};
use crate::lock::{DEFAULT_FILE, Guard, LockFile, server_key};
use crate::output::Output;
use crate::progress::show_progress;
use crate::schema::Schema;
use crate::target::{Source, split};
use crate::terminal::clear_bar;

/// Calls a tool, and prints or saves the result.
pub(crate) async fn run(args: Call) -> Result<(), Failure> {
    let (source, rest) = split(&args.words)?;
    let guard = guard(args.options.lock.as_deref(), source)?;
    let request = Request::new(&args.options.call, rest)?.locked(guard.as_ref());
    with_client(source, &args.connection, async |client| request.send(client).await).await
}

/// Returns the guard of a server: of this lock file, or of that in the current folder if it contains the server.
///
/// # Errors
/// Fails if the file is not readable, or if it was given and does not contain the server.
pub(crate) fn guard(path: Option<&Path>, source: Source<'_>) -> Result<Option<Guard>, Failure> {
    let file = LockFile::read(path.unwrap_or(Path::new(DEFAULT_FILE)))?;
    let key = server_key(source);
    if path.is_none() && file.server(&key).is_none() {
        return Ok(None);
    }
    Guard::new(&file, &key).map(Some)
}

/// A call that was requested.
pub(crate) struct Request<'a> {
    options: &'a CallOptions,
    name: &'a str,
    written: Vec<Written>,
    whole: Map<String, Value>,
    guard: Option<&'a Guard>,
}

impl<'a> Request<'a> {
    /// Parses the arguments of the verb, and reads their files.
    ///
    /// # Errors
    /// Fails if an argument is invalid.
    pub(crate) fn new(options: &'a CallOptions, words: &'a [String]) -> Result<Self, Failure> {
        let Some((name, words)) = words.split_first() else {
            return Err(Failure::usage("the name of the tool is missing; `mcp list TARGET tools` lists the tools"));
        };
        let written = arguments::parse(words)?;
        let whole = options.args.as_deref().map(arguments::whole).transpose()?.unwrap_or_default();
        Ok(Self { options, name, written, whole, guard: None })
    }

    /// Rejects the tool if it differs from a lock.
    pub(crate) fn locked(self, guard: Option<&'a Guard>) -> Self {
        Self { guard, ..self }
    }

    /// Finds the tool, converts the arguments by its schema, calls it and prints the result.
    pub(crate) async fn send(self, client: &Client) -> Result<(), Failure> {
        let tool = find_definition(client.tools(), self.name).await?;
        if let Some(guard) = self.guard {
            guard.check(&tool)?;
        }
        check_task_support(&tool)?;
        let arguments = convert(&tool, self.written, self.whole)?;
        let result = show_progress(client.call(self.name, &arguments)).await?;
        drop(clear_bar());
        report(self.options, &result)
    }
}

/// Fails if calls of the tool must be executed as tasks (2025-11-25).
fn check_task_support(tool: &ToolDefinition) -> Result<(), Failure> {
    if tool.execution.as_ref().and_then(|execution| execution.task_support) != Some(TaskSupport::Required) {
        return Ok(());
    }
    let name = excerpt(&tool.name);
    let message = format!("cannot call the tool `{name}`: it requires tasks, which `mcp` does not support");
    Err(Failure::new(Exit::Protocol, message).with_remedy("call it with a client that supports tasks"))
}

/// Converts the arguments, and checks their names.
///
/// # Errors
/// Fails if an argument is unknown, missing or of another type. The text contains the signature of the tool.
fn convert(
    tool: &ToolDefinition,
    written: Vec<Written>,
    whole: Map<String, Value>,
) -> Result<Map<String, Value>, Failure> {
    let document: Value = tool.input_schema.decode().unwrap_or_default();
    let schema = Schema::new(&document);
    let with_signature = |failure| with_signature(failure, tool);
    let arguments = arguments::convert(written, schema, whole).map_err(with_signature)?;
    let properties = schema.properties();
    if !schema.accepts_others() {
        let is_known = |name: &str| properties.iter().any(|(known, _)| *known == name);
        if let Some(unknown) = arguments.keys().find(|name| !is_known(name)) {
            let known = properties.iter().map(|(name, _)| *name);
            return Err(with_signature(unknown_argument(unknown, known)));
        }
    }
    let missing: Vec<String> = schema
        .required()
        .into_iter()
        .filter(|name| !arguments.contains_key(*name))
        .map(|name| format!("`{}`", excerpt(name)))
        .collect();
    if missing.is_empty() {
        return Ok(arguments);
    }
    let arguments = if missing.len() == 1 { "argument" } else { "arguments" };
    Err(with_signature(Failure::usage(format!("missing {arguments} {}", missing.join(", ")))))
}

/// Prints or saves the result.
///
/// # Errors
/// Fails with [`Exit::Tool`] if the tool reported an error.
fn report(options: &CallOptions, result: &CallToolResult) -> Result<(), Failure> {
    let mut out = Output::stdout();
    let is_error = result.is_error();
    if options.json {
        out.json(result)?;
        out.flush()?;
        return if is_error { Err(Failure::silent(Exit::Tool)) } else { Ok(()) };
    }
    if is_error {
        let text = result.text_content();
        let text = if text.trim().is_empty() { "the tool reported an error without a text" } else { &text };
        return Err(Failure::new(Exit::Tool, text));
    }
    if let Some(path) = &options.output {
        return save_blocks(&result.content, path);
    }
    for block in &result.content {
        print_block(block, &mut out)?;
    }
    if let Some(structured) = result.structured_content.as_ref().filter(|_| result.content.is_empty()) {
        out.json(structured)?;
    }
    out.flush()
}
