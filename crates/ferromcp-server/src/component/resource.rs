//! Resources: what a server lets be read, at one URI or under a template of them.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources>.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use ferromcp_core::model::{self, Annotations, CacheHint, Icon, ReadResourceResult, Role};
use ferromcp_core::text::excerpt;
use ferromcp_core::{Error, Meta, ServerResult};

use super::resource_list::{ListFunction, Lister, ReadyLister};
use crate::call::Reply;
use crate::client_requests::RoundOutcome;
use crate::function::arg::Arg;
use crate::function::invocation::Invocation;
use crate::function::rejection::Rejection;
use crate::function::signature::Signature;
use crate::function::start::{Async, Blocking, Function, Inline};
use crate::function::text_value::TextValue;
use crate::maybe_ready::MaybeReady;
use crate::mount::{Mount, MountedItem};
use crate::namespace::{name_under, uri_under};
use crate::output::ResourceOutput;
use crate::scopes::check_scopes;
use crate::tool_error::ToolError;
use crate::uri_key::{template_key, uri_key};
use crate::uri_template::{Capture, Captures, UriTemplate};

/// A resource: a function behind a URI, or behind a URI template whose variables are its parameters.
///
/// ```
/// use ferromcp_server::{Arg, Resource};
///
/// let greeting = Resource::new("greeting://{name}", |name: String| async move { format!("Hello, {name}!") })
///     .name("greeting")
///     .args([Arg::new("name")]);
/// ```
#[derive(Clone)]
pub struct Resource {
    uri: String,
    about: About,
    args: Vec<Arg>,
    scopes: Vec<String>,
    cache: Option<CacheHint>,
    unsafe_paths: bool,
    lister: Option<Lister>,
    function: Arc<dyn ResourceFunction>,
}

/// Metadata of a resource.
#[derive(Clone, Default)]
struct About {
    name: Option<String>,
    title: Option<String>,
    description: Option<String>,
    mime_type: Option<String>,
    size: Option<u64>,
    icons: Vec<Icon>,
    annotations: Option<Annotations>,
    meta: Meta,
}

/// A resource's function, with its parameter and output types erased.
trait ResourceFunction: Send + Sync {
    fn signature(&self, args: &[Arg]) -> Result<Signature, String>;
    fn start(&self, signature: &Signature, invocation: &Invocation<'_>, label: Label) -> Result<MaybeReady, Rejection>;
}

/// The URI, MIME type and cache settings of the contents.
struct Label {
    uri: String,
    mime_type: Option<String>,
    cache: Option<CacheHint>,
}

impl Label {
    fn complete(self, mut result: ReadResourceResult) -> Reply {
        if let Some(hint) = self.cache {
            result.ttl_ms.get_or_insert(hint.ttl_ms);
            result.cache_scope.get_or_insert(hint.scope);
        }
        if result.contents.is_empty() {
            return Reply::Failed(Error::resource_not_found(&self.uri)); // an empty list would be a success
        }
        Reply::Done(ServerResult::ReadResource(result))
    }
}

struct Typed<F, M>(F, PhantomData<fn() -> M>);

impl<M: 'static, F: Function<M>> ResourceFunction for Typed<F, M>
where
    F::Output: ResourceOutput,
{
    fn signature(&self, args: &[Arg]) -> Result<Signature, String> {
        F::signature(args)
    }

    fn start(&self, signature: &Signature, invocation: &Invocation<'_>, label: Label) -> Result<MaybeReady, Rejection> {
        let finish = move |output: Result<F::Output, ToolError>| {
            let outcome = output.and_then(|output| output.into_outcome(&label.uri, label.mime_type.as_deref()));
            RoundOutcome::finish(outcome, |result| label.complete(result), ToolError::into_reply)
        };
        self.0.start(signature, invocation, finish).map(|started| started.0)
    }
}

impl Resource {
    /// Creates a resource from an `async fn` or closure. Name its parameters with [`args`](Self::args).
    pub fn new<F, M: 'static>(uri_or_template: impl Into<String>, function: F) -> Self
    where
        Async<F>: Function<M, Output: ResourceOutput>,
    {
        Self::of(uri_or_template.into(), Typed(Async(Arc::new(function)), PhantomData))
    }

    /// Creates a resource from a non-async function, which runs inline on the task that reads requests.
    pub fn sync<F, M: 'static>(uri_or_template: impl Into<String>, function: F) -> Self
    where
        Inline<F>: Function<M, Output: ResourceOutput>,
    {
        Self::of(uri_or_template.into(), Typed(Inline(Arc::new(function)), PhantomData))
    }

