//! The result of a check, with its fix.

use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::output::Output;

/// The level of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Ok,
    /// Works, but not everywhere or not as intended.
    Warning,
    /// Does not work. The exit code is that of the first problem.
    Problem(Exit),
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem(_) => "problem",
        }
    }
}

/// The result of a check.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    /// The object of the check, such as `stdout` or the name of a host.
    pub(crate) check: String,
    pub(crate) text: String,
    /// Lines that the server printed.
    pub(crate) output: Vec<String>,
    /// What to change; a remark if nothing was found.
    pub(crate) fix: Option<String>,
}

impl Finding {
    /// Creates the result of a check that found nothing.
    pub(crate) fn ok(check: impl Into<String>, text: impl Into<String>) -> Self {
        Self { level: Level::Ok, check: check.into(), text: text.into(), output: Vec::new(), fix: None }
    }

    /// Creates a warning.
    pub(crate) fn warning(check: impl Into<String>, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Warning, fix: Some(fix.into()), ..Self::ok(check, text) }
    }

    /// Creates a problem, with its exit code.
    pub(crate) fn problem(
        exit: Exit,
        check: impl Into<String>,
        text: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { level: Level::Problem(exit), fix: Some(fix.into()), ..Self::ok(check, text) }
    }

    /// Creates a problem from an error text, `cause; remedy`.
    pub(crate) fn of_text(exit: Exit, check: impl Into<String>, text: &str) -> Self {
        match text.rsplit_once("; ") {
            Some((cause, remedy)) => Self::problem(exit, check, cause, remedy),
            None => Self { level: Level::Problem(exit), ..Self::ok(check, text) },
        }
    }

    /// Adds lines that the server printed.
    pub(crate) fn with_output(mut self, lines: Vec<String>) -> Self {
        self.output = lines;
        self
    }

    /// Adds a remark on a check that found nothing.
    pub(crate) fn with_note(mut self, note: impl Into<String>) -> Self {
        self.fix = Some(note.into());
        self
    }

    fn fix_label(&self) -> &'static str {
        if self.level == Level::Ok { "note" } else { "fix" }
    }

    fn to_json(&self) -> Value {
        let mut value = json!({"result": self.level.name(), "check": self.check, "text": self.text});
        if let Some(fix) = &self.fix {
            value[self.fix_label()] = fix.as_str().into();
        }
        if !self.output.is_empty() {
            value["output"] = self.output.as_slice().into();
        }
        value
    }
}

/// Prints one line for each finding, its output and its fix.
pub(crate) fn print(findings: &[Finding], json: bool) -> Result<(), Failure> {
    let mut out = Output::stdout();
    if json {
        out.json(&findings.iter().map(Finding::to_json).collect::<Vec<Value>>())?;
        return out.flush();
    }
    for finding in findings {
        let text = crate::terminal::indented(&format!("{}: {}", finding.check, finding.text));
        out.line(&format!("{:<8} {text}", finding.level.name()))?;
        for line in &finding.output {
            out.indented(&format!("| {}", line.replace('\n', " ")), 9)?;
        }
        if let Some(fix) = &finding.fix {
            out.indented(&format!("{}: {fix}", finding.fix_label()), 9)?;
        }
    }
    out.flush()
}

/// Returns the exit code of the first problem.
pub(crate) fn exit(findings: &[Finding]) -> Exit {
    let exit = findings.iter().find_map(|finding| match finding.level {
        Level::Problem(exit) => Some(exit),
        Level::Ok | Level::Warning => None,
    });
    exit.unwrap_or(Exit::Ok)
}
