//! Reads the `checks.json` that the suite writes for a scenario.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::suite_side::SuiteSide;

/// One check of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) id: String,
    pub(super) status: Status,
    /// The error message, or the description of the check.
    pub(super) message: String,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Success,
    Failure,
    /// A violated "SHOULD".
    Warning,
    Skipped,
    Info,
}

/// Returns the checks of a scenario; empty if the suite wrote none, for example because the scenario crashed.
pub(super) fn read_checks(results: &Path, side: SuiteSide, scenario: &str) -> Result<Vec<Check>> {
    let Some(folder) = result_folder(results, side, scenario)? else { return Ok(Vec::new()) };
    let path = folder.join("checks.json");
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    parse_checks(&text).with_context(|| path.display().to_string())
}

/// Returns the stderr of the client in a scenario; empty if the suite wrote none.
pub(super) fn client_stderr(results: &Path, scenario: &str) -> Result<String> {
    let Some(folder) = result_folder(results, SuiteSide::Client, scenario)? else { return Ok(String::new()) };
    Ok(fs::read_to_string(folder.join("stderr.txt")).unwrap_or_default().trim().to_owned())
}

/// Returns the result folder, which is named `server-NAME-TIMESTAMP` or `NAME-TIMESTAMP`. A name with a slash is in a
/// subfolder.
fn result_folder(results: &Path, side: SuiteSide, scenario: &str) -> Result<Option<PathBuf>> {
    let (results, scenario) = match scenario.rsplit_once('/') {
        Some((folder, name)) => (results.join(folder), name),
        None => (results.to_owned(), scenario),
    };
    if !results.exists() {
        return Ok(None);
    }
    for entry in fs::read_dir(&results).with_context(|| results.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stamp = name.strip_prefix(side.prefix()).and_then(|rest| rest.strip_prefix(scenario)?.strip_prefix('-'));
        if stamp.is_some_and(is_stamp) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Whether a text is a timestamp such as `2000-01-31T23-59-59-999Z`.
fn is_stamp(text: &str) -> bool {
    text.len() == 24 && text.ends_with('Z') && text.bytes().all(|it| it.is_ascii_digit() || b"-TZ".contains(&it))
}

fn parse_checks(text: &str) -> Result<Vec<Check>> {
    let Value::Array(checks) = serde_json::from_str(text)? else { bail!("checks.json is not an array") };
    checks.iter().map(parse_check).collect()
}

fn parse_check(value: &Value) -> Result<Check> {
    let field = |key: &str| value[key].as_str();
    let status = match field("status") {
        Some("SUCCESS") => Status::Success,
        Some("FAILURE") => Status::Failure,
        Some("WARNING") => Status::Warning,
        Some("SKIPPED") => Status::Skipped,
        Some("INFO") => Status::Info,
        other => bail!("unknown check status {other:?}"),
    };
    let message = field("errorMessage").or_else(|| field("description")).unwrap_or_default();
    Ok(Check { id: field("id").context("missing id of a check")?.to_owned(), status, message: message.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_checks_with_messages() {
        let checks = parse_checks(
            r#"[
                { "id": "a", "status": "SUCCESS", "description": "It works" },
                { "id": "b", "status": "FAILURE", "description": "It works", "errorMessage": "It does not" },
                { "id": "c", "status": "WARNING" },
                { "id": "d", "status": "INFO", "details": {} },
                { "id": "e", "status": "SKIPPED" }
            ]"#,
        );
        let parsed: Vec<_> = checks.unwrap().into_iter().map(|it| (it.id, it.status, it.message)).collect();
        let expected = [
            ("a", Status::Success, "It works"),
            ("b", Status::Failure, "It does not"),
            ("c", Status::Warning, ""),
            ("d", Status::Info, ""),
            ("e", Status::Skipped, ""),
        ];
        assert_eq!(parsed, expected.map(|(id, status, message)| (id.to_owned(), status, message.to_owned())));
    }

    #[test]
    fn rejects_invalid_check_lists() {
        for text in ["", "{}", "[{}]", r#"[{"id":"a","status":"FINE"}]"#, r#"[{"status":"INFO"}]"#] {
            assert!(parse_checks(text).is_err(), "{text}");
        }
    }

    #[test]
    fn matches_whole_scenario_names() {
        let results = std::env::temp_dir().join(format!("ferromcp-xtask-{}-checks", std::process::id()));
        for (name, status) in [("server-ping", "SUCCESS"), ("server-ping-pong", "FAILURE"), ("ping", "WARNING")] {
            let folder = results.join(format!("{name}-2000-01-31T23-59-59-999Z"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("checks.json"), format!(r#"[{{"id":"{name}","status":"{status}"}}]"#)).unwrap();
            fs::write(folder.join("stderr.txt"), format!("{name}\n")).unwrap();
        }
        assert_eq!(read_checks(&results, SuiteSide::Server, "ping").unwrap()[0].id, "server-ping");
        assert_eq!(read_checks(&results, SuiteSide::Server, "ping-pong").unwrap()[0].id, "server-ping-pong");
        assert_eq!(read_checks(&results, SuiteSide::Server, "pin").unwrap(), []);
        assert_eq!(read_checks(&results, SuiteSide::Client, "ping").unwrap()[0].id, "ping");
        assert_eq!(client_stderr(&results, "ping").unwrap(), "ping");
        assert_eq!(client_stderr(&results, "pong").unwrap(), "");
        fs::remove_dir_all(results).unwrap();
    }
}
