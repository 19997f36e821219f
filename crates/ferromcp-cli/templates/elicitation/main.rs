//! An MCP server whose tool asks the user (elicitation), on stdio.

use ferromcp::Form;
use ferromcp::prelude::*;

/// The fields of the form.
#[derive(Form)]
struct Party {
    /// Number of guests
    #[form(range(1..=12), default = 2)]
    guests: u8,
    /// Whether a guest is vegetarian
    #[form(default)]
    vegetarian: bool,
}

/// Book a table
#[tool]
async fn book_table(
    /// The day, for example 2030-01-31
    day: String,
    ctx: Ctx,
) -> Result<String, ToolError> {
    let Party { guests, vegetarian } = ctx.elicit("Who is coming?").await?;
    if !ctx.elicit::<bool>(format!("Book for {day}?")).await? {
        return Ok("nothing was booked".to_owned());
    }
    // Effects belong after the last question, or in `Ctx::once`: clients may call the handler again for each answer.
    let menu = if vegetarian {
        ", with a vegetarian menu"
    } else {
        ""
    };
    Ok(format!("booked a table for {guests} on {day}{menu}"))
}

fn server() -> Server {
    Server::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")).tool::<book_table>()
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    server().serve(stdio()).await
}

#[cfg(test)]
mod tests {
    use ferromcp::server::testing::for_each_mode;
    use serde_json::json;

    use super::*;

    // The tests run with each way in which clients answer questions.

    #[tokio::test]
    async fn books_when_user_accepts() {
        for_each_mode(
            |_| server(),
            async |client| {
                client.accept(
                    "Who is coming?",
                    &json!({ "guests": 3, "vegetarian": true }),
                );
                client.accept("Book for 2030-01-31?", &json!({ "value": true }));
                let text = client
                    .text("book_table", &json!({ "day": "2030-01-31" }))
                    .await;
                assert_eq!(
                    text,
                    "booked a table for 3 on 2030-01-31, with a vegetarian menu"
                );
                assert_eq!(client.asked(), ["Who is coming?", "Book for 2030-01-31?"]);
            },
        )
        .await;
    }

    #[tokio::test]
    async fn books_nothing_when_user_declines() {
        for_each_mode(
            |_| server(),
            async |client| {
                client.decline("Who is coming?");
                let error = client
                    .error_text("book_table", &json!({ "day": "2030-01-31" }))
                    .await;
                assert!(error.contains("declined"), "{error}");
            },
        )
        .await;
    }
}
