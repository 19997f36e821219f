//! A tool with elicitation and its test: on every revision, with one and with all answers per round, checking for repeated effects.

use ferromcp::prelude::*;
use ferromcp::server::State;
use ferromcp::server::testing::Effects;

/// Pay for an order
#[tool]
async fn pay(cents: u32, State(effects): State<Effects>, ctx: Ctx) -> Result<String, ToolError> {
    ctx.once("reserve", || async { effects.record("reserved") }).await?;
    if !ctx.elicit::<bool>(format!("Pay {cents} cents?")).await? {
        return Ok("nothing was paid".into());
    }
    let tip = ctx.elicit::<u32>("How much of a tip?").or(0).await?;
    effects.record(format!("paid {}", cents + tip)); // no question follows
    Ok(format!("{} cents were paid", cents + tip))
}

fn server(effects: Effects) -> Server {
    Server::new("Till", "1.0.0").tool::<pay>().state(effects)
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    server(Effects::new()).serve(stdio()).await
}

#[cfg(test)]
mod tests {
    use ferromcp::server::testing::for_each_mode;

    use super::*;

    #[tokio::test]
    async fn pays_once_when_user_accepts() {
        for_each_mode(server, async |client| {
            client.accept("Pay 500 cents?", &[("value", true)]);
            client.accept("tip", &[("value", 50)]);
            assert_eq!(client.text("pay", &[("cents", 500)]).await, "550 cents were paid");
            assert_eq!(client.asked(), ["Pay 500 cents?", "How much of a tip?"]);
        })
        .await;
    }

    #[tokio::test]
    async fn pays_nothing_when_user_declines() {
        for_each_mode(server, async |client| {
            client.decline("Pay 500 cents?");
            let error = client.error_text("pay", &[("cents", 500)]).await;
            assert_eq!(error, "the user declined to answer: Pay 500 cents?");
        })
        .await;
    }
}
