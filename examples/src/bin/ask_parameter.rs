//! A parameter whose value is asked for before the function is called, and only where it is not known.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ferromcp::prelude::*;

/// Files, by their paths.
type Files = Arc<Mutex<BTreeMap<String, String>>>;

#[derive(Form)]
struct Deletion {
    delete: bool,
    /// Whether a copy is to be kept
    #[form(default = true)]
    backup: bool,
}

/// Whether to delete a file: a question, except where nothing can be lost.
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
