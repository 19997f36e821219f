//! A stdio server with one tool per kind of Rust type.

use ferromcp::prelude::*;

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    ferromcp_conformance::host_types::server().serve(stdio()).await
}
