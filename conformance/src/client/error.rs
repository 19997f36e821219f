//! The error type of scenarios.

/// The error of a failed scenario.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
