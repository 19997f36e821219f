//! Tools: limits, defaults, enums, structured output.

use ferromcp::prelude::*;
use ferromcp::server::Json;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A body-mass index and its category.
#[derive(Serialize, JsonSchema)]
struct Bmi {
    /// Kilograms per square meter
    value: f64,
    category: &'static str,
}

/// Calculate the body-mass index
#[tool(title = "BMI", annotations(read_only, open_world = false))]
fn calculate_bmi(
    /// Body weight in kilograms
    #[arg(range(1..=500))]
    weight: f64,
    /// Height in meters
    #[arg(range(0.3..=3))]
    height: f64,
) -> Json<Bmi> {
    let value = weight / (height * height);
    let category = match value {
        ..18.5 => "underweight",
        ..25.0 => "normal",
        _ => "overweight",
    };
    Json(Bmi { value, category })
}

#[derive(Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Unit {
    Celsius,
    Fahrenheit,
}

/// Convert a temperature
#[tool(annotations(read_only))]
fn convert(degrees: f64, #[arg(default = Unit::Celsius)] to: Unit) -> f64 {
    match to {
        Unit::Celsius => (degrees - 32.0) / 1.8,
        Unit::Fahrenheit => degrees * 1.8 + 32.0,
    }
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Tools", "1.0.0").tool::<calculate_bmi>().tool::<convert>().serve(stdio()).await
}
