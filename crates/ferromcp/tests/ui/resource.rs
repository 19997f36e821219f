use ferromcp::prelude::*;

#[resource]
fn nowhere() -> String {
    String::new()
}

#[resource("notes")]
fn scheme() -> String {
    String::new()
}

#[resource("notes://{id")]
fn brace(id: String) -> String {
    id
}

#[resource("notes://{owner}/{id}")]
fn variable(id: String) -> String {
    id
}

#[resource("notes://all", priority = 7)]
fn priority() -> String {
    String::new()
}

#[resource("notes://all", list = all_notes)]
fn listed() -> String {
    String::new()
}

fn main() {}
