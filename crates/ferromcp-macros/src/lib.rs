//! The macros of Ferromcp: `#[tool]`, `#[resource]`, `#[prompt]`, `#[completion]`, `#[component]`, `#[derive(Form)]`.
//!
//! Each macro expands to calls of the builders in `ferromcp::server`. Errors that do not need type information are
//! reported at expansion, with the fix in the message.

mod ask;
mod ask_closure;
mod builder;
mod common;
mod completion;
mod component;
mod definition;
mod docs;
mod errors;
mod form;
mod function;
mod handler;
mod kind;
mod options;
mod param;
mod prompt;
mod resource;
mod suggestion;
mod template;
#[cfg(test)]
mod tests;
mod tool;
mod types;
mod value;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as TokenStream2;

use kind::Kind;

/// Defines a tool, which a model can call, from a function.
///
/// The function itself is unchanged. The macro adds a type of the same name, which registers the tool with a server:
///
/// ```
/// use ferromcp::prelude::*;
///
/// /// Adds two numbers.
/// #[tool]
/// async fn add(a: i64, b: i64) -> i64 {
///     a + b
/// }
///
/// let server = Server::new("Demo", "1.0.0").tool::<add>();
/// # drop(server);
/// ```
///
/// The doc comment is the description that the model reads. A function without `async` runs inline on the task that
/// reads the request, so it must return within microseconds. Use `blocking` for functions that compute or block.
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `name = "…"` | the name of the tool; default: the function name. 1 to 128 characters of `A-Z a-z 0-9 _ . -` |
/// | `title = "…"` | the display name |
/// | `description = "…"` | replaces the doc comment |
/// | `annotations(…)` | any of `read_only`, `destructive`, `idempotent`, `open_world`, each a flag or `= false` |
/// | `icon = "https://…"` | an icon; repeatable |
/// | `scopes = ["…"]` | the OAuth scopes that a caller needs over HTTP |
/// | `blocking` | runs this non-async `fn` on the blocking thread pool |
/// | `crate = "…"` | the path of this crate; default: `::ferromcp` |
///
/// # Parameters
///
/// A parameter whose type implements `Deserialize` and `JsonSchema` is an argument. An extractor, such as `Ctx`,
/// `State<T>` or `Args<T>`, is taken from the context of the call. The doc comment of an argument is its description.
/// `#[arg(…)]` sets the other properties:
///
/// | option | meaning |
/// |---|---|
/// | `name = "…"` | the name on the wire; default: the parameter name |
/// | `title = "…"`, `description = "…"` | the display name, and the description for the model |
/// | `default`, `default = …` | the value of a missing argument; without a value, `Default::default()` |
/// | `range(1..=1000)` | the range of a number |
/// | `length(1..=80)` | the characters of a string, the items of a list or set, or the entries of a map |
/// | `header = "Region"` | mirrors the argument in the HTTP header `Mcp-Param-Region`, for routing proxies |
///
/// A call with missing, unknown or invalid arguments is rejected before the function runs. The error lists all invalid
/// arguments, so that the model can retry.
///
/// ```
/// use ferromcp::prelude::*;
/// use ferromcp::server::State;
///
/// /// Searches the notes.
/// #[tool(title = "Search notes", annotations(read_only, open_world = false))]
/// fn search(
///     /// Text that the note contains
///     #[arg(length(1..=80))]
///     words: String,
///     /// Maximum number of notes
///     #[arg(range(1..=1000), default = 50)]
///     limit: u32,
///     State(notes): State<Vec<String>>,
/// ) -> String {
///     let found = notes.iter().filter(|note| note.contains(&words)).take(limit as usize);
///     found.cloned().collect::<Vec<_>>().join("\n")
/// }
///
/// let server = Server::new("Notes", "1.0.0").tool::<search>().state(vec!["milk".to_owned()]);
/// # drop(server);
/// ```
///
/// # Elicitation before the call
///
/// A parameter with `#[ask(…)]` is not an argument. The expression in parentheses returns an `Ask`: a known value, or a
/// question that is sent to the client (elicitation, sampling, roots). It can use the preceding parameters by name. The
/// function is called when all values are available.
///
/// ```
/// use ferromcp::prelude::*;
/// use ferromcp::server::{Ask, Question};
///
/// fn confirmation(path: &str) -> Ask<bool> {
///     if path.starts_with("/tmp/") { Ask::known(true) } else { Question::form(format!("Delete {path}?")).into() }
/// }
///
/// /// Deletes a file.
/// #[tool(annotations(destructive))]
/// async fn delete(path: String, #[ask(confirmation(&path))] sure: bool) -> String {
///     if sure { format!("Deleted {path}") } else { "Nothing was deleted".into() }
/// }
///
/// let server = Server::new("Files", "1.0.0").tool::<delete>();
/// # drop(server);
/// ```
///
/// Methods can be tools too: see [`component`](macro@component).
#[proc_macro_attribute]
pub fn tool(attribute: TokenStream, item: TokenStream) -> TokenStream {
    define(Kind::Tool, attribute, item)
}

