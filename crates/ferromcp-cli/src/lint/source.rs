//! The definitions to check: those of a server, or of a snapshot file. An item that cannot be decoded never costs the others.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ferromcp_client::{Client, ClientError, ErrorKind, ListCall, Listable};
use ferromcp_core::model::{Implementation, ServerCapabilities};
use ferromcp_core::text::reason;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::exit::Failure;
use crate::logs::Warnings;
use crate::surface::Surface;
use crate::terminal::{indented, message};

/// Maximum size of a snapshot file, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// Maximum number of items of a list in a file.
const MAX_ITEMS: usize = 100_000;

/// The start of a warning of the client about an invalid field.
const INVALID_FIELD: &str = "the server sent an invalid field: ";

/// The methods of lists, and the JSON pointers of their items.
const LISTS: [(&str, &str); 4] = [
    ("tools/list", "/tools"),
    ("resources/list", "/resources"),
    ("resources/templates/list", "/resourceTemplates"),
    ("prompts/list", "/prompts"),
];

/// An item that cannot be decoded.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) item: String,
    pub(crate) pointer: String,
    pub(crate) message: String,
}

/// The definitions of a server.
#[derive(Debug)]
pub(crate) struct Definitions {
    pub(crate) surface: Surface,
    pub(crate) broken: Vec<Broken>,
}

/// A snapshot file, or the result of `tools/list`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot {
    server_info: Option<Implementation>,
    protocol_version: Option<String>,
    instructions: Option<String>,
    tools: Vec<Box<RawValue>>,
    #[serde(default)]
    resources: Vec<Box<RawValue>>,
    #[serde(default)]
    resource_templates: Vec<Box<RawValue>>,
    #[serde(default)]
    prompts: Vec<Box<RawValue>>,
}

/// Reads a snapshot: a JSON file with a top-level array `tools`. Returns `None` for other words and files.
///
/// # Errors
/// Fails if the file is a snapshot that is too large or invalid.
pub(crate) fn read_snapshot(word: &str) -> Result<Option<Definitions>, Failure> {
    let path = Path::new(word);
    if path.extension().is_none_or(|it| !it.eq_ignore_ascii_case("json")) || !path.is_file() {
        return Ok(None);
    }
    let failed = |cause: String| Failure::usage(format!("cannot read the snapshot `{}`: {cause}", path.display()));
    let mut text = String::new();
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;
    if text.len() as u64 > MAX_FILE {
        return Err(failed(format!("it is larger than {MAX_FILE} bytes; divide it")));
    }
    match serde_json::from_str::<Snapshot>(&text) {
        Ok(snapshot) => Ok(Some(snapshot.decode())),
        // Configuration files are other targets.
        Err(_) if !has_tools(&text) => Ok(None),
        Err(error) => Err(failed(format!("{error}; write the file with `mcp snapshot`"))),
    }
}

/// Returns whether a text is a JSON object with a top-level array `tools`.
fn has_tools(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Top {
        tools: Vec<Box<RawValue>>,
    }
    serde_json::from_str::<Top>(text).is_ok_and(|top| top.tools.len() <= MAX_ITEMS)
}

impl Snapshot {
    fn decode(self) -> Definitions {
        let mut broken = Vec::new();
        let surface = Surface {
            server_info: self.server_info,
            protocol_version: self.protocol_version.unwrap_or_default(),
            capabilities: ServerCapabilities::default(),
            instructions: self.instructions,
            tools: decode(&self.tools, "tools", &mut broken),
            resources: decode(&self.resources, "resources", &mut broken),
            resource_templates: decode(&self.resource_templates, "resourceTemplates", &mut broken),
            prompts: decode(&self.prompts, "prompts", &mut broken),
        };
        Definitions { surface, broken }
    }
}

/// Decodes the items of a list, and adds those that are broken.
fn decode<T: DeserializeOwned>(items: &[Box<RawValue>], list: &str, broken: &mut Vec<Broken>) -> Vec<T> {
    let mut decoded = Vec::with_capacity(items.len().min(MAX_ITEMS));
    for (index, item) in items.iter().take(MAX_ITEMS).enumerate() {
        match serde_json::from_str(item.get()) {
            Ok(item) => decoded.push(item),
            Err(error) => broken.push(Broken {
                item: format!("item {index} of `{list}`"),
                pointer: format!("/{list}/{index}"),
                message: format!("cannot be decoded: {}", reason(&error.to_string())),
            }),
        }
    }
    decoded
}

/// Fetches the definitions of a server. A list that the server cannot send is broken; so is each invalid field, which the
/// client reports as a warning and replaces by a default.
///
/// # Errors
/// Fails if the connection fails.
pub(crate) async fn fetch(client: &Client, warnings: &Warnings) -> Result<Definitions, Failure> {
    let mut broken = Vec::new();
    let surface = match Surface::fetch(client).await {
        Ok(surface) => surface,
        Err(failure) if failure.cause.as_ref().is_some_and(is_of_one_list) => fetch_lists(client, &mut broken).await?,
        Err(failure) => return Err(failure),
    };
    for warning in warnings.take() {
        match warning.strip_prefix(INVALID_FIELD) {
            Some(text) => broken.push(invalid_field(text)),
            None => message(format_args!("warning: {}", indented(&warning))),
        }
    }
    Ok(Definitions { surface, broken })
}

/// Describes a warning of the client.
fn invalid_field(text: &str) -> Broken {
    let (text, method) = text.rsplit_once(" of=").unwrap_or((text, ""));
    let pointer = LISTS.iter().find(|(name, _)| *name == method).map_or("", |(_, pointer)| pointer);
    Broken { item: "server".to_owned(), pointer: pointer.to_owned(), message: reason(text).to_string() }
}

/// Fetches each list without the others.
async fn fetch_lists(client: &Client, broken: &mut Vec<Broken>) -> Result<Surface, Failure> {
    Ok(Surface {
        server_info: client.server_info(),
        protocol_version: client.revision().as_str().to_owned(),
        capabilities: client.capabilities(),
        instructions: client.instructions(),
        tools: list(client.tools(), LISTS[0], broken).await?,
        resources: list(client.resources(), LISTS[1], broken).await?,
        resource_templates: list(client.resource_templates(), LISTS[2], broken).await?,
        prompts: list(client.prompts(), LISTS[3], broken).await?,
    })
}

/// Returns whether an error leaves the connection and the other lists intact.
fn is_of_one_list(error: &ClientError) -> bool {
    matches!(error.kind(), ErrorKind::InvalidResponse | ErrorKind::Server | ErrorKind::Limit)
}

/// Fetches a list. It is empty if the server cannot send it.
async fn list<T: Listable>(
    call: ListCall<T>,
    (method, pointer): (&str, &str),
    broken: &mut Vec<Broken>,
) -> Result<Vec<T>, Failure> {
    match call.await {
        Ok(items) => Ok(items),
        Err(error) if is_of_one_list(&error) => {
            let message = format!("cannot be fetched: {}", reason(&error.to_string()));
            broken.push(Broken { item: format!("`{method}`"), pointer: pointer.to_owned(), message });
            Ok(Vec::new())
        }
        Err(error) => Err(error.into()),
    }
}
