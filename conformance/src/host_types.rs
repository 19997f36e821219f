//! A server with one tool per kind of Rust type, to compare how hosts convert the input schemas.

use std::collections::{BTreeMap, HashSet};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use ferromcp::prelude::*;
use ferromcp::server::{Args, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Point {
    /// Distance from the left
    x: f64,
    y: Option<f64>,
}

/// Sort order
#[derive(Deserialize, JsonSchema)]
enum Order {
    /// Smallest first
    Rising,
    Falling,
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "kind")]
#[expect(dead_code, reason = "only its schema is used")]
enum Tagged {
    /// Round
    Circle {
        radius: f64,
    },
    Square {
        side: f64,
        color: Option<String>,
    },
    Nothing,
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "op", content = "value")]
#[expect(dead_code, reason = "only its schema is used")]
enum Adjacent {
    Rename(String),
    Move(Point),
    Clear,
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
enum External {
    ById(u64),
    ByName { name: String },
    Newest,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Untagged {
    Id { id: u64 },
    Name { name: String, exact: Option<bool> },
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Flattened {
    page: u32,
    #[serde(flatten)]
    shape: Tagged,
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Tree {
    label: String,
    children: Vec<Tree>,
}

/// Returns the server.
pub fn server() -> Server {
    tools().into_iter().fold(Server::new("Host types", "1.0.0"), |server, (_, tool)| server.with_tool(tool))
}

/// Returns the tools, each with the Rust code of its parameter.
pub fn tools() -> Vec<(&'static str, Tool)> {
    vec![
        ("no parameter", Tool::sync("none", || "")),
        ("`bool`", argument::<bool>("bool")),
        ("`i64`, `u32`, …", argument::<i64>("integer")),
        ("`f64`", argument::<f64>("number")),
        ("`String`", argument::<String>("string")),
        ("`PathBuf`", argument::<PathBuf>("path")),
        ("`char`", argument::<char>("char")),
        ("`Option<T>`", argument::<Option<String>>("option")),
        ("`Vec<T>`", argument::<Vec<String>>("list")),
        ("`Vec<Option<T>>`", argument::<Vec<Option<i64>>>("list_of_options")),
        ("`HashSet<T>`", argument::<HashSet<String>>("set")),
        ("`[f64; 3]`", argument::<[f64; 3]>("array")),
        ("`(f64, String)`", argument::<(f64, String)>("tuple")),
        ("`BTreeMap<String, T>`", argument::<BTreeMap<String, i64>>("map")),
        ("`serde_json::Value`", argument::<Value>("value")),
        ("a struct", argument::<Point>("structure")),
        ("`Vec<T>` of structs", argument::<Vec<Point>>("list_of_structures")),
        ("an enum without fields", argument::<Order>("choice")),
        ("an enum with `tag`", argument::<Tagged>("tagged")),
        ("an enum with `tag` and `content`", argument::<Adjacent>("adjacent")),
        ("an enum with fields, without attributes", argument::<External>("external")),
        ("an `untagged` enum", argument::<Untagged>("untagged")),
        ("a recursive type", argument::<Tree>("recursive")),
        ("`chrono::NaiveDate`", argument::<NaiveDate>("date")),
        ("`chrono::DateTime<Utc>`", argument::<DateTime<Utc>>("date_time")),
        ("`chrono::NaiveTime`", argument::<NaiveTime>("time")),
        ("`uuid::Uuid`", argument::<Uuid>("uuid")),
        ("`url::Url`", argument::<Url>("url")),
        ("`Ipv4Addr`", argument::<Ipv4Addr>("address")),
        ("`std::time::Duration`", argument::<Duration>("duration")),
        ("`Args<T>` of a struct", all::<Point>("args_structure")),
        ("`Args<T>` of an enum with `tag`", all::<Tagged>("args_tagged")),
        ("`Args<T>` of an enum with `tag` and `content`", all::<Adjacent>("args_adjacent")),
        ("`Args<T>` of an enum with fields, without attributes", all::<External>("args_external")),
        ("`Args<T>` of an `untagged` enum", all::<Untagged>("args_untagged")),
        ("`Args<T>` of a struct with a flattened enum", all::<Flattened>("args_flattened")),
        ("`Args<BTreeMap<String, T>>`", all::<BTreeMap<String, String>>("args_map")),
        ("`Args<T>` of a recursive type", all::<Tree>("args_recursive")),
        ("a name with dots", Tool::sync("name.with.dots", || "")),
        ("a name of 70 characters", Tool::sync(format!("long_{}", "n".repeat(65)), || "")),
    ]
}

/// Returns a tool with one argument of type `T`.
fn argument<T: DeserializeOwned + JsonSchema + Send + 'static>(name: &str) -> Tool {
    Tool::sync(name, |_: T| "").args(["value"])
}

/// Returns a tool whose arguments are the fields of `T`.
fn all<T: DeserializeOwned + JsonSchema + Send + 'static>(name: &str) -> Tool {
    Tool::sync(name, |_: Args<T>| "")
}
