//! Notes in a SQLite database: tools, a resource for each note, and a prompt. Deletion asks the user first, and an import
//! sends progress.
//!
//! The argument is the path of the database. Default: `notes.db`.

use std::sync::{Arc, Mutex, PoisonError};

use ferromcp::model::ResourceDefinition;
use ferromcp::prelude::*;
use ferromcp::server::{Elicited, Json, State};
use rusqlite::{Connection, OptionalExtension};

/// Number of notes that an import saves in one transaction, between two progress notifications.
const BATCH: usize = 10;

/// The database connection, shared by all calls.
#[derive(Clone)]
struct Db(Arc<Mutex<Connection>>);

impl Db {
    fn open(path: &str) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch("CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Runs `work` on the blocking thread pool, because `async` functions must not block on SQLite.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ToolError> {
        let db = self.clone();
        Ok(tokio::task::spawn_blocking(move || db.with(work)).await??)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn text(&self, id: i64) -> Result<Option<String>, ToolError> {
        self.run(move |db| db.query_row("SELECT text FROM note WHERE id = ?1", [id], |row| row.get(0)).optional()).await
    }
}

fn uri(id: i64) -> String {
    format!("note://{id}")
}

/// Save a note and return its number
#[tool(blocking, annotations(destructive = false, open_world = false))]
fn add_note(#[arg(length(1..=10_000))] text: String, State(db): State<Db>, ctx: Ctx) -> Result<i64, ToolError> {
    let id = db.with(|db| {
        db.execute("INSERT INTO note (text) VALUES (?1)", [text])?;
        Ok(db.last_insert_rowid())
    })?;
    ctx.notify().resources_changed();
    Ok(id)
}

/// Find notes that contain a word
#[tool(blocking, annotations(read_only, open_world = false))]
fn find_notes(#[arg(length(1..=100))] word: String, State(db): State<Db>) -> Result<Json<Vec<String>>, ToolError> {
    let found = db.with(|db| {
        let mut query = db.prepare("SELECT text FROM note WHERE instr(text, ?1) ORDER BY id LIMIT 100")?;
        query.query_map([word], |row| row.get(0))?.collect()
    })?;
    Ok(Json(found))
}

/// Save many notes. After a cancellation, the notes of complete batches remain.
#[tool(annotations(destructive = false, open_world = false))]
async fn import_notes(
    /// The texts of the notes
    #[arg(length(1..=1000))]
    texts: Vec<String>,
    State(db): State<Db>,
    ctx: Ctx,
) -> Result<String, ToolError> {
    let total = u32::try_from(texts.len())?;
    let mut saved = 0;
    for batch in texts.chunks(BATCH) {
        saved += u32::try_from(batch.len())?;
        let batch = batch.to_vec();
        db.run(move |db| {
            let transaction = db.transaction()?;
            for text in batch {
                transaction.execute("INSERT INTO note (text) VALUES (?1)", [text])?;
            }
            transaction.commit()
        })
        .await?;
        ctx.notify().resources_changed(); // in the loop, for imports that are cancelled
        ctx.progress_with(f64::from(saved), f64::from(total), format!("{saved} of {total} notes saved")).await;
    }
    Ok(format!("{total} notes saved"))
}

/// Delete a note after the user has confirmed it
#[tool(annotations(destructive, open_world = false))]
async fn delete_note(id: i64, State(db): State<Db>, ctx: Ctx) -> Result<String, ToolError> {
    let Some(text) = db.text(id).await? else {
        return Err(ToolError::new(format!("there is no note {id}; the list of resources has all notes")));
    };
    // On 2026-07-28 the handler runs again after the answer. Only the lookup is repeated, so it needs no `once`.
    let Elicited::Accepted(true) = ctx.try_elicit::<bool>(format!("Delete note {id}, \"{text}\"?")).await? else {
        return Ok(format!("note {id} is kept"));
    };
    db.run(move |db| db.execute("DELETE FROM note WHERE id = ?1", [id])).await?;
    ctx.notify().resource_updated(uri(id));
    ctx.notify().resources_changed();
    Ok(format!("note {id} is deleted"))
}

/// Lists all notes, with the first line of each as its name.
async fn all_notes(State(db): State<Db>) -> Result<Vec<ResourceDefinition>, ToolError> {
    db.run(|db| {
        let mut query = db.prepare("SELECT id, text FROM note ORDER BY id")?;
        let definition = |id, text: String| ResourceDefinition::new(uri(id), text.lines().next().unwrap_or_default());
        query.query_map([], |row| Ok(definition(row.get(0)?, row.get(1)?)))?.collect()
    })
    .await
}

/// A note by its number
#[resource("note://{id}", list = all_notes)]
async fn note(id: i64, State(db): State<Db>) -> Result<Option<String>, ToolError> {
    db.text(id).await // `None` is "not found"
}

/// Ask for a summary of the notes that contain a word, or of all notes
#[prompt(title = "Summarize notes")]
async fn summarize_notes(word: Option<String>, State(db): State<Db>) -> Result<String, ToolError> {
    let word = word.unwrap_or_default(); // every text contains the empty word
    let texts: Vec<String> = db
        .run(move |db| {
            let mut query = db.prepare("SELECT text FROM note WHERE instr(text, ?1) ORDER BY id LIMIT 100")?;
            query.query_map([word], |row| row.get(0))?.collect()
        })
        .await?;
    Ok(format!("Please summarize these notes:\n- {}", texts.join("\n- ")))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "notes.db".to_owned());
    let server = Server::new("Notes", "1.0.0")
        .tool::<add_note>()
        .tool::<find_notes>()
        .tool::<import_notes>()
        .tool::<delete_note>()
        .resource::<note>()
        .prompt::<summarize_notes>()
        .state(Db::open(&path)?);
    Ok(server.serve(stdio()).await?)
}
