//! A tool that asks its client in the middle: a form, something done once, and a question that may be declined.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ferromcp::prelude::*;

#[derive(Form)]
struct Party {
    /// Who the table is for
    #[form(title = "Name", length(1..=80))]
    name: String,
    #[form(range(1..=8), default = 2)]
    guests: u8,
    place: Place,
}

#[derive(Debug, Form)]
enum Place {
    #[form(title = "By the window")]
    Window,
    #[form(title = "In the garden")]
    Garden,
}

/// Tables, which are given out one after the other.
#[derive(Clone, Default)]
struct Tables(Arc<AtomicU32>);

impl Tables {
    fn reserve(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Book a table
#[tool]
async fn book(State(tables): State<Tables>, ctx: Ctx) -> Result<String, ToolError> {
    let Party { name, guests, place } = ctx.elicit("A table for whom?").await?;
    let table = ctx.once("reserve", || async { tables.reserve() }).await?; // and not again after the next question
    let sure = ctx.try_elicit::<bool>(format!("Table {table} for {guests}, {place:?}. Shall I book it?")).await?;
    Ok(match sure {
        Elicited::Accepted(true) => format!("Table {table} is booked for {name}"),
        Elicited::Accepted(false) | Elicited::Declined => format!("Table {table} is free again"),
        Elicited::Cancelled => format!("Table {table} is kept until {name} decides"),
    })
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Restaurant", "1.0.0").tool::<book>().state(Tables::default()).serve(stdio()).await
}