/// Defines a resource from a function: data at a URI, or at all URIs that match a template.
///
/// ```
/// use ferromcp::prelude::*;
///
/// /// The configuration of the application.
/// #[resource("config://app", mime_type = "application/json")]
/// fn config() -> &'static str {
///     r#"{ "theme": "dark" }"#
/// }
///
/// /// A personalized greeting.
/// #[resource("greeting://{name}")]
/// async fn greeting(name: String) -> String {
///     format!("Hello, {name}!")
/// }
///
/// let server = Server::new("Demo", "1.0.0").resource::<config>().resource::<greeting>();
/// # drop(server);
/// ```
///
/// Each variable of the template (RFC 6570) requires a parameter of the same name, or a field of the `T` in `Args<T>`.
/// Its text is percent-decoded and parsed into the type of the parameter.
///
/// # Options
///
/// The URI or template comes first. `name` (default: the function name), `title`, `description`, `icon`, `scopes`, `blocking` and
/// `crate` have the same meaning as for [`tool`](macro@tool). In addition:
///
/// | option | meaning |
/// |---|---|
/// | `mime_type = "…"` | the MIME type of the contents; default: detected from the contents |
/// | `ttl_ms = 60_000` | how long clients may cache the contents, in milliseconds |
/// | `priority = 0.5` | the importance, from 0 to 1 |
/// | `list = all_notes` | the function that lists the resources of a template in `resources/list` |
///
/// The `list` function takes extractors and returns a `Vec` or another iterator of `ResourceDefinition`, or a `Result`
/// of these. In a component, it can be a method of the block. See `Resource::list`.
///
/// ```
/// use ferromcp::model::ResourceDefinition;
/// use ferromcp::prelude::*;
/// use ferromcp::server::State;
///
/// async fn all_notes(State(notes): State<Vec<String>>) -> Vec<ResourceDefinition> {
///     (0..notes.len()).map(|id| ResourceDefinition::new(format!("note://{id}"), format!("note {id}"))).collect()
/// }
///
/// #[resource("note://{id}", list = all_notes)]
/// fn note(id: usize, State(notes): State<Vec<String>>) -> Option<String> {
///     notes.get(id).cloned()
/// }
/// ```
#[proc_macro_attribute]
pub fn resource(attribute: TokenStream, item: TokenStream) -> TokenStream {
    define(Kind::Resource, attribute, item)
}

/// Defines a prompt from a function: a template of messages that the user selects, with arguments.
///
/// ```
/// use ferromcp::prelude::*;
///
/// /// Requests a code review.
/// #[prompt(title = "Review code")]
/// fn review_code(
///     /// The code to review
///     code: String,
/// ) -> String {
///     format!("Please review this code:\n{code}")
/// }
///
/// let server = Server::new("Demo", "1.0.0").prompt::<review_code>();
/// # drop(server);
/// ```
///
/// # Options
///
/// `name` (default: the function name), `title`, `description`, `icon`, `scopes`, `blocking` and `crate`, as for
/// [`tool`](macro@tool). Parameters support `#[arg(…)]`. Prompt arguments are strings on the wire, and are parsed into
/// the types of the parameters.
#[proc_macro_attribute]
pub fn prompt(attribute: TokenStream, item: TokenStream) -> TokenStream {
    define(Kind::Prompt, attribute, item)
}

/// Defines a completion: a function that suggests values for an argument of a prompt or a variable of a resource
/// template.
///
/// The first argument of the function receives the text typed so far. Further arguments receive the values of other
/// arguments by name; make them `Option`, because clients may omit them.
///
/// ```
/// use ferromcp::prelude::*;
///
/// #[prompt]
/// fn review_code(language: String) -> String {
///     format!("Please review this {language} code.")
/// }
///
/// #[completion(prompt = "review_code", argument = "language")]
/// fn languages(typed: String) -> Vec<String> {
///     let known = ["python", "ruby", "rust"].map(str::to_owned);
///     known.into_iter().filter(|language| language.starts_with(&typed)).collect()
/// }
///
/// let server = Server::new("Demo", "1.0.0").prompt::<review_code>().completion::<languages>();
/// # drop(server);
/// ```
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `prompt = "…"` | the name of the prompt, or |
/// | `resource = "scheme://{variable}"` | the template |
/// | `argument = "…"` | the argument of the prompt, or the variable of the template |
/// | `crate = "…"` | the path of this crate; default: `::ferromcp` |
#[proc_macro_attribute]
pub fn completion(attribute: TokenStream, item: TokenStream) -> TokenStream {
    define(Kind::Completion, attribute, item)
}

