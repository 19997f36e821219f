//! Tools with elicitation: a form, effects that run once, and a question that the user may decline.

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

/// The number of parties that wait for a table.
#[derive(Clone, Default)]
struct WaitingList(Arc<AtomicU32>);

impl WaitingList {
    fn join(&self) -> Result<u32, ToolError> {
        let next = |parties| (parties < 2).then_some(parties + 1);
        let joined = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        joined.map(|parties| parties + 1).map_err(|_| ToolError::new("the waiting list is full; try another day"))
    }
}

/// Wait for a table
#[tool]
async fn wait(State(list): State<WaitingList>, ctx: Ctx) -> Result<String, ToolError> {
    let number = ctx.try_once("join", || async { list.join() }).await?; // records a failure too
    let name = ctx.elicit::<String>(format!("You are number {number}. What is your name?")).await?;
    Ok(format!("{name} is number {number} of the waiting list"))
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    let server = Server::new("Restaurant", "1.0.0").tool::<book>().tool::<wait>();
    server.state(Tables::default()).state(WaitingList::default()).serve(stdio()).await
}
