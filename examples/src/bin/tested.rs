//! A server with tests of the function, of the configuration, and of a complete call.

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
    use ferromcp::core::{ClientRequest, RawJson, Revision, ServerResult};
    use ferromcp::model::CallToolParams;
    use ferromcp::server::{Call, Peer, Reply};

    use super::*;

    #[tokio::test]
    async fn function_returns_sum() {
        assert_eq!(add(1, 2).await, 3);
    }

    #[test]
    fn configuration_is_valid() {
        server().check().unwrap();
    }

    #[tokio::test]
    async fn call_returns_sum() -> anyhow::Result<()> {
        let arguments = RawJson::parse(r#"{ "a": 1, "b": 2 }"#)?;
        let request = ClientRequest::CallTool(CallToolParams::new("add").arguments(arguments));
        let reply = server().call(Call::new(request, Peer::new(Revision::LATEST))).await;
        let Reply::Done(ServerResult::CallTool(result)) = reply else { panic!("{reply:?}") };
        assert_eq!(result.content[0].as_text(), Some("3"));
        Ok(())
    }
}
