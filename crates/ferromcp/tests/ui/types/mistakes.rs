//! The most likely mistakes in a first tool.

use ferromcp::prelude::*;
use ferromcp::server::{Args, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Without `Deserialize` and `JsonSchema`.
struct Plain {
    #[allow(dead_code)]
    text: String,
}

/// Without `JsonSchema`.
#[derive(Deserialize)]
struct HalfDerived {
    #[allow(dead_code)]
    text: String,
}

#[derive(Deserialize, JsonSchema)]
struct Query {
    text: String,
}

/// Serializable, but not wrapped in `Json`.
#[derive(Serialize, JsonSchema)]
struct Report {
    words: usize,
}

#[tool]
async fn underived_argument(plain: Plain) {
    drop(plain);
}

#[tool]
fn underived_schema(half: HalfDerived) {
    drop(half);
}

#[tool]
async fn underived_args(Args(half): Args<HalfDerived>) {
    drop(half);
}

#[tool]
fn unwrapped_output(text: String) -> Report {
    Report { words: text.split(' ').count() }
}

#[tool]
async fn unwrapped_output_in_result(text: String) -> Result<Report, ToolError> {
    Ok(Report { words: text.split(' ').count() })
}

#[tool]
fn forgotten_args(Query { text }: Query) -> String {
    text
}

#[tool]
async fn argument_with_args(Args(query): Args<Query>, limit: u32) -> String {
    query.text[..limit as usize].to_owned()
}

#[tool]
async fn extractors_with_args(first: Ctx, State(limit): State<u32>, Args(query): Args<Query>, second: Ctx) -> String {
    drop((first, second));
    query.text[..limit as usize].to_owned()
}

fn main() {}
