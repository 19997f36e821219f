//! Waits for changes of source files. Several changes in a short time count as one.

use std::path::PathBuf;
use std::time::Duration;

use notify::event::EventKind;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Sources;
use crate::exit::Failure;

/// How long the files must be unchanged before a build starts: an editor writes a file in several steps.
const QUIET_TIME: Duration = Duration::from_millis(60);

/// Maximum time between the first change and the build, if files change continuously.
const MAX_DELAY: Duration = Duration::from_secs(1);

/// Maximum number of changed files that are not processed yet. Further ones are part of the same build anyway.
const MAX_PENDING: usize = 256;

/// Watches the sources of a server.
pub(crate) struct Watcher {
    changes: mpsc::Receiver<PathBuf>,
    /// Keeps the channel open.
    _sender: mpsc::Sender<PathBuf>,
    /// Watches until it is dropped. `None` if no path is watched.
    _system: Option<RecommendedWatcher>,
}

impl Watcher {
    /// Starts to watch.
    ///
    /// # Errors
    /// Fails if the system cannot watch a path, for example because the number of watches is limited.
    pub(crate) fn new(sources: &Sources) -> Result<Self, Failure> {
        let (sender, changes) = mpsc::channel(MAX_PENDING);
        if sources.is_empty() {
            return Ok(Self { changes, _sender: sender, _system: None });
        }
        let (filter, events) = (sources.clone(), sender.clone());
        let failed = |error: &notify::Error| {
            Failure::usage(format!(
                "cannot watch the sources: {error}; watch fewer files, or raise the limit of the system"
            ))
        };
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| match event {
            Ok(event) if matches!(event.kind, EventKind::Access(_) | EventKind::Other) => {}
            Ok(event) => {
                for path in event.paths.into_iter().filter(|path| filter.contains(path)) {
                    // A full queue causes a build already.
                    let _ = events.try_send(path);
                }
            }
            Err(error) => tracing::warn!(%error, "cannot watch some of the sources"),
        })
        .map_err(|error| failed(&error))?;
        for path in sources.paths() {
            watcher.watch(path, RecursiveMode::Recursive).map_err(|error| failed(&error))?;
        }
        Ok(Self { changes, _sender: sender, _system: Some(watcher) })
    }

    /// Waits for a change, until the files have been unchanged for some time. Returns the changed file, or the first of several.
    ///
    /// # Cancellation
    /// No change is lost if the future is dropped before the first change.
    pub(crate) async fn changed(&mut self) -> PathBuf {
        let Some(first) = self.changes.recv().await else { return std::future::pending().await };
        let latest = Instant::now() + MAX_DELAY;
        loop {
            let quiet = (Instant::now() + QUIET_TIME).min(latest);
            match timeout_at(quiet, self.changes.recv()).await {
                Ok(Some(_)) if Instant::now() < latest => {}
                Ok(_) => {
                    sleep_until(quiet).await;
                    return first;
                }
                Err(_) => return first,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::target::Source;

    #[tokio::test]
    async fn several_changes_are_reported_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("server.py");
        fs::write(&file, "1").unwrap();
        let sources = Sources::of(Source::Word(&file.display().to_string()), &[]).unwrap();
        let mut watcher = Watcher::new(&sources).unwrap();
        fs::write(folder.path().join("notes.db"), "ignored").unwrap();
        for text in ["2", "3", "4"] {
            fs::write(&file, text).unwrap();
        }
        let limit = Duration::from_secs(10);
        let changed = tokio::time::timeout(limit, watcher.changed()).await.unwrap();
        assert_eq!(changed.file_name(), file.file_name());
        assert!(tokio::time::timeout(Duration::from_millis(300), watcher.changed()).await.is_err(), "reported twice");
    }
}
