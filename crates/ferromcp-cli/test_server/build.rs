//! The builds of a server that is developed: each has a tool that the others do not have.

use ferromcp::prelude::*;
use ferromcp::server::Tool;

/// Returns a build of the server.
pub(crate) fn server(number: &str) -> Server {
    let result = number.to_owned();
    let current = Tool::sync("current", move || result.clone()).describe("Return the number of the build");
    let version = Tool::sync(format!("version_{number}"), || "").describe("Only in this build");
    Server::new(format!("Build {number}"), "1.0.0").with_tool(current).with_tool(version)
}
