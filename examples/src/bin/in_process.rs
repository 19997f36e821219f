//! A server and its client in one process, as in a test.

use ferromcp::prelude::*;

/// Add two numbers
#[tool]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn server() -> Server {
    Server::new("Demo", "1.0.0").tool::<add>()
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
    async fn sum_is_returned_when_tool_is_called_in_process() -> Result<(), ClientError> {
        let client = Client::builder("tests", "1.0.0").connect(server()).await?;
        let sum: i64 = client.call_as("add", json!({ "a": 2, "b": 3 })).await?;
        assert_eq!(sum, 5);
        let error = client.call_as::<i64>("add", json!({ "a": 2 })).await.unwrap_err();
        assert!(error.to_string().contains("`b` is missing"), "{error}");
        client.close().await;
        Ok(())
    }
}
