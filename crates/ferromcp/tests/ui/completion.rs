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

struct Notes;

#[component]
impl Notes {
    #[prompt(name = "review_note")]
    fn review(&self, language: String) -> String {
        language
    }

    #[completion(prompt = "review_note", argument = "langauge")]
    fn languages(&self, typed: String) -> Vec<String> {
        vec![typed]
    }

    #[completion(prompt = "elsewhere", argument = "anything")]
    fn elsewhere(&self, typed: String) -> Vec<String> {
        vec![typed]
    }
}

fn main() {}
