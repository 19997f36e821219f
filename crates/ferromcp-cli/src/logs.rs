//! Logs on stderr: warnings of the client, and with `-v` the log messages and stderr of the server.

use ferromcp_client::ClientBuilder;
use ferromcp_core::model::{LogLevel, LogMessageParams};
use ferromcp_core::text::excerpt;
use tracing::Level;

use crate::terminal::{self, LogWriter};

/// Maximum length of a log message, in characters.
const MAX_MESSAGE: usize = 4000;

/// Starts logging of this process.
pub(crate) fn start_logs(verbose: u8) {
    let level = match verbose {
        0 => Level::WARN,
        1 => Level::INFO,
        _ => Level::DEBUG,
    };
    start_logs_at(level);
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
