//! Servers as real child processes, spoken to by hand, byte by byte, and by clients that others wrote.
//!
//! | module | what |
//! |---|---|
//! | `transcript` | a whole conversation in each era, pinned to the byte, each line held to its official schema |
//! | `stdio` | stray output, end of input, signals, batches, broken lines, terminals |
//! | `many` | a server of ten thousand tools |
//! | `faults` | clients that misbehave over HTTP |
//! | `interop` | the Python SDKs' clients and the Inspector |
//! | `over_http` | the clients of the Python and TypeScript SDKs, over HTTP and HTTP+SSE |
//! | `asking` | the same clients, asked in the middle of calls |
//! | `client_python` | our client at servers of the Python SDKs and of FastMCP |
//! | `client_others` | our client at the servers of the TypeScript SDKs and of rmcp |
//! | `fleet` | conversations that go on in another process |
//! | `cut` | a connection that is cut in the middle of a call |
//! | `browser` | pages of other origins, in a real browser |
//! | `peer`, `official` | the child process, the schemas |
//!
//! The schemas are looked for in the folder that `FERROMCP_SPEC` names, else in `../shared/spec` beside the workspace;
//! the other clients in the folder that `FERROMCP_INTEROP` names (`cargo xtask interop` makes one). Without them what
//! needs them says that it was skipped; with `FERROMCP_REQUIRE_SPEC`, or `CI=true`, it fails instead.

mod asking;
mod browser;
mod client_others;
mod client_python;
mod cut;
mod faults;
mod fleet;
mod interop;
mod many;
mod official;
mod over_http;
mod peer;
mod stdio;
mod transcript;
