//! Commit subjects: `area: summary`, at most 72 characters, in the words the word list allows.
//!
//! Only commits after [`BASE`] count. Without git, without that commit (as in a shallow clone) or outside of a
//! checkout, the check is skipped, and the report contains a note.

use std::path::Path;
use std::process::Command;

use super::{Violation, words};
use crate::shell;

/// The last commit that is exempt.
const BASE: &str = "0be0f8606751c537739a0d172107f3c09c45aa25";
/// The greatest length of a subject, in characters.
const MAX_SUBJECT: usize = 72;

/// The subjects that break a rule, or the reason why they could not be read.
pub(super) fn check(root: &Path) -> Result<Vec<Violation>, String> {
    let git = |args: &[&str]| shell::output(Command::new("git").current_dir(root).args(args));
    let not_checked = |why: &str| format!("commit subjects were not checked: {why}");
    let top = git(&["rev-parse", "--show-toplevel"]).map_err(|_| not_checked("git is missing, or not in a clone"))?;
    if Path::new(top.trim()).canonicalize().ok() != root.canonicalize().ok() {
        return Err(not_checked("the workspace is not the root of a git clone"));
    }
    let base = format!("{BASE}^{{commit}}");
    if git(&["rev-parse", "--verify", "--quiet", &base]).is_err() {
        return Err(not_checked(&format!("the clone does not contain {BASE}; fetch the whole history")));
    }
    let range = format!("{BASE}..HEAD");
    let log =
        git(&["log", "--no-merges", "--format=%h %s", &range]).map_err(|error| not_checked(&error.to_string()))?;
    Ok(log.lines().flat_map(check_line).collect())
}

/// Checks one line of `git log --format='%h %s'`.
fn check_line(line: &str) -> Vec<Violation> {
    let (hash, subject) = line.split_once(' ').unwrap_or((line, ""));
    let place = format!("commit {hash}");
    let mut found = words::check_line(&place, subject);
    let length = subject.chars().count();
    if length > MAX_SUBJECT {
        let message = format!("the subject has {length} characters, the limit is {MAX_SUBJECT}; shorten it");
        found.push(Violation::new(&place, 1, message));
    }
    if !has_area(subject) {
        let message = format!("{subject:?} is not of the form `area: summary`; begin with the crate or folder");
        found.push(Violation::new(&place, 1, message));
    }
    found
}

/// Whether a subject begins with lower-case areas and a colon, followed by a summary without a final period.
fn has_area(subject: &str) -> bool {
    subject.split_once(": ").is_some_and(|(areas, summary)| {
        let is_area = |area: &str| {
            let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_/.".contains(c);
            !area.is_empty() && area.chars().all(is_part)
        };
        areas.split(", ").all(is_area) && !summary.trim().is_empty() && !summary.ends_with('.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_area_and_summary() {
        for subject in ["server: cancel requests on disconnect", "client, docs/guide: rename a type", "ci: skip x"] {
            assert!(check_line(&format!("abc1234 {subject}")).is_empty(), "{subject}");
        }
    }

    #[test]
    fn rejects_subjects_without_area_or_summary() {
        for subject in ["Rename a type", "Server: rename a type", "server:rename", "server: ", "server: rename.", ""] {
            assert_eq!(check_line(&format!("abc1234 {subject}")).len(), 1, "{subject}");
        }
    }

    #[test]
    fn rejects_long_subjects_and_banned_words() {
        let long = format!("abc1234 server: {}", "x".repeat(65));
        assert!(check_line(&long)[0].to_string().starts_with("commit abc1234:1: the subject has 73 characters"));
        assert!(check_line(&format!("abc1234 server: {}", "x".repeat(64))).is_empty());
        let banned = ["abc1234 server: an", "ew attempt"].concat();
        assert_eq!(check_line(&banned).len(), 1);
    }

    #[test]
    fn returns_note_when_not_in_a_git_clone() {
        let folder = std::env::temp_dir().join(format!("ferromcp-xtask-{}-commits", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let note = check(&folder).unwrap_err();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(note.starts_with("commit subjects were not checked: "), "{note}");
    }
}
