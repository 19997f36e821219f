//! A tool that calls a web service; the HTTP client and the base URL are state.

use ferromcp::prelude::*;
use ferromcp::server::{Json, State};
use ferromcp::{schemars::JsonSchema, serde::Deserialize, serde::Serialize};

/// The response of the service. The derives use the re-exports of `ferromcp`.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(crate = "ferromcp::serde")]
#[schemars(crate = "ferromcp::schemars")]
struct Weather {
    /// Degrees Celsius
    temperature: f64,
    sky: String,
}

#[derive(Clone)]
struct Service {
    client: reqwest::Client,
    base: String,
}

/// Fetch the weather of a city
#[tool(annotations(read_only, open_world))]
async fn fetch_weather(
    #[arg(length(1..=80))] city: String,
    State(service): State<Service>,
) -> Result<Json<Weather>, ToolError> {
    let request = service.client.get(format!("{}/weather", service.base)).query(&[("city", &city)]);
    let response = request.send().await?;
    if response.status() == reqwest::StatusCode::NOT_FOUND {
        return Err(ToolError::new(format!("unknown city `{city}`; try the nearest large city")));
    }
    Ok(Json(response.error_for_status()?.json().await?))
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    let base = std::env::var("WEATHER_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let service = Service { client: reqwest::Client::new(), base };
    Server::new("Weather", "1.0.0").tool::<fetch_weather>().state(service).serve(stdio()).await
}
