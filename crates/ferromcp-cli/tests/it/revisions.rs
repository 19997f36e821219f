//! Tests of `mcp revisions`.

use ferromcp_core::Revision;

use crate::process::mcp;

#[test]
fn lists_revisions_newest_first_with_era() {
    let run = mcp(&["revisions"]);
    assert_eq!(run.code, 0);
    let lines: Vec<(&str, &str)> = run.stdout.lines().filter_map(|line| line.split_once('\t')).collect();
    let names: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
    let newest_first: Vec<&str> = Revision::ALL.iter().rev().map(|revision| revision.as_str()).collect();
    assert_eq!(names, newest_first);
    assert!(lines[0].1 == "modern" && lines[1..].iter().all(|(_, era)| *era == "legacy"), "{run:?}");
}