    /// Creates a resource from a non-async function that computes or blocks. Runs on the blocking thread pool of the
    /// runtime.
    pub fn blocking<F, M: 'static>(uri_or_template: impl Into<String>, function: F) -> Self
    where
        Blocking<F>: Function<M, Output: ResourceOutput>,
    {
        Self::of(uri_or_template.into(), Typed(Blocking(Arc::new(function)), PhantomData))
    }

    fn of(uri: String, function: impl ResourceFunction + 'static) -> Self {
        Self {
            uri,
            about: About::default(),
            args: Vec::new(),
            scopes: Vec::new(),
            cache: None,
            unsafe_paths: false,
            lister: None,
            function: Arc::new(function),
        }
    }

    /// Sets the programmatic name. Default: the URI.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.about.name = Some(name.into());
        self
    }

    /// Sets the display name.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.about.title = Some(title.into());
        self
    }

    /// Sets the description, which the model reads.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.about.description = Some(description.into());
        self
    }

    /// Sets the MIME type, for a template that of all matching resources. Default: detected from the contents.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.about.mime_type = Some(mime_type.into());
        self
    }

    /// Sets the size in bytes. Ignored for templates.
    pub fn size(mut self, bytes: u64) -> Self {
        self.about.size = Some(bytes);
        self
    }

    /// Sets the name and description of every parameter, in order, including extractors.
    pub fn args<A: Into<Arg>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// Adds an icon.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.about.icons.push(icon);
        self
    }

    /// Sets the priority annotation, from 0 (optional) to 1 (required).
    pub fn priority(mut self, priority: f64) -> Self {
        let annotations = self.about.annotations.take().unwrap_or_default();
        self.about.annotations = Some(annotations.priority(priority));
        self
    }

    /// Sets the audience annotation.
    pub fn audience(mut self, audience: impl IntoIterator<Item = Role>) -> Self {
        let annotations = self.about.annotations.take().unwrap_or_default();
        self.about.annotations = Some(annotations.audience(audience));
        self
    }

    /// Sets the time for which the reader may cache the contents, in milliseconds.
    pub fn ttl_ms(self, ttl_ms: u64) -> Self {
        self.cache(CacheHint::private(ttl_ms))
    }

    /// Sets the cache control of the contents.
    pub fn cache(mut self, hint: CacheHint) -> Self {
        self.cache = Some(hint);
        self
    }

    /// Sets the function that lists the resources of a template. The function takes extractors only, and returns
    /// [`ResourceDefinition`](model::ResourceDefinition)s: a `Vec`, another iterator, or a `Result` of these.
    ///
    /// It is called for each page of `resources/list` that contains its resources, at the position of the template
    /// among the registered resources. At most 10,000 resources are listed; more, and resources that the server cannot
    /// read, are skipped with a warning. If the function fails, the failure is logged, and the list contains the resources
    /// of all other templates and fixed URIs; the request fails only if no resource is left. When the list changes, call
    /// [`ChangeNotifier::resources_changed`](crate::ChangeNotifier::resources_changed).
    ///
    /// ```
    /// use ferromcp_core::model::ResourceDefinition;
    /// use ferromcp_server::{Arg, Resource, State};
    ///
    /// async fn all_notes(State(notes): State<Vec<String>>) -> Vec<ResourceDefinition> {
    ///     (0..notes.len()).map(|id| ResourceDefinition::new(format!("note://{id}"), format!("note {id}"))).collect()
    /// }
    ///
    /// async fn note(id: usize, State(notes): State<Vec<String>>) -> Option<String> {
    ///     notes.get(id).cloned()
    /// }
    ///
    /// let notes = Resource::new("note://{id}", note).args([Arg::new("id")]).list(all_notes);
    /// ```
    pub fn list<M>(mut self, function: impl ListFunction<M>) -> Self
    where
        M: 'static,
    {
        self.lister = Some(Lister::new(function));
        self
    }

    /// Accepts template variables that could escape a directory, such as `..`. The function must validate them.
    pub fn allow_unsafe_paths(mut self) -> Self {
        self.unsafe_paths = true;
        self
    }

    /// Adds an entry to `_meta`. A value that does not serialize is ignored.
    pub fn meta<T: serde::Serialize>(mut self, key: &str, value: &T) -> Self {
        let _ = self.about.meta.set(key, value);
        self
    }

    /// Sets the scopes that a caller needs over HTTP; see [`Principal`](crate::Principal). Without them, the resource is hidden
    /// from lists, and a read fails with status 403 and a challenge that names the scopes. All callers on stdio may use it.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.scopes = scopes.into_iter().map(|scope| scope.as_ref().to_owned()).collect();
        self
    }

    /// Returns the URI or template.
    pub(super) fn uri(&self) -> &str {
        &self.uri
    }

    pub(super) fn under(mut self, namespace: &str) -> Self {
        self.about.name = self.about.name.map(|name| name_under(namespace, &name));
        self.uri = uri_under(namespace, &self.uri);
        self.lister = self.lister.map(|lister| lister.under(namespace));
        self
    }

    /// Validates the definition.
    ///
    /// # Errors
    /// Returns a message that names the resource and the problem.
    pub(crate) fn build(self) -> Result<ReadyResource, String> {
        let uri = self.uri.clone();
        let context = |problem: String| format!("resource `{}`: {problem}", excerpt(&uri));
        let mut template = UriTemplate::parse(&template_key(&self.uri)).map_err(|error| context(error.to_string()))?;
        check_scheme(&self.uri).map_err(context)?;
        check_scopes(&self.scopes).map_err(context)?;
        if self.unsafe_paths {
            template = template.allow_unsafe_paths();
        }
        let signature = self.function.signature(&self.args).map_err(context)?;
        signature.check_texts().map_err(context)?;
        if self.lister.is_some() && template.is_literal() {
            return Err(context(
                "`list` requires a template with variables; list a fixed URI by registering it".into(),
            ));
        }
        let lister = self.lister.clone().map(Lister::build).transpose().map_err(context)?;
        for variable in template.variables() {
            if !signature.takes_all() && signature.position(variable.name()).is_none() {
                return Err(context(format!(
                    "the variable `{0}` has no parameter; add `{0}: String`",
                    excerpt(variable.name())
                )));
            }
        }
        for name in signature.required() {
            if template.variables().all(|variable| variable.name() != name) {
                return Err(context(format!(
                    "the parameter `{0}` is not a variable of the template; add `{{{0}}}` to the template",
                    excerpt(name)
                )));
            }
        }
        Ok(ReadyResource {
            definition: self.definition(&template),
            uri: self.uri,
            template,
            signature: Arc::new(signature),
            lister: lister.map(Arc::new),
            scopes: self.scopes,
            mounted: None,
            unsafe_paths: self.unsafe_paths,
            cache: self.cache,
            function: self.function,
        })
    }

    fn definition(&self, template: &UriTemplate) -> Listed {
        let from = self.about.clone();
        let name = from.name.unwrap_or_else(|| self.uri.clone());
        if template.is_literal() {
            let mut listed = model::ResourceDefinition::new(&self.uri, name);
            (listed.title, listed.description, listed.mime_type) = (from.title, from.description, from.mime_type);
            (listed.icons, listed.annotations, listed.meta) = (from.icons, from.annotations, from.meta);
            listed.size = from.size;
            return Listed::Fixed(listed);
        }
        let mut listed = model::ResourceTemplate::new(&self.uri, name);
        (listed.title, listed.description, listed.mime_type) = (from.title, from.description, from.mime_type);
        (listed.icons, listed.annotations, listed.meta) = (from.icons, from.annotations, from.meta);
        Listed::Template(listed)
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resource({})", self.uri)
    }
}

