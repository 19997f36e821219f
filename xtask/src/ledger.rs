//! Lists the specification requirements that the tests cover.
//!
//! A ledger is a table with one requirement per line (`requirements-*.tsv`: id, level, …, area, requirement, source).
//! Tests list the ids they cover in comments. The ledgers are not part of the checkout: they are read from the folder in
//! `FERROMCP_SPEC`, or from a default folder next to the checkout.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::lint::{SourceFile, rust_files};

const VARIABLE: &str = "FERROMCP_SPEC";
const DEFAULT_FOLDER: &str = "../shared/spec";

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    id: String,
    level: String,
    area: String,
}

/// Prints the tables; `--areas a,b` selects areas.
pub fn run(root: &Path, args: &[String]) -> Result<()> {
    let areas = parse_areas(args)?;
    let Some(folder) = folder(root) else {
        println!("cannot find the ledgers: set {VARIABLE} to an existing folder, or provide {DEFAULT_FOLDER}");
        return Ok(());
    };
    let covered = covered(root)?;
    let mut known = BTreeSet::new();
    for path in ledgers(&folder)? {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let entries = parse(&text).with_context(|| path.display().to_string())?;
        known.extend(entries.iter().map(|entry| entry.id.clone()));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        print!("{}", table(&name, &entries, &covered, areas.as_ref()));
    }
    for (id, location) in covered.iter().filter(|(id, _)| !known.contains(*id)) {
        println!("{location}: {id} is not in any ledger");
    }
    Ok(())
}

fn parse_areas(args: &[String]) -> Result<Option<BTreeSet<String>>> {
    match args {
        [] => Ok(None),
        [flag, list] if flag == "--areas" => Ok(Some(list.split(',').map(|a| a.trim().to_owned()).collect())),
        _ => bail!("`cargo xtask ledger` accepts only --areas A,B…"),
    }
}

fn folder(root: &Path) -> Option<PathBuf> {
    let folder = std::env::var_os(VARIABLE).map_or_else(|| root.join(DEFAULT_FOLDER), PathBuf::from);
    folder.is_dir().then_some(folder)
}

fn ledgers(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("requirements-") && name.ends_with(".tsv")
    });
    found.sort();
    Ok(found)
}

/// Parses a ledger; the header line gives the order of the columns, which differs between ledgers.
fn parse(text: &str) -> Result<Vec<Entry>> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let head: Vec<&str> = lines.next().context("the ledger is empty")?.split('\t').collect();
    let column = |name: &str| head.iter().position(|h| *h == name).with_context(|| format!("missing column `{name}`"));
    let (id, level, area) = (column("id")?, column("level")?, column("area")?);
    let rows = lines.map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let cell = |at: usize| {
            cells.get(at).map(|c| c.trim().to_owned()).with_context(|| format!("missing cells in line: {line}"))
        };
        Ok(Entry { id: cell(id)?, level: cell(level)?, area: cell(area)? })
    });
    rows.collect()
}

fn table(name: &str, all: &[Entry], covered: &BTreeMap<String, String>, areas: Option<&BTreeSet<String>>) -> String {
    let chosen = all.iter().filter(|entry| areas.is_none_or(|areas| areas.contains(&entry.area)));
    let mut by_area: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in chosen {
        by_area.entry(&entry.area).or_default().push(entry);
    }
    if by_area.is_empty() {
        return String::new();
    }
    let row = |area: &str, entries: &[&Entry]| {
        let of = |must: bool| entries.iter().filter(move |e| !must || e.level.starts_with("MUST"));
        let done = |must: bool| of(must).filter(|e| covered.contains_key(&e.id)).count();
        format!("{area:<32}{:>6}/{:<6}{:>6}/{:<6}\n", done(false), of(false).count(), done(true), of(true).count())
    };
    let mut text = format!("\n## {name}\n{:<32}{:>9}    {:>9}\n", "area", "covered", "MUST");
    for (area, entries) in &by_area {
        text += &row(area, entries);
    }
    text += &row("all", &by_area.values().flatten().copied().collect::<Vec<_>>());
    for (area, entries) in &by_area {
        let open = entries.iter().filter(|e| !covered.contains_key(&e.id)).map(|e| format!("{} {}", e.id, e.level));
        let open: Vec<String> = open.collect();
        if !open.is_empty() {
            text += &["not covered, ", area, ": ", &open.join(", "), "\n"].concat();
        }
    }
    text
}

