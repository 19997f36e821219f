//! Arguments of the verb that checks definitions.

use clap::{Args, ValueEnum};

use super::{Connection, Words};

/// Arguments of `mcp lint`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp lint [OPTIONS] TARGET\n       mcp lint [OPTIONS] -- COMMAND...")]
#[command(after_help = "\
TARGET can also be a snapshot file: JSON with a top-level array `tools`. Without --host, the limits
of hosts are reported that at least two hosts have. The exit code is 1 if a finding reaches --fail-on.")]
pub(crate) struct Lint {
    #[command(flatten)]
    pub(crate) words: Words,
    /// Report the limits of this host as errors, for example openai-strict, gemini or cursor; can be repeated
    #[arg(long = "host", value_name = "PROFILE")]
    pub(crate) hosts: Vec<String>,
    /// Format of the result
    #[arg(long, value_enum, default_value_t = LintFormat::Text)]
    pub(crate) format: LintFormat,
    /// Severity from which a finding is a failure
    #[arg(long, value_enum, default_value_t = LintLevel::Error)]
    pub(crate) fail_on: LintLevel,
    /// Do not report this rule; can be repeated
    #[arg(long = "allow", value_name = "RULE")]
    pub(crate) allowed: Vec<String>,
    /// Report this rule as an error; can be repeated
    #[arg(long = "deny", value_name = "RULE")]
    pub(crate) denied: Vec<String>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Values of `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintLevel {
    Error,
    Warning,
    Never,
}

/// Values of `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintFormat {
    Text,
    Json,
    /// JUnit XML, with one test case for each rule
    Junit,
    /// SARIF 2.1.0
    Sarif,
}
