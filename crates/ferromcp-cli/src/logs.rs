//! Logs on stderr: warnings of the client, and with `-v` the log messages and stderr of the server.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use ferromcp_client::ClientBuilder;
use ferromcp_core::model::{LogLevel, LogMessageParams};
use ferromcp_core::text::excerpt;
use tracing::Level;

use crate::terminal::{self, LogWriter};

/// Maximum length of a log message, in characters.
const MAX_MESSAGE: usize = 4000;

/// Maximum number of collected warnings; later ones are dropped.
const MAX_WARNINGS: usize = 100;

/// Maximum length of a collected warning, in bytes.
const MAX_WARNING: usize = 4000;

fn level(verbose: u8) -> Level {
    match verbose {
        0 => Level::WARN,
        1 => Level::INFO,
        _ => Level::DEBUG,
    }
}

/// Warnings of the client, in place of logs on stderr. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    /// Starts logging of this process. With `verbose`, logs are printed to stderr too.
    pub(crate) fn collect(verbose: u8) -> Self {
        let warnings = Self::default();
        let writer = CollectingWriter { warnings: warnings.clone(), prints: verbose > 0 };
        let logs = tracing_subscriber::fmt().without_time().with_target(false).with_ansi(false);
        // An error means that logging has started already.
        let _ = logs.with_max_level(level(verbose)).with_writer(move || writer.clone()).try_init();
        warnings
    }

    /// Removes and returns the warnings so far.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Receives one log record with each write.
#[derive(Clone)]
struct CollectingWriter {
    warnings: Warnings,
    prints: bool,
}

impl Write for CollectingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.prints {
            LogWriter.write_all(bytes)?;
        }
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_WARNING)]);
        let text = text.trim();
        if let Some(warning) = text.strip_prefix("WARN ").or_else(|| text.strip_prefix("ERROR ")) {
            let mut warnings = self.warnings.0.lock().unwrap_or_else(PoisonError::into_inner);
            if warnings.len() < MAX_WARNINGS {
                warnings.push(warning.trim().to_owned());
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts logging of this process.
pub(crate) fn start_logs(verbose: u8) {
    start_logs_at(level(verbose));
}

/// Starts logging of this process, at a level.
pub(crate) fn start_logs_at(level: Level) {
    let logs = tracing_subscriber::fmt().without_time().with_target(false).with_ansi(false);
    // An error means that logging has started already.
    let _ = logs.with_max_level(level).with_writer(|| LogWriter).try_init();
}

/// Prints the log messages of the server.
pub(crate) fn show_log_messages(builder: ClientBuilder) -> ClientBuilder {
    builder.on_log(LogLevel::Debug, |message: LogMessageParams| {
        let level = serde_json::to_string(&message.level).unwrap_or_default();
        let logger = message.logger.map(|logger| format!(" {}", excerpt(&logger))).unwrap_or_default();
        let data = message.data.decode::<String>().unwrap_or_else(|_| message.data.as_str().to_owned());
        let data: String = data.chars().take(MAX_MESSAGE).collect();
        let data = terminal::indented(&data);
        terminal::message(format_args!("[{}{logger}] {data}", level.trim_matches('"')));
    })
}
