//! Resources: fixed URIs, templates, text, JSON and bytes.

use std::path::PathBuf;

use ferromcp::model::ResourceDefinition;
use ferromcp::prelude::*;
use ferromcp::server::{Json, State};
use serde::Serialize;

/// The application's configuration
#[resource("config://app", mime_type = "application/toml", ttl_ms = 60_000)]
fn config() -> &'static str {
    "theme = \"dark\"\n"
}

/// An article in stock
#[derive(Serialize)]
struct Article {
    shelf: String,
    number: u32,
    name: &'static str,
}

/// The articles of one shelf, for `resources/list`
async fn all_articles() -> Vec<ResourceDefinition> {
    let article = |number| ResourceDefinition::new(format!("stock://tools/{number}"), format!("article {number}"));
    (0..3).map(article).collect()
}

/// An article, by its shelf and number
#[resource("stock://{shelf}/{number}", list = all_articles)]
fn article(shelf: String, number: u32) -> Option<Json<Article>> {
    let name = *["hammer", "saw", "plane"].get(number as usize)?; // `None` is "not found"
    Some(Json(Article { shelf, number, name }))
}

/// An image of one pixel; its MIME type is detected from the bytes
#[resource("picture://pixel")]
fn pixel() -> Vec<u8> {
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\
        \0\0\0\nIDAT\x78\x9cc\xf8\x0f\0\x01\x01\x01\0\x1b\xb6\xeeV\0\0\0\0IEND\xaeB`\x82";
    PNG.to_vec()
}

/// The directory of the manual.
#[derive(Clone)]
struct Folder(PathBuf);

/// A page of the manual, at any depth. Paths with `..` and absolute paths are rejected before this function runs.
#[resource("manual:///{+path}")]
async fn page(path: String, State(folder): State<Folder>, ctx: Ctx) -> Option<String> {
    match tokio::fs::read_to_string(folder.0.join(&path)).await {
        Ok(text) => Some(text),
        Err(error) => {
            ctx.info(format!("{path}: {error}")).await;
            None
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    let folder = std::env::args_os().nth(1).map_or_else(|| "manual".into(), PathBuf::from);
    Server::new("Shop", "1.0.0")
        .resource::<config>()
        .resource::<article>()
        .resource::<pixel>()
        .resource::<page>()
        .state(Folder(folder))
        .serve(stdio())
        .await
}
