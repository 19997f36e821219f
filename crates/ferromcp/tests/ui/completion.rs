use ferromcp::prelude::*;

#[completion(prompt = "review")]
fn argument(typed: String) -> Vec<String> {
    vec![typed]
}

#[completion(argument = "language")]
fn owner(typed: String) -> Vec<String> {
    vec![typed]
}

#[completion(resource = "greeting://{name}", argument = "nmae")]
fn slip(typed: String) -> Vec<String> {
    vec![typed]
}

#[completion(prompt = "review", argument = "language")]
fn without_input() -> Vec<String> {
    Vec::new()
}

fn main() {}
