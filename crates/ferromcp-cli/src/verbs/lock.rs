//! `mcp lock`: records the definitions of a server, or compares them with the record.

use ferromcp_core::text::excerpt;

use crate::cli::Lock;
use crate::connect::with_client;
use crate::exit::{Exit, Failure};
use crate::lock::{LockFile, ServerLock, server_key};
use crate::output::Output;
use crate::surface::Surface;
use crate::surface::snapshot::Snapshot;
use crate::target::{reject_extra, split};

/// Connects, and records or compares the definitions.
pub(crate) async fn run(args: Lock) -> Result<(), Failure> {
    let (source, extra) = split(&args.words)?;
    reject_extra(extra)?;
    let mut file = LockFile::read(&args.file)?;
    let key = server_key(source);
    if args.check {
        file.required(&key)?;
    }
    let fetch = with_client(source, &args.connection, async |client| {
        Ok(ServerLock::new(&Snapshot::new(&Surface::fetch(client).await?)))
    });
    let current = fetch.await?;
    let mut out = Output::stdout();
    let (path, shown, summary) = (args.file.display().to_string(), excerpt(&key), current.summary());
    match file.server(&key) {
        Some(locked) if locked.matches(&current) => {
            out.line(&format!("`{shown}` matches `{path}`: {summary}"))?;
        }
        Some(locked) => {
            out.text(&locked.compare(&current).to_text())?;
            out.flush()?;
            if !args.update {
                let update = file.command(" --update", excerpt(&key));
                let message = format!("`{shown}` differs from the lock file `{path}`");
                return Err(Failure::new(Exit::Changed, message)
                    .with_remedy(format_args!("review the changes, then run `{update}`")));
            }
            file.set(&key, current)?;
            out.line(&format!("updated `{shown}` in `{path}`: {summary}"))?;
        }
        None => {
            file.set(&key, current)?;
            out.line(&format!("locked `{shown}` in `{path}` as it is now: {summary}"))?;
        }
    }
    out.flush()
}
