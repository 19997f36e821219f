use ferromcp::prelude::*;
use ferromcp::server::{Args, Json, State};

struct Db;

struct Rows;

struct Meters(f64);

#[tool]
async fn state(State(db): State<Db>) {
    drop(db);
}

#[tool]
async fn named(db: State<Db>) {
    drop(db);
}

#[tool]
async fn whole(Args(rows): Args<Rows>) {
    drop(rows);
}

#[tool]
async fn output() -> Result<Json<Rows>, ToolError> {
    Ok(Json(Rows))
}

#[resource("rows://all")]
async fn contents() -> Json<Rows> {
    Json(Rows)
}

#[tool]
async fn pattern(Meters(meters): Meters, _: u8) {
    drop(meters);
}

fn main() {}
