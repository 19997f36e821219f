//! Manual rounds: a handler that chooses the next question and the state to keep until the answer.

use ferromcp::Form;
use ferromcp::prelude::*;
use ferromcp::server::{Question, Round, RoundOutcome};

/// Guess the user's number between 1 and 100
#[tool]
fn guess(round: Round) -> Result<RoundOutcome<String>, ToolError> {
    let (low, high): (u8, u8) = round.state()?.unwrap_or((1, 100));
    let middle = low.midpoint(high);
    let question = |guess: u8| Question::<Answer>::form(format!("Is it {guess}?"));
    let (low, high) = match round.answer("guess", &question(middle))? {
        Some(Answer { is_it: Is::Right }) => {
            return Ok(RoundOutcome::Complete(format!("{middle}, in {} questions", round.number() - 1)));
        }
        Some(Answer { is_it: Is::Higher }) if middle < high => (middle + 1, high),
        Some(Answer { is_it: Is::Lower }) if middle > low => (low, middle - 1),
        Some(_) => return Err(ToolError::new("there is no such number")),
        None => (low, high), // the first round, or a round without an answer
    };
    Ok(round.next().ask("guess", question(low.midpoint(high))).with_state(&(low, high)).into())
}

#[derive(Form)]
struct Answer {
    is_it: Is,
}

#[derive(Form)]
enum Is {
    Right,
    Higher,
    Lower,
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Guesses", "1.0.0").tool::<guess>().serve(stdio()).await
}
