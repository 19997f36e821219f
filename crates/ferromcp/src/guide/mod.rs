//! The guide: one page per topic.
//!
//! All code on these pages is part of examples that the tests of Ferromcp compile and run. The complete programs are in
//! [`examples/src/bin`](https://github.com/ferromcp/ferromcp/tree/main/examples/src/bin). Start with
//! [Getting started](getting_started).
//!
//! - **Start**
//!   - [Getting started](getting_started)
//!   - [Start a project](new)
//!   - [Coming from FastMCP, the Python SDK or rmcp](coming_from)
//! - **Servers**
//!   - [Tools](tools)
//!   - [Tool results](results)
//!   - [Dates, UUIDs and URLs](dates_uuids_urls)
//!   - [Types and hosts](host_types)
//!   - [Resources](resources)
//!   - [Prompts and completions](prompts_and_completions)
//!   - [Context](context)
//!   - [Elicitation, sampling and roots](elicitation)
//!   - [Subscriptions](subscriptions)
//!   - [Errors](errors)
//! - **Structure of a server**
//!   - [State and lifespan](state_and_lifespan)
//!   - [Per-client state](per_client_state)
//!   - [Components and mounting](components_and_mounting)
//!   - [Without macros](without_macros)
//!   - [Middleware and tracing](middleware_and_tracing)
//!   - [Middleware recipes](middleware_recipes)
//!   - [Testing](testing)
//! - **Running a server**
//!   - [Stdio and hosts](stdio_and_hosts)
//!   - [Host configuration](hosts)
//!   - [HTTP: Streamable HTTP and HTTP+SSE](http)
//!   - [Deployment](deployment)
//!   - [Protect a server](protect_a_server)
//!   - [Embedded authorization server](embedded_authorization_server)
//!   - [Observability](observability)
//!   - [Limits](limits)
//! - **Clients**
//!   - [The client](client)
//!   - [Authorization](authorization)
//!   - [Command-line tool](command_line)
//!   - [Run and bridge servers](run)
//!   - [Develop a server: hot reload and inspector](dev)
//!   - [Check the definitions of a server](lint)
//!   - [Freeze a tool surface in CI](tool_surface)
//!   - [Package a server](pack)
//! - **Reference**
//!   - [Protocol revisions](revisions)
//!   - [Troubleshooting](troubleshooting)

// `crates/ferromcp/guide` is a symbolic link to `docs/guide`, so that `cargo package` includes the pages. The tests of the
// examples check this file, `links.md`, and the pages with their code.

/// Declares a module per page, from its description and its file.
macro_rules! pages {
    ($(#[doc = $description:literal] $name:ident = $file:literal;)*) => {
        $(
            #[doc = $description]
            ///
            #[doc = include_str!("links.md")]
            ///
            #[doc = include_str!(concat!("../../guide/", $file))]
            pub mod $name {}
        )*
    };
}

pages! {
    /// A server in 15 lines, and how to try it.
    getting_started = "getting-started.md";
    /// Projects from templates: `mcp new`.
    new = "new.md";
    /// The same task in each library, and the differences in behavior.
    coming_from = "coming-from.md";
    /// Arguments, validation, defaults, annotations.
    tools = "tools.md";
    /// Text, structured output, images, files.
    results = "results.md";
    /// Arguments and results of the types of `chrono`, `uuid` and `url`.
    dates_uuids_urls = "dates-uuids-urls.md";
    /// Which types hosts and agent frameworks accept, and startup warnings.
    host_types = "host-types.md";
    /// URIs, resource templates, path safety, caching.
    resources = "resources.md";
    /// Message templates, and suggestions while a user types.
    prompts_and_completions = "prompts-and-completions.md";
    /// Progress, logging, reading resources, cancellation.
    context = "context.md";
    /// Requests to the client from inside a handler, on every revision.
    elicitation = "elicitation.md";
    /// List and resource change notifications.
    subscriptions = "subscriptions.md";
    /// Errors for the model, the client, the caller and the operator.
    errors = "errors.md";
    /// Database handles and other shared state, setup and shutdown.
    state_and_lifespan = "state-and-lifespan.md";
    /// State of one session, user or client.
    per_client_state = "per-client-state.md";
    /// Methods as tools, namespaces, mounted servers.
    components_and_mounting = "components-and-mounting.md";
    /// Builders, external schemas, registration at run time.
    without_macros = "without-macros.md";
    /// Wrappers around every call, custom extractors, spans.
    middleware_and_tracing = "middleware-and-tracing.md";
    /// Authentication, audit logs, caching and redaction, to copy and adapt.
    middleware_recipes = "middleware-recipes.md";
    /// Tests of functions, servers, calls and elicitation.
    testing = "testing.md";
    /// Stray output, signals, other transports.
    stdio_and_hosts = "stdio-and-hosts.md";
    /// Configuration files of Claude Desktop, Claude Code, VS Code, Cursor and other hosts.
    hosts = "hosts.md";
    /// Mounting in a router, sessions, resumption, origins, TLS.
    http = "http.md";
    /// Settings, health checks, containers, reverse proxies, several processes.
    deployment = "deployment.md";
    /// Access tokens of an identity provider, scopes, principals.
    protect_a_server = "protect-a-server.md";
    /// Login and consent pages, and access tokens of the server itself.
    embedded_authorization_server = "embedded-authorization-server.md";
    /// Logs, traces and metrics for operators.
    observability = "observability.md";
    /// Every limit and its default.
    limits = "limits.md";
    /// Connecting to servers of every revision, calls, reconnection, caching, groups of servers.
    client = "client.md";
    /// OAuth for clients: logins, stores, programs without a user.
    authorization = "authorization.md";
    /// Servers from the terminal: targets, arguments, results, exit codes, logins.
    command_line = "command-line.md";
    /// Servers over another transport or for clients of another revision: `mcp run`.
    run = "run.md";
    /// A server that is rebuilt while clients stay connected, and a web inspector: `mcp dev`.
    dev = "dev.md";
    /// Names, schemas and descriptions that hosts reject or models misunderstand: `mcp lint`.
    lint = "lint.md";
    /// Snapshots, breaking changes and locks of definitions: `mcp inspect`, `snapshot`, `diff` and `lock`.
    tool_surface = "tool-surface.md";
    /// MCP bundles and registry entries: `mcp pack`.
    pack = "pack.md";
    /// The differences between the revisions.
    revisions = "revisions.md";
    /// The exact text of each error, with its cause and remedy.
    troubleshooting = "troubleshooting.md";
}
