//! `mcp list`: lists tools, resources, resource templates and prompts.

use ferromcp_client::{Client, ListCall, Listable};
use ferromcp_core::model::{PromptDefinition, ResourceDefinition, ResourceTemplate, ToolDefinition};
use ferromcp_core::text::excerpt;
use serde::Serialize;

use crate::cli::{List, ListOptions};
use crate::connect::with_client;
use crate::exit::Failure;
use crate::output::{Json, Output, to_json};
use crate::signature::{prompt_signature, tool_signature};
use crate::target::{reject_extra, split};
use crate::terminal::message;

/// A kind of list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tools,
    Resources,
    Templates,
    Prompts,
}

const KINDS: [(&str, Kind); 4] = [
    ("tools", Kind::Tools),
    ("resources", Kind::Resources),
    ("templates", Kind::Templates),
    ("prompts", Kind::Prompts),
];

/// Lists one kind, or all.
pub(crate) async fn run(args: List) -> Result<(), Failure> {
    let (source, rest) = split(&args.words)?;
    let request = Request::new(&args.options, rest)?;
    with_client(source, &args.connection, async |client| request.send(client).await).await
}

/// A list that was requested.
pub(crate) struct Request<'a> {
    options: &'a ListOptions,
    kind: Option<Kind>,
}

impl<'a> Request<'a> {
    /// Parses the arguments of the verb.
    ///
    /// # Errors
    /// Fails if the kind is unknown.
    pub(crate) fn new(options: &'a ListOptions, words: &[String]) -> Result<Self, Failure> {
        Ok(Self { options, kind: kind(words)? })
    }

    /// Fetches and prints the lists.
    pub(crate) async fn send(self, client: &Client) -> Result<(), Failure> {
        let Self { options, kind } = self;
        let mut printer = Printer {
            out: Output::stdout(),
            json: options.json.then(Json::new),
            is_long: options.long,
            has_headings: kind.is_none(),
            sections: 0,
        };
        printer.start()?;
        for (_, each) in KINDS.into_iter().filter(|(_, each)| kind.is_none_or(|kind| kind == *each)) {
            match each {
                Kind::Tools => printer.list(client.tools()).await?,
                Kind::Resources => printer.list(client.resources()).await?,
                Kind::Templates => printer.list(client.resource_templates()).await?,
                Kind::Prompts => printer.list(client.prompts()).await?,
            }
        }
        printer.end()
    }
}

fn kind(words: &[String]) -> Result<Option<Kind>, Failure> {
    let Some((word, rest)) = words.split_first() else { return Ok(None) };
    reject_extra(rest)?;
    if let Some((_, kind)) = KINDS.iter().find(|(name, _)| name == word) {
        return Ok(Some(*kind));
    }
    let word = excerpt(word);
    Err(Failure::usage(format!("cannot list `{word}`; write tools, resources, templates or prompts")))
}

/// An item of a list.
trait Item: Listable + Serialize {
    /// The key in JSON.
    const KEY: &'static str;
    const HEADING: &'static str;

    fn title(&self) -> String;
    fn description(&self) -> Option<&str>;
}

impl Item for ToolDefinition {
    const KEY: &'static str = "tools";
    const HEADING: &'static str = "Tools";

    fn title(&self) -> String {
        tool_signature(self)
    }

    fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }
}

impl Item for ResourceDefinition {
    const KEY: &'static str = "resources";
    const HEADING: &'static str = "Resources";

    fn title(&self) -> String {
        resource_title(&self.uri, &self.name, self.mime_type.as_deref())
    }

    fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }
}

impl Item for ResourceTemplate {
    const KEY: &'static str = "resourceTemplates";
    const HEADING: &'static str = "Resource templates";

    fn title(&self) -> String {
        resource_title(&self.uri_template, &self.name, self.mime_type.as_deref())
    }

    fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }
}

impl Item for PromptDefinition {
    const KEY: &'static str = "prompts";
    const HEADING: &'static str = "Prompts";

    fn title(&self) -> String {
        prompt_signature(self)
    }

    fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }
}

/// Returns the title of a resource or a resource template.
fn resource_title(uri: &str, name: &str, mime_type: Option<&str>) -> String {
    let mime_type = mime_type.map(|name| format!(", {}", excerpt(name))).unwrap_or_default();
    format!("{} ({}{mime_type})", excerpt(uri), excerpt(name))
}

/// Prints items as they arrive.
struct Printer {
    out: Output,
    json: Option<Json>,
    is_long: bool,
    has_headings: bool,
    /// Number of lists that were printed, without empty ones in text.
    sections: usize,
}

impl Printer {
    fn start(&mut self) -> Result<(), Failure> {
        self.json_part("{")
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.json_part("}")?;
        if self.json.is_some() {
            self.out.line("")?;
        } else if self.sections == 0 {
            message("the server lists nothing");
        }
        self.out.flush()
    }

    async fn list<T: Item>(&mut self, mut list: ListCall<T>) -> Result<(), Failure> {
        if self.json.is_some() {
            let comma = if self.sections > 0 { "," } else { "" };
            self.json_part(&format!("{comma}\"{}\":[", T::KEY))?;
            self.sections += 1;
        }
        let mut count = 0_usize;
        while let Some(item) = list.next().await {
            self.item(&item?, count == 0)?;
            count += 1;
        }
        self.json_part("]")?;
        self.out.flush()
    }

    fn item<T: Item>(&mut self, item: &T, is_first: bool) -> Result<(), Failure> {
        if self.json.is_some() {
            let comma = if is_first { "" } else { "," };
            return self.json_part(&format!("{comma}{}", to_json(item)?));
        }
        if is_first {
            if self.has_headings {
                let blank = if self.sections > 0 { "\n" } else { "" };
                self.out.line(&format!("{blank}{}", T::HEADING))?;
            }
            self.sections += 1;
        }
        let indent = if self.has_headings { 2 } else { 0 };
        self.out.indented(&item.title(), indent)?;
        let description = item.description().unwrap_or_default().trim();
        let description = if self.is_long { description } else { description.lines().next().unwrap_or_default() };
        self.out.indented(description, indent + 4)
    }

    fn json_part(&mut self, part: &str) -> Result<(), Failure> {
        match &mut self.json {
            Some(json) => self.out.json_part(json, part),
            None => Ok(()),
        }
    }
}