/// Defines a component: the annotated methods of an `impl` block become tools, resources, prompts and completions,
/// which a server mounts together.
///
/// ```
/// use std::sync::Mutex;
///
/// use ferromcp::prelude::*;
///
/// #[derive(Default)]
/// struct Notes(Mutex<Vec<String>>);
///
/// #[component]
/// impl Notes {
///     /// Adds a note, and returns the number of notes.
///     #[tool]
///     fn take(&self, text: String) -> usize {
///         let mut notes = self.0.lock().unwrap();
///         notes.push(text);
///         notes.len()
///     }
///
///     /// One note.
///     #[resource("note://{number}")]
///     fn note(&self, number: usize) -> String {
///         self.0.lock().unwrap().get(number).cloned().unwrap_or_default()
///     }
///
///     fn internal(&self) {}
/// }
///
/// let server = Server::new("Desk", "1.0.0").mount("notes", Notes::default());
/// # drop(server);
/// ```
///
/// Methods take `&self`, because calls run concurrently. Functions without `self` are supported. `#[tool]`,
/// `#[resource]`, `#[prompt]` and `#[completion]` take the same options as on functions, except `crate = "…"`, which is
/// an option of `#[component]`. A type can have only one such block.
#[proc_macro_attribute]
pub fn component(attribute: TokenStream, item: TokenStream) -> TokenStream {
    finish(component::expand(attribute.into(), item.clone().into()), || component::recover(item.into()))
}

/// Derives `Form` for a struct, which is a form for elicitation, or the choice traits for an enum used as a field.
///
/// ```
/// use ferromcp::prelude::*;
/// use ferromcp::Form;
///
/// #[derive(Form)]
/// struct Booking {
///     /// The name to book under
///     #[form(title = "Name", length(1..=80))]
///     name: String,
///     /// The address for the confirmation
///     #[form(format = "email")]
///     email: String,
///     #[form(range(1..=8), default = 2)]
///     seats: u8,
///     room: Room,
///     #[form(items(..=2))]
///     extras: Vec<Extra>,
///     /// Further requests
///     note: Option<String>,
/// }
///
/// #[derive(Form)]
/// enum Room {
///     #[form(title = "By the window")]
///     Window,
///     #[form(name = "garden", title = "In the garden")]
///     Garden,
/// }
///
/// #[derive(Form)]
/// enum Extra {
///     Breakfast,
///     Parking,
/// }
///
/// let schema = Booking::schema();
/// assert_eq!(schema.required.unwrap(), ["name", "email", "room"]);
/// ```
///
/// # Fields
///
/// A field has one of these types: `String`, `bool`, an integer, `f32` or `f64`, an enum that derives `Form`, a `Vec`
/// of such an enum (multiple choice), an `Option` of any of these, or a type that implements
/// `ferromcp::server::form::FormField`. Other types do not compile, because MCP forms are flat.
///
/// An `Option`, a field with a default, and a `Vec` without a minimum are optional. The doc comment is the description
/// of the field. `#[form(…)]` sets the other properties:
///
/// | option | meaning |
/// |---|---|
/// | `name = "…"` | the name on the wire; default: the field name |
/// | `title = "…"`, `description = "…"` | the display name, and a description that replaces the doc comment |
/// | `default`, `default = …` | the initial value, and the value of a missing field; without a value, `Default::default()` |
/// | `range(1..=10)` | the range of a number |
/// | `length(1..=80)` | the length of a string in characters |
/// | `format = "…"` | the format of a string: `email`, `uri`, `date` or `date-time` |
/// | `items(1..=3)` | the number of choices |
///
/// # Variants
///
/// Variants cannot have fields. Each variant is a choice:
///
/// | option | meaning |
/// |---|---|
/// | `name = "…"` | the value on the wire; default: the identifier of the variant |
/// | `title = "…"` | the text that the client displays; default: the value |
///
/// On the type itself, `#[form(crate = "…")]` gives the path of this crate; default: `::ferromcp`.
#[proc_macro_derive(Form, attributes(form))]
pub fn derive_form(item: TokenStream) -> TokenStream {
    finish(form::expand(item.clone().into()), || form::recover(item.into()))
}

fn define(kind: Kind, attribute: TokenStream, item: TokenStream) -> TokenStream {
    let expansion = definition::expand(kind, attribute.into(), item.clone().into());
    finish(expansion, || definition::recover(kind, item.into()))
}

/// Returns the expansion; on an error, the error and recovery items that prevent follow-up errors.
fn finish(expansion: syn::Result<TokenStream2>, recover: impl FnOnce() -> TokenStream2) -> TokenStream {
    let tokens = expansion.unwrap_or_else(|error| {
        let mut tokens = error.into_compile_error();
        tokens.extend(recover());
        tokens
    });
    tokens.into()
}

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
