//! A server with a test that speaks to it as any client would, within the process.

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
    use super::*;

    #[tokio::test]
    async fn it_adds() -> Result<(), ClientError> {
        let client = Client::new("test", "1.0.0").connect(server()).await?;
        let sum: i64 = client.call_as("add", serde_json::json!({ "a": 1, "b": 2 })).await?;
        assert_eq!(sum, 3);
        client.close().await;
        Ok(())
    }
}