/// Returns every id in a comment of a test, with its first location.
fn covered(root: &Path) -> Result<BTreeMap<String, String>> {
    let mut paths = Vec::new();
    for folder in ["crates", "examples", "conformance", "bench"] {
        rust_files(root, folder, &mut paths)?;
    }
    paths.sort();
    let mut found = BTreeMap::new();
    for path in paths {
        let text = fs::read_to_string(root.join(&path)).with_context(|| path.clone())?;
        // The lint reports files that do not parse.
        let Ok(file) = SourceFile::parse(path, text) else {
            continue;
        };
        for (id, line) in ids_in_tests(&file) {
            found.entry(id).or_insert_with(|| format!("{}:{line}", file.path));
        }
    }
    Ok(found)
}

fn ids_in_tests(file: &SourceFile) -> Vec<(String, usize)> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut found = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let Some((_, comment)) = line.split_once("//") else {
            continue;
        };
        // A comment directly above a test belongs to that test.
        let next = (i..lines.len()).find(|&at| !lines[at].trim_start().starts_with("//")).unwrap_or(i);
        if file.is_test(i + 1) || (line.trim_start().starts_with("//") && file.is_test(next + 1)) {
            found.extend(ids(comment).map(|id| (id, i + 1)));
        }
    }
    found
}

/// Returns the ids in a text: the prefix of a ledger, a hyphen and three digits.
fn ids(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|word| is_id(word)).map(str::to_owned)
}

fn is_id(word: &str) -> bool {
    word.split_once('-').is_some_and(|(ledger, number)| {
        matches!(ledger, "M26" | "S" | "A" | "X") && number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TSV: &str = "id\tlevel\tside\tarea\trequirement\tsource\n\
                       S-001\tMUST\tboth\tbase\tdo it\tdocs\n\
                       S-002\tMAY\tboth\tbase\tleave it\tdocs\n\
                       S-003\tMUST NOT\tboth\ttools\thide it\tdocs\n";

    #[test]
    fn ids_are_read_only_from_test_comments() {
        let text = "//! A file\n// S-001 outside of a test\nfn a() {}\n\n// S-002, M26-123\n/// more\n#[test]\nfn b() {\n    \
                    c(); // X-004\n    let s = \"A-005\";\n}\n";
        let file = SourceFile::parse("crates/a/src/lib.rs", text).unwrap();
        let found: Vec<String> = ids_in_tests(&file).into_iter().map(|(id, _)| id).collect();
        assert_eq!(found, ["S-002", "M26-123", "X-004"]);
    }

    #[test]
    fn ignores_words_that_resemble_ids() {
        assert_eq!(ids("S-12 S-1234 B-123 xS-123 M26-12a").count(), 0);
        assert_eq!(ids("(A-100)/X-200").collect::<Vec<_>>(), ["A-100", "X-200"]);
    }

    #[test]
    fn table_counts_and_lists_uncovered_requirements() {
        let covered = BTreeMap::from([("S-001".to_owned(), "a.rs:1".to_owned())]);
        let text = table("requirements-stateful.tsv", &parse(TSV).unwrap(), &covered, None);
        let row =
            |area: &str| text.lines().find(|l| l.starts_with(area)).unwrap().split_whitespace().collect::<Vec<_>>();
        assert_eq!(row("base"), ["base", "1/2", "1/1"]);
        assert_eq!(row("all"), ["all", "1/3", "1/2"]);
        assert!(text.contains("not covered, base: S-002 MAY\n"));
        assert!(text.contains("not covered, tools: S-003 MUST NOT\n"));
    }

    #[test]
    fn areas_filter_table_and_unknown_flags_are_rejected() {
        let areas = parse_areas(&["--areas".to_owned(), "tools, x".to_owned()]).unwrap();
        let text = table("t", &parse(TSV).unwrap(), &BTreeMap::new(), areas.as_ref());
        assert!(text.contains("tools") && !text.contains("base"));
        assert!(parse_areas(&["--all".to_owned()]).is_err());
    }

    #[test]
    fn ledger_is_rejected_when_columns_are_missing() {
        assert!(parse("id\tlevel\nS-001\tMUST\n").is_err());
        assert!(parse("id\tlevel\tarea\nS-001\tMUST\n").is_err());
    }
}
