//! How a step of the test command ended.

/// How a step that raised no error ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It ran and found nothing wrong.
    Passed,
    /// It ran and found nothing wrong, and the table should say this of it.
    Noted(String),
    /// It did not run.
    Skipped {
        /// The reason, for the table.
        why: String,
        /// Whether this machine has no means to run it; such a skip is no failure under `CI=true`.
        excused: bool,
    },
}
