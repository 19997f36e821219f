//! An MCP server with one tool, on stdio.

use ferromcp::prelude::*;

/// Add two numbers
#[tool(annotations(read_only, open_world = false))]
async fn add(
    /// The first number
    a: i64,
    /// The second number
    b: i64,
) -> Result<i64, ToolError> {
    a.checked_add(b)
        .ok_or_else(|| ToolError::new("the sum is too large"))
}

fn server() -> Server {
    Server::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")).tool::<add>()
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    server().serve(stdio()).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn returns_sum_when_arguments_are_valid() -> Result<(), ClientError> {
        let client = Client::builder("tests", "1.0.0").connect(server()).await?;
        let sum: i64 = client.call_as("add", json!({ "a": 2, "b": 3 })).await?;
        assert_eq!(sum, 5);
        client.close().await;
        Ok(())
    }

    #[tokio::test]
    async fn returns_error_when_sum_overflows() {
        let error = add(i64::MAX, 1).await.unwrap_err();
        assert_eq!(error.to_string(), "the sum is too large");
    }
}
