//! The macros of Ferromcp: `#[tool]`, `#[resource]`, `#[prompt]`, `#[completion]`, `#[component]`, `#[derive(Form)]`.
//!
//! Each writes what a person could write with the builders of `ferromcp::server`, and nothing else: there is no second
//! way for a function to become a tool. What can be judged without types is judged here, with the remedy in the message.

mod ask;
mod asked;
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
mod nearest;
mod options;
mod param;
mod prompt;
mod resource;
mod template;
#[cfg(test)]
mod tests;
mod tool;
mod types;
mod value;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as TokenStream2;

use kind::Kind;

/// Makes a function a tool, something a model can call.
///
/// The function stays as it is. Beside it comes a type of the same name, by which the server learns of the tool:
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
/// The doc comment is the description the model reads. A function without `async` runs where the request is read, which
/// is right for what takes microseconds; say `blocking` for what computes or blocks.
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `name = "…"` | the tool's name, the function's unless given: 1 to 128 of `A-Z a-z 0-9 _ . -` |
/// | `title = "…"` | the name for people |
/// | `description = "…"` | instead of the doc comment |
/// | `annotations(…)` | any of `read_only`, `destructive`, `idempotent`, `open_world`, bare or `= false` |
/// | `icon = "https://…"` | a picture; may stand more than once |
/// | `blocking` | run this plain `fn` on the pool for blocking work |
/// | `crate = "…"` | the path of this SDK, if it is not `::ferromcp` |
///
/// # Parameters
///
/// What serde can read and schemars can describe is an argument; a `Ctx`, `State<T>`, `Args<T>` or other extractor is
/// taken from the context of the call. A doc comment on an argument is its description, and `#[arg(…)]` says the rest:
///
/// | option | meaning |
/// |---|---|
/// | `name = "…"` | its name for callers, the parameter's unless given |
/// | `title = "…"`, `description = "…"` | for people, for the model |
/// | `default`, `default = …` | its value when left out; bare, the type's own default |
/// | `range(1..=1000)` | the limits of a number |
/// | `length(1..=80)` | the limits of a text's characters or a list's items |
/// | `header = "Region"` | repeat it in the HTTP header `Mcp-Param-Region`, for proxies that route by it |
///
/// ```
/// use ferromcp::prelude::*;
///
/// /// Finds notes by their words.
/// #[tool(title = "Search notes", annotations(read_only, open_world = false))]
/// fn search(
///     /// Words the note must hold
///     #[arg(length(1..=80))]
///     words: String,
///     /// How many notes at most
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
/// # Answers
///
/// A parameter under `#[ask(…)]` is no argument: its value is known, or the client is asked for it, before the function is
/// called. In the parentheses stands what returns the one or the other; it sees the parameters before it by their names.
///
/// ```
/// use ferromcp::prelude::*;
///
/// fn sure(path: &str) -> Ask<bool> {
///     if path.starts_with("/tmp/") { Ask::known(true) } else { Question::form(format!("Delete {path}?")).into() }
/// }
///
/// /// Deletes a file.
/// #[tool(annotations(destructive))]
/// async fn delete(path: String, #[ask(sure(&path))] sure: bool) -> String {
///     if sure { format!("{path} is gone") } else { "Nothing was deleted".into() }
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

/// Makes a function a resource: data under a URI, or under all URIs of a template.
///
/// ```
/// use ferromcp::prelude::*;
///
/// /// What the application is set to.
/// #[resource("config://app", mime_type = "application/json")]
/// fn config() -> &'static str {
///     r#"{ "theme": "dark" }"#
/// }
///
/// /// A greeting for anyone.
/// #[resource("greeting://{name}")]
/// async fn greeting(name: String) -> String {
///     format!("Hello, {name}!")
/// }
///
/// let server = Server::new("Demo", "1.0.0").resource::<config>().resource::<greeting>();
/// # drop(server);
/// ```
///
/// Each variable of the template is a parameter of that name, or a field of the `T` in `Args<T>`.
///
/// # Options
///
/// First the URI or template. Then `name` (the function's unless given), `title`, `description`, `icon`, `blocking` and
/// `crate` as for [`tool`](macro@tool), and:
///
/// | option | meaning |
/// |---|---|
/// | `mime_type = "…"` | the type of all that it yields; found by looking at the contents unless given |
/// | `ttl_ms = 60_000` | how long what was read stays fresh, in milliseconds |
/// | `priority = 0.5` | how important it is, from 0 to 1 |
#[proc_macro_attribute]
pub fn resource(attribute: TokenStream, item: TokenStream) -> TokenStream {
    define(Kind::Resource, attribute, item)
}

