//! An argument that clients repeat in an HTTP header, so that proxies can route by it.

use ferromcp::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Region {
    Eu,
    Us,
}

/// Count the orders of a day
#[tool(annotations(read_only))]
fn count_orders(
    /// Where the orders were placed
    #[arg(header = "Region")]
    region: Region,
    /// Number of days before today
    #[arg(range(0..=365), default = 0)]
    day: u32,
) -> String {
    format!("no orders in {region:?}, {day} days ago")
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Orders", "1.0.0").tool::<count_orders>().serve(stdio()).await
}