/// Validates the scheme (RFC 3986): a letter, then letters, digits, `+`, `-`, `.`, then a colon.
fn check_scheme(uri: &str) -> Result<(), String> {
    let scheme = uri.split_once(':').map(|(scheme, _)| scheme);
    let valid = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    };
    if scheme.is_some_and(valid) {
        return Ok(());
    }
    Err("the URI has no scheme; start it with one such as `notes:` (a letter, then letters, digits, + - .)".into())
}

/// The list entry of a resource.
#[derive(Debug, Clone)]
pub(crate) enum Listed {
    Fixed(model::ResourceDefinition),
    Template(model::ResourceTemplate),
}

/// A validated resource, as stored in the registry.
pub(crate) struct ReadyResource {
    pub(crate) definition: Listed,
    /// The URI or template as it was registered.
    pub(crate) uri: String,
    /// The parsed key of the template; see [`template_key`].
    pub(crate) template: UriTemplate,
    pub(crate) signature: Arc<Signature>,
    /// Lists the resources of the template.
    pub(crate) lister: Option<Arc<ReadyLister>>,
    /// The scopes that a caller needs.
    pub(crate) scopes: Vec<String>,
    /// The origin of a resource of a mounted server.
    pub(crate) mounted: Option<MountedItem>,
    unsafe_paths: bool,
    cache: Option<CacheHint>,
    function: Arc<dyn ResourceFunction>,
}