/// Makes a function a prompt: messages a person picks from a menu, filled in with arguments.
///
/// ```
/// use ferromcp::prelude::*;
///
/// /// Asks for a review.
/// #[prompt(title = "Review code")]
/// fn review_code(
///     /// The code to look at
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
/// `name` (the function's unless given), `title`, `description`, `icon`, `blocking` and `crate`, as for
/// [`tool`](macro@tool). Parameters take the same `#[arg(…)]`.
#[proc_macro_attribute]
pub fn prompt(attribute: TokenStream, item: TokenStream) -> TokenStream {
    define(Kind::Prompt, attribute, item)
}

/// Makes a function suggest values while a person types an argument of a prompt or a variable of a template.
///
/// The function's first argument is what is typed so far. Further ones are other arguments that are settled already, by
/// their names: let them be `Option`.
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
/// | `argument = "…"` | the prompt's argument, or the template's variable |
/// | `crate = "…"` | the path of this SDK, if it is not `::ferromcp` |
#[proc_macro_attribute]
pub fn completion(attribute: TokenStream, item: TokenStream) -> TokenStream {
    define(Kind::Completion, attribute, item)
}

/// Makes the marked methods of an `impl` block the parts of one component, which a server mounts as a whole.
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
///     /// Takes a note, and says how many there are.
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
///     fn not_for_callers(&self) {}
/// }
///
/// let server = Server::new("Desk", "1.0.0").mount("notes", Notes::default());
/// # drop(server);
/// ```
///
/// Methods take `&self`, for calls run side by side; functions without `self` are welcome too. `#[tool]`, `#[resource]`,
/// `#[prompt]` and `#[completion]` take the options they take on functions, but `crate = "…"`, which is said once, to
/// `#[component]`. A type has one such block.
#[proc_macro_attribute]
pub fn component(attribute: TokenStream, item: TokenStream) -> TokenStream {
    answer(component::expand(attribute.into(), item.clone().into()), || component::recover(item.into()))
}

/// Makes a struct a form that the client's user fills in, or an enum a choice in such a form.
///
/// ```
/// use ferromcp::prelude::*;
///
/// #[derive(Form)]
/// struct Booking {
///     /// The name to book under
///     #[form(title = "Name", length(1..=80))]
///     name: String,
///     /// Where the confirmation goes
///     #[form(format = "email")]
///     email: String,
///     #[form(range(1..=8), default = 2)]
///     seats: u8,
///     room: Room,
///     #[form(items(..=2))]
///     extras: Vec<Extra>,
///     /// Anything we should know
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
/// A field is a `String`, `bool`, integer, `f32` or `f64`, an enum that derives `Form`, a `Vec` of such an enum (several
/// choices), an `Option` of any of these, or a type that implements `ferromcp::server::form::FormField`. Anything else does
/// not compile, for no client could show it: a form is flat.
///
/// An `Option` may be left out, and so may a `Vec` unless it needs an item, and what has a default. The doc comment is what
/// people read beside the field. `#[form(…)]` says the rest:
///
/// | option | meaning |
/// |---|---|
/// | `name = "…"` | its name for clients, the field's unless given |
/// | `title = "…"`, `description = "…"` | for people; the description instead of the doc comment |
/// | `default`, `default = …` | its value when left out, filled in at first; bare, the type's own default |
/// | `range(1..=10)` | the limits of a number |
/// | `length(1..=80)` | the limits of a text, in characters |
/// | `format = "…"` | what the text is: `email`, `uri`, `date` or `date-time` |
/// | `items(1..=3)` | how many choices |
///
/// # Variants
///
/// A variant holds nothing, for it is only chosen. Its value is its identifier, unless `name = "…"` says another; people
/// read its `title = "…"`, or the value.
///
/// On the type itself, `#[form(crate = "…")]` gives the path of this SDK, if it is not `::ferromcp`.
#[proc_macro_derive(Form, attributes(form))]
pub fn derive_form(item: TokenStream) -> TokenStream {
    answer(form::expand(item.clone().into()), || form::recover(item.into()))
}

fn define(kind: Kind, attribute: TokenStream, item: TokenStream) -> TokenStream {
    let written = definition::expand(kind, attribute.into(), item.clone().into());
    answer(written, || definition::recover(kind, item.into()))
}

/// What was written; or the error, and what keeps it the only one.
fn answer(written: syn::Result<TokenStream2>, recover: impl FnOnce() -> TokenStream2) -> TokenStream {
    let tokens = written.unwrap_or_else(|error| {
        let mut tokens = error.into_compile_error();
        tokens.extend(recover());
        tokens
    });
    tokens.into()
}
