//! Arguments and results with dates, UUIDs and URLs (the features `chrono`, `uuid` and `url`).

use chrono::{DateTime, NaiveDate, Utc};
use ferromcp::prelude::*;
use ferromcp::server::Json;
use schemars::JsonSchema;
use serde::Serialize;
use url::Url;
use uuid::Uuid;

/// A visit
#[derive(Serialize, JsonSchema)]
struct Visit {
    customer: Uuid,
    day: NaiveDate,
    reminder: DateTime<Utc>,
    page: Option<Url>,
}

/// Book a visit of a customer
#[tool]
fn book_visit(
    /// The customer's id
    customer: Uuid,
    /// The day of the visit
    day: NaiveDate,
    /// When to send the reminder
    reminder: DateTime<Utc>,
    /// A page with directions
    page: Option<Url>,
) -> Result<Json<Visit>, ToolError> {
    if reminder.date_naive() > day {
        return Err(ToolError::new(format!("the reminder is after the visit; choose a time before {day}")));
    }
    if page.as_ref().is_some_and(|page| page.scheme() != "https") {
        return Err(ToolError::new("`page` must be an https URL"));
    }
    Ok(Json(Visit { customer, day, reminder, page }))
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Visits", "1.0.0").tool::<book_visit>().serve(stdio()).await
}
