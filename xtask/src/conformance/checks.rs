//! What a scenario found: the `checks.json` that the suite writes for it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::leg::Leg;

/// One thing that a scenario looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) id: String,
    pub(super) status: Status,
    /// What is wrong, where something is.
    pub(super) words: String,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Success,
    Failure,
    /// A "should" that does not hold.
    Warning,
    Skipped,
    Info,
}

/// The checks of a scenario; none if the suite wrote nothing, as when the scenario itself broke.
pub(super) fn of(results: &Path, leg: Leg, scenario: &str) -> Result<Vec<Check>> {
    let Some(folder) = folder_of(results, leg, scenario)? else { return Ok(Vec::new()) };
    let path = folder.join("checks.json");
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    read(&text).with_context(|| path.display().to_string())
}

/// What our client said on stderr in a scenario; empty if all went well, and if the suite wrote nothing.
pub(super) fn last_words(results: &Path, scenario: &str) -> Result<String> {
    let Some(folder) = folder_of(results, Leg::Client, scenario)? else { return Ok(String::new()) };
    Ok(fs::read_to_string(folder.join("stderr.txt")).unwrap_or_default().trim().to_owned())
}

/// `server-NAME-TIMESTAMP` or `NAME-TIMESTAMP`
fn folder_of(results: &Path, leg: Leg, scenario: &str) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(results).with_context(|| results.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stamp = name.strip_prefix(leg.prefix()).and_then(|rest| rest.strip_prefix(scenario)?.strip_prefix('-'));
        if stamp.is_some_and(is_stamp) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// `2000-01-31T23-59-59-999Z`, as opposed to the rest of a longer name.
fn is_stamp(text: &str) -> bool {
    text.len() == 24 && text.ends_with('Z') && text.bytes().all(|it| it.is_ascii_digit() || b"-TZ".contains(&it))
}

fn read(text: &str) -> Result<Vec<Check>> {
    let Value::Array(checks) = serde_json::from_str(text)? else { bail!("not a list of checks") };
    checks.iter().map(check).collect()
}

fn check(value: &Value) -> Result<Check> {
    let word = |key: &str| value[key].as_str();
    let status = match word("status") {
        Some("SUCCESS") => Status::Success,
        Some("FAILURE") => Status::Failure,
        Some("WARNING") => Status::Warning,
        Some("SKIPPED") => Status::Skipped,
        Some("INFO") => Status::Info,
        other => bail!("a check's status is {other:?}"),
    };
    let words = word("errorMessage").or_else(|| word("description")).unwrap_or_default();
    Ok(Check { id: word("id").context("a check has no id")?.to_owned(), status, words: words.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_read_with_their_words() {
        let checks = read(
            r#"[
                { "id": "a", "status": "SUCCESS", "description": "It works" },
                { "id": "b", "status": "FAILURE", "description": "It works", "errorMessage": "It does not" },
                { "id": "c", "status": "WARNING" },
                { "id": "d", "status": "INFO", "details": {} },
                { "id": "e", "status": "SKIPPED" }
            ]"#,
        );
        let told: Vec<_> = checks.unwrap().into_iter().map(|it| (it.id, it.status, it.words)).collect();
        let expected = [
            ("a", Status::Success, "It works"),
            ("b", Status::Failure, "It does not"),
            ("c", Status::Warning, ""),
            ("d", Status::Info, ""),
            ("e", Status::Skipped, ""),
        ];
        assert_eq!(told, expected.map(|(id, status, words)| (id.to_owned(), status, words.to_owned())));
    }

    #[test]
    fn what_is_no_list_of_checks_is_refused() {
        for text in ["", "{}", "[{}]", r#"[{"id":"a","status":"FINE"}]"#, r#"[{"status":"INFO"}]"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_scenario_is_told_from_one_whose_name_goes_on() {
        let results = std::env::temp_dir().join(format!("ferromcp-xtask-{}-checks", std::process::id()));
        for (name, status) in [("server-ping", "SUCCESS"), ("server-ping-pong", "FAILURE"), ("ping", "WARNING")] {
            let folder = results.join(format!("{name}-2000-01-31T23-59-59-999Z"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("checks.json"), format!(r#"[{{"id":"{name}","status":"{status}"}}]"#)).unwrap();
            fs::write(folder.join("stderr.txt"), format!("{name}\n")).unwrap();
        }
        assert_eq!(of(&results, Leg::Server, "ping").unwrap()[0].id, "server-ping");
        assert_eq!(of(&results, Leg::Server, "ping-pong").unwrap()[0].id, "server-ping-pong");
        assert_eq!(of(&results, Leg::Server, "pin").unwrap(), []);
        assert_eq!(of(&results, Leg::Client, "ping").unwrap()[0].id, "ping");
        assert_eq!(last_words(&results, "ping").unwrap(), "ping");
        assert_eq!(last_words(&results, "pong").unwrap(), "");
        fs::remove_dir_all(results).unwrap();
    }
}
