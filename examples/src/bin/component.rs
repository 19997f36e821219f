//! A component: one value whose methods are tools and resources, mounted as often as there are such values.

use std::sync::{Mutex, PoisonError};

use ferromcp::prelude::*;

#[derive(Default)]
struct List(Mutex<Vec<String>>);

#[component]
impl List {
    /// Put something on the list, and say how long it is
    #[tool]
    fn add(&self, text: String) -> usize {
        self.with(|list| {
            list.push(text);
            list.len()
        })
    }

    /// What stands on the list at a place, counted from 0
    #[resource("list://{place}")]
    fn item(&self, place: usize) -> Option<String> {
        self.with(|list| list.get(place).cloned())
    }

    /// Ask for an order of things
    #[prompt]
    fn sort(&self) -> String {
        self.with(|list| format!("What should I do first?\n- {}", list.join("\n- ")))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<String>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Lists", "1.0.0")
        .mount("todo", List::default()) // tools `todo_add`, resources `list://todo/0`
        .mount("shopping", List::default())
        .serve(stdio())
        .await
}
