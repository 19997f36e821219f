//! A parameter that is elicited before the function is called, and only if its value is unknown.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ferromcp::Form;
use ferromcp::prelude::*;
use ferromcp::server::{Ask, Question, State};

/// File contents by path.
type Files = Arc<Mutex<BTreeMap<String, String>>>;

#[derive(Form)]
struct Deletion {
    delete: bool,
    /// Keep a copy
    #[form(default = true)]
    backup: bool,
}

/// Asks for confirmation, except for temporary files.
fn confirmed(path: &str) -> Ask<Deletion> {
    if path.starts_with("/tmp/") {
        Ask::known(Deletion { delete: true, backup: false })
    } else {
        Question::form(format!("Delete {path}?")).into()
    }
}

/// Delete a file
#[tool(annotations(destructive))]
async fn delete(path: String, State(files): State<Files>, #[ask(confirmed(&path))] how: Deletion) -> String {
    let mut files = files.lock().expect("no thread panics here");
    if !how.delete {
        return format!("{path} stays");
    }
    match files.remove(&path) {
        Some(text) if how.backup => {
            files.insert(format!("{path}.bak"), text);
            format!("{path} is gone, and a copy is kept; there are {} files", files.len())
        }
        Some(_) => format!("{path} is gone; there are {} files", files.len()),
        None => format!("there is no {path}"),
    }
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    let files = ["/tmp/a", "/home/ada/b"].map(|path| (path.to_owned(), "text".to_owned()));
    let files: Files = Arc::new(Mutex::new(files.into()));
    Server::new("Files", "1.0.0").tool::<delete>().state(files).serve(stdio()).await
}
