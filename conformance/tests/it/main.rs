//! Tests with servers as child processes: raw messages, third-party clients and third-party servers.
//!
//! | module | contents |
//! |---|---|
//! | `transcript` | snapshots of whole sessions per revision, validated against the official schemas |
//! | `stdio` | stray output, end of input, signals, batches, invalid messages, terminals |
//! | `http_terminal` | the usage hint of an HTTP server in a terminal |
//! | `many_tools` | a server with ten thousand tools |
//! | `misbehaving_clients` | slow, stalled and oversized HTTP requests, abandoned sessions |
//! | `interop` | clients of the Python SDKs, and the Inspector |
//! | `over_http` | clients of the Python and TypeScript SDKs over Streamable HTTP and HTTP+SSE |
//! | `client_requests` | elicitation, sampling and roots with the same clients |
//! | `client_python` | the Ferromcp client with servers of the Python SDKs and FastMCP |
//! | `client_others` | the Ferromcp client with servers of the TypeScript SDKs and rmcp |
//! | `multi_process` | multi-round-trip calls across several server processes |
//! | `post_only` | the Ferromcp client with servers in web frameworks that have no GET route |
//! | `proxies` | the Ferromcp client with third-party proxies in front of a Ferromcp server |
//! | `oauth_clients` | OAuth clients of the Python and TypeScript SDKs with the embedded authorization server |
//! | `oauth_servers` | the OAuth client of Ferromcp with authorization servers of the Python SDKs and FastMCP |
//! | `identity_provider` | a protected server with an OpenID Connect provider |
//! | `smolagents` | the MCP client of smolagents |
//! | `host_types` | conversion of input schemas by agent frameworks |
//! | `resumption` | resumption after a connection is closed during a call |
//! | `browser` | web pages of other origins in a browser |
//! | `server_process`, `schema_validator` | helpers: the child process, the schemas |
//! | `oauth_server`, `oauth_user` | helpers: a protected server, and a user who grants access |
//!
//! The schemas are in the folder `FERROMCP_SPEC`, or in a default folder next to the workspace. The third-party clients and
//! servers are in the folder `FERROMCP_INTEROP` (`cargo xtask interop` creates it). Without these folders, the tests that
//! require them report that they are skipped. With `FERROMCP_REQUIRE_SPEC` or `CI=true` they fail instead.

mod browser;
mod client_others;
mod client_python;
mod client_requests;
mod host_types;
mod http_terminal;
mod identity_provider;
mod interop;
mod many_tools;
mod misbehaving_clients;
mod multi_process;
mod oauth_clients;
mod oauth_server;
mod oauth_servers;
mod oauth_user;
mod over_http;
mod post_only;
mod proxies;
mod result_table;
mod resumption;
mod schema_validator;
mod server_process;
mod smolagents;
mod stdio;
mod transcript;
