//! A server mounted in another one, with its own state and middleware.

use std::time::Duration;

use ferromcp::prelude::*;
use ferromcp::server::State;
use ferromcp::server::middleware::rate_limit;

/// The currency of the prices.
#[derive(Clone)]
struct Currency(&'static str);

/// Look up the price of an item
#[tool]
fn price(item: String, State(Currency(currency)): State<Currency>) -> String {
    format!("{item}: {} {currency}", item.len())
}

/// The terms of the shop
#[resource("shop://terms")]
fn terms() -> &'static str {
    "No refunds."
}

fn shop(currency: &'static str) -> Server {
    Server::new("Shop", "1.0.0")
        .state(Currency(currency))
        .wrap(rate_limit(100, Duration::from_secs(60)))
        .tool::<price>()
        .resource::<terms>()
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Mall", "1.0.0")
        .mount("books", shop("EUR")) // tool `books_price`, resource `shop://books/terms`
        .mount("games", shop("USD"))
        .serve(stdio())
        .await
}
