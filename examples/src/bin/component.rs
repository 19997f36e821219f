//! A component: a value whose methods are tools and resources, mounted twice under different namespaces.

use std::sync::{Mutex, PoisonError};

use ferromcp::prelude::*;

#[derive(Default)]
struct List(Mutex<Vec<String>>);

#[component]
impl List {
    /// Add an item to the list and return its length
    #[tool]
    fn add(&self, text: String) -> usize {
        self.with(|list| {
            list.push(text);
            list.len()
        })
    }

    /// An item of the list by zero-based index
    #[resource("list://{place}")]
    fn item(&self, place: usize) -> Option<String> {
        self.with(|list| list.get(place).cloned())
    }

    /// Ask for an order of the items
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
