//! State with a lifespan: a SQLite database, opened before the first request and closed after the last.

use std::sync::{Arc, Mutex, PoisonError};

use ferromcp::prelude::*;
use ferromcp::server::{Json, State};
use rusqlite::Connection;

/// The database connection, shared by all calls.
#[derive(Clone)]
struct Db(Arc<Mutex<Connection>>);

impl Db {
    fn open(path: &str) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch("CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        work(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Save a note and return its number
#[tool(blocking)]
fn add_note(text: String, State(db): State<Db>) -> Result<i64, ToolError> {
    Ok(db.with(|db| {
        db.execute("INSERT INTO note (text) VALUES (?1)", [text])?;
        Ok(db.last_insert_rowid())
    })?)
}

/// Find notes that contain a word
#[tool(blocking, annotations(read_only, open_world = false))]
fn find_notes(word: String, State(db): State<Db>) -> Result<Json<Vec<String>>, ToolError> {
    let found = db.with(|db| {
        let mut query = db.prepare("SELECT text FROM note WHERE instr(text, ?1) ORDER BY id")?;
        query.query_map([word], |row| row.get(0))?.collect()
    })?;
    Ok(Json(found))
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "notes.db".to_owned());
    let open = move || std::future::ready(Db::open(&path));
    let close = |db: Db| async move {
        let count: rusqlite::Result<i64> =
            db.with(|db| db.query_row("SELECT count(*) FROM note", [], |row| row.get::<_, i64>(0)));
        eprintln!("closed with {} notes", count.unwrap_or_default());
    };
    Server::new("Notes", "1.0.0").tool::<add_note>().tool::<find_notes>().lifespan(open, close).serve(stdio()).await
}
