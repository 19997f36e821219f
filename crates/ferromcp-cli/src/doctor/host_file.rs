//! Checks the files of hosts.

use std::path::Path;

use serde_json::{Map, Value};

use super::finding::Finding;
use super::host_entry;
use crate::exit::Exit;
use crate::hosts::edit::EditError;
use crate::hosts::file;
use crate::hosts::installation::Installation;
use crate::hosts::locate::{self, LocateError, Scope};
use crate::hosts::machine::Machine;
use crate::hosts::table::{Host, Shape};

/// Checks the files of a host that exist, and their entries.
pub(crate) fn check(host: &'static Host, machine: &Machine) -> Vec<Finding> {
    let mut findings = Vec::new();
    for scope in [Scope::User, Scope::Local, Scope::Project] {
        match Installation::new(host, machine, scope, None) {
            Ok(installation) => findings.extend(check_file(&installation, machine)),
            Err(LocateError::NoFile { .. }) => {}
            Err(error) => findings.push(Finding::of_text(Exit::Usage, &host.name, &error.to_string())),
        }
    }
    findings.extend(check_others(host, machine));
    findings
}

/// Checks a file, and its entries. Empty if the file does not exist.
fn check_file(installation: &Installation, machine: &Machine) -> Vec<Finding> {
    let (path, host) = (&installation.path, installation.host);
    let check = match installation.scope {
        Scope::User => host.name.clone(),
        Scope::Local => format!("{} (local)", host.name),
        Scope::Project => format!("{} (project)", host.name),
    };
    let text = match file::read(path) {
        Ok(Some(text)) => text,
        Ok(None) => return Vec::new(),
        Err(error) => return vec![Finding::of_text(Exit::Usage, check, &error.to_string())],
    };
    let (shape, values) = match installation.values(&text) {
        Ok(found) => found,
        // The file of the user is reported once.
        Err(_) if installation.scope == Scope::Local => return Vec::new(),
        Err(error) => return vec![invalid(&check, path, &error)],
    };
    if values.is_empty() && installation.scope == Scope::Local {
        return Vec::new();
    }
    let shown = path.display();
    let count = if values.len() == 1 { "1 server".to_owned() } else { format!("{} servers", values.len()) };
    let mut findings = vec![Finding::ok(&check, format!("{shown}: {count}"))];
    for error in installation.duplicates(&text).unwrap_or_default() {
        findings.push(invalid(&check, path, &error));
    }
    findings.extend(check_permissions(&check, path, shape, &values));
    for (name, value) in &values {
        findings.extend(host_entry::check(host, machine, installation.scope, shape, name, value));
    }
    findings
}

/// Creates the finding of a file that hosts read differently, or not at all.
fn invalid(check: &str, path: &Path, error: &EditError) -> Finding {
    let (cause, remedy) = error.parts();
    let place = match (error.line, error.column) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: "),
        (Some(line), None) => format!("line {line}: "),
        (None, _) => String::new(),
    };
    Finding::problem(Exit::Usage, check, format!("{}: {place}{cause}", path.display()), remedy)
}

/// Reports other files with servers, which the host may not read.
fn check_others(host: &'static Host, machine: &Machine) -> Vec<Finding> {
    let Ok(chosen) = locate::locate(host, machine, Scope::User) else { return Vec::new() };
    let unread = locate::unread(host, machine);
    let others = locate::others(host, machine).into_iter().map(|path| {
        let (other, used) = (path.display(), chosen.display());
        let fix = format!("move the servers of {other} to {used}, and remove {other}");
        if unread.contains(&path) {
            let text = format!("{other} is not read: this installation reads {used}");
            return Finding::problem(Exit::Usage, &host.name, text, fix);
        }
        let text = format!("two files exist, {used} and {other}; {} may read only one of them", host.name);
        Finding::warning(&host.name, text, fix)
    });
    others.collect()
}

/// Reports a file with values of variables or headers that other users can read.
#[cfg(unix)]
fn check_permissions(check: &str, path: &Path, shape: &Shape, values: &Map<String, Value>) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path.metadata().ok()?.permissions().mode();
    let has_secrets = values.values().any(|value| host_entry::has_secrets(shape, value));
    if !has_secrets || mode & 0o044 == 0 {
        return None;
    }
    let shown = path.display();
    let text = format!("{shown} contains values of variables or headers, and other users can read it");
    Some(Finding::warning(check, text, format!("run `chmod 600 '{shown}'`")))
}

#[cfg(not(unix))]
fn check_permissions(_: &str, _: &Path, _: &Shape, _: &Map<String, Value>) -> Option<Finding> {
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::super::finding::{Level, exit};
    use super::*;
    use crate::hosts::machine::System;
    use crate::hosts::table;

    #[test]
    fn file_is_a_problem_when_the_msix_package_reads_another_one() {
        let home = tempfile::tempdir().unwrap();
        let project = home.path().join("project");
        let machine = Machine { system: System::Windows, home: home.path().to_owned(), env: BTreeMap::new(), project };
        let old = home.path().join("AppData/Roaming/Claude/claude_desktop_config.json");
        fs::create_dir_all(old.parent().unwrap()).unwrap();
        fs::write(&old, "{}").unwrap();
        let claude = table::find("claude-desktop").unwrap();
        assert_eq!(exit(&check(claude, &machine)), Exit::Ok, "without the package");
        fs::create_dir_all(home.path().join("AppData/Local/Packages/Claude_pzs8sxrjxfjjc")).unwrap();
        let findings = check(claude, &machine);
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!(finding.level, Level::Problem(Exit::Usage));
        assert!(finding.text.starts_with(&format!("{} is not read", old.display())), "{finding:?}");
        assert!(finding.fix.as_ref().is_some_and(|fix| fix.contains("Claude_pzs8sxrjxfjjc")), "{finding:?}");
    }
}