impl ReadyResource {
    /// Returns the resource as an item of the server that `mount` is part of.
    ///
    /// # Errors
    /// Returns a message if the template is not valid with the namespace.
    pub(crate) fn under(&self, mount: &Arc<Mount>) -> Result<Self, String> {
        let uri = uri_under(&mount.namespace, &self.uri);
        let mut template = UriTemplate::parse(&template_key(&uri))
            .map_err(|error| format!("resource `{}` under namespace `{}`: {error}", excerpt(&uri), mount.namespace))?;
        if self.unsafe_paths {
            template = template.allow_unsafe_paths();
        }
        let mut definition = self.definition.clone();
        match &mut definition {
            Listed::Fixed(listed) => (listed.uri, listed.name) = (uri.clone(), self.name_under(mount, &listed.name)),
            Listed::Template(listed) => {
                (listed.uri_template, listed.name) = (uri.clone(), self.name_under(mount, &listed.name));
            }
        }
        Ok(Self {
            definition,
            uri,
            template,
            signature: Arc::clone(&self.signature),
            lister: self.lister.clone(),
            scopes: self.scopes.clone(),
            mounted: Some(MountedItem { mount: Arc::clone(mount), name: self.uri.clone() }),
            unsafe_paths: self.unsafe_paths,
            cache: self.cache,
            function: Arc::clone(&self.function),
        })
    }

    /// Returns the name under the namespace of a mount. A resource without a name is named like its URI.
    fn name_under(&self, mount: &Mount, name: &str) -> String {
        if name == self.uri { uri_under(&mount.namespace, name) } else { name_under(&mount.namespace, name) }
    }

    /// Returns the key under which the resource is registered.
    pub(crate) fn key(&self) -> String {
        match self.definition {
            Listed::Fixed(_) => uri_key(&self.uri).into_owned(),
            Listed::Template(_) => self.template.as_str().to_owned(),
        }
    }

    /// Returns the signatures of its functions.
    pub(crate) fn signatures(&self) -> impl Iterator<Item = &Signature> {
        std::iter::once(&*self.signature).chain(self.lister.as_ref().map(|lister| &lister.signature))
    }

    /// Returns the MIME type that was set on the resource.
    pub(crate) fn mime_type(&self) -> Option<&str> {
        match &self.definition {
            Listed::Fixed(listed) => listed.mime_type.as_deref(),
            Listed::Template(listed) => listed.mime_type.as_deref(),
        }
    }

    /// Matches `uri` against the template; returns `None` if it does not match.
    ///
    /// # Errors
    /// Returns -32602 if a variable could escape a directory.
    pub(crate) fn captures(&self, uri: &str) -> Result<Option<Captures>, Error> {
        self.template.matches(uri).map_err(|unsafe_value| Error::invalid_params(unsafe_value.to_string()))
    }

    /// Starts a read of `uri`.
    pub(crate) fn start(&self, invocation: &Invocation<'_>, uri: &str) -> MaybeReady {
        let mime_type = self.mime_type().map(str::to_owned);
        let label = Label { uri: uri.to_owned(), mime_type, cache: self.cache };
        match self.function.start(&self.signature, invocation, label) {
            Ok(started) => started,
            Err(Rejection::Failed(error)) => MaybeReady::Ready(Reply::Failed(error)),
            Err(Rejection::Arguments(errors)) => {
                let of = format!("resource `{}`", excerpt(uri));
                MaybeReady::Ready(Reply::Failed(Error::invalid_params(Rejection::message(&errors, &of))))
            }
        }
    }
}

/// Returns the captures of a match as named texts.
pub(crate) fn texts(captures: &Captures) -> Vec<(Cow<'_, str>, TextValue<'_>)> {
    captures.iter().filter_map(|(name, capture)| Some((Cow::Borrowed(name), text(capture)?))).collect()
}

fn text(capture: &Capture) -> Option<TextValue<'_>> {
    match capture {
        Capture::One(text) => Some(TextValue::One(text.into())),
        Capture::Many(list) => Some(TextValue::Many(list.iter().map(Into::into).collect())),
        Capture::Absent => None,
    }
}
