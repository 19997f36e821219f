//! A tool with elicitation: a form, an effect that runs once, and a question that the user may decline.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ferromcp::Form;
use ferromcp::prelude::*;
use ferromcp::server::{Elicited, State};

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

/// Tables, reserved in order.
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
    let table = ctx.once("reserve", || async { tables.reserve() }).await?; // does not run again after the next question
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
