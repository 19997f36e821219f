//! The result of one step of the test command.

/// The result of a step that returned no error.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The step ran and passed.
    Passed,
    /// The step ran and passed; the summary shows this note.
    Noted(String),
    /// The step did not run.
    Skipped {
        /// The reason, shown in the summary.
        reason: String,
        /// Whether this machine cannot run the step; such a skip does not fail under `CI=true`.
        excused: bool,
    },
}
