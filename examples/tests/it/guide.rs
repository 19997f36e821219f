//! Checks the structure of the guide: each page is in each index, and the links between pages work in mdBook, on GitHub
//! and in rustdoc.
//!
//! rustdoc shows the pages as submodules of `ferromcp::guide`, where `tools.md` is not a valid target. Therefore pages use
//! reference links to each other, with the target as the label (`[Tools][tools.md]`), and define the labels in their last
//! lines. In rustdoc, `links.md` precedes each page: of two definitions of a label, the first one applies.
//! `FERROMCP_WRITE_LINKS=1` updates the links of all pages, and `links.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::docs::{files, read, root};

/// The order of the pages, and the table of contents of mdBook.
const SUMMARY: &str = "docs/guide/SUMMARY.md";
/// The guide in rustdoc.
const MODULE: &str = "crates/ferromcp/src/guide/mod.rs";
/// The definitions of all labels for rustdoc.
const MODULE_LINKS: &str = "crates/ferromcp/src/guide/links.md";

/// Returns the name and the path of each page.
fn pages() -> Vec<(String, PathBuf)> {
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let pages = files(&root().join("docs/guide"), ".md").into_iter().map(|path| (name(&path), path));
    pages.filter(|(name, _)| name != "SUMMARY.md").collect()
}

/// A list item of an index that links to a page.
#[derive(Debug, PartialEq)]
struct Item<'a> {
    title: &'a str,
    file: &'a str,
    description: &'a str,
}

/// Returns the list items that link to a page in `folder`.
fn items<'a>(index: &'a str, folder: &str) -> Vec<Item<'a>> {
    let item = |line: &'a str| {
        let (_, link) = line.split_once('[')?;
        let (title, rest) = link.split_once("](")?;
        let (target, rest) = rest.split_once(')')?;
        let file = target.strip_prefix(folder)?;
        is_page(file).then(|| Item { title, file, description: rest.strip_prefix(": ").unwrap_or_default() })
    };
    index.lines().filter_map(item).collect()
}

/// Returns the name of a page's module in rustdoc.
fn module_of(file: &str) -> String {
    file.trim_end_matches(".md").replace('-', "_")
}

#[test]
fn every_page_is_in_every_index() {
    let text = |path: &str| read(&root().join(path));
    let (summary, index, llms, module) = (text(SUMMARY), text("docs/README.md"), text("llms.txt"), text(MODULE));
    let listed = items(&summary, "");
    let described = items(&llms, "docs/guide/");

    let mut files: Vec<&str> = listed.iter().map(|item| item.file).collect();
    assert!(described.iter().map(|item| item.file).eq(files.iter().copied()), "llms.txt and {SUMMARY} differ");
    assert_eq!(items(&index, "guide/"), described, "docs/README.md and llms.txt differ");
    files.sort_unstable();
    assert_eq!(files, pages().iter().map(|(name, _)| &**name).collect::<Vec<_>>(), "{SUMMARY} and docs/guide differ");

    for (Item { title, file, description }, listed) in described.iter().zip(&listed) {
        assert_eq!(*title, listed.title, "llms.txt and {SUMMARY} differ");
        let heading = text(&format!("docs/guide/{file}")).lines().next().map(str::to_owned);
        assert_eq!(heading, Some(format!("# {title}")), "the heading of {file} differs from its title in {SUMMARY}");
        let name = module_of(file);
        let entry = format!("    /// {description}\n    {name} = \"{file}\";\n");
        assert!(module.contains(&entry), "{MODULE} must contain:\n{entry}");
        assert!(module.contains(&format!("[{title}]({name})")), "the list in {MODULE} does not link to `{name}`");
    }
}

#[test]
fn links_between_pages_are_reference_links() {
    let mut labels = BTreeSet::new();
    for (name, path) in pages() {
        let text = read(&path);
        let (expected, used) = with_reference_links(&text);
        labels.extend(used);
        let targets = expected.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let relative: Vec<&str> = targets.filter(|it| !it.starts_with("https://") && !it.starts_with('#')).collect();
        assert!(relative.is_empty(), "{name}: write links to files outside of the guide as URLs: {relative:?}");
        update(&path, &text, &expected, &format!("the links of {name}"));
    }
    let definitions = labels.iter().fold(String::new(), |mut text, label| {
        let (file, anchor) = label.split_once('#').map_or((&**label, String::new()), |(f, a)| (f, format!("#{a}")));
        let _ = writeln!(text, "[{label}]: crate::guide::{}{anchor}", module_of(file));
        text
    });
    let path = root().join(MODULE_LINKS);
    let text = fs::read_to_string(&path).unwrap_or_default();
    update(&path, &text, &definitions, MODULE_LINKS);
}

/// Compares a file with its expected content, or updates it.
fn update(path: &PathBuf, text: &str, expected: &str, subject: &str) {
    if std::env::var_os("FERROMCP_WRITE_LINKS").is_some_and(|yes| yes == "1") {
        fs::write(path, expected).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    let difference = expected.lines().find(|line| !text.lines().any(|it| it == *line)).unwrap_or("(a removed line)");
    assert_eq!(text, expected, "{subject} must contain `{difference}`; run this test with FERROMCP_WRITE_LINKS=1");
}

/// Whether a line defines a label for a page.
fn is_definition(line: &str) -> bool {
    line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).is_some_and(|(label, _)| label.contains(".md"))
}

/// Converts the links of a page to other pages to reference links. Returns the page and its labels.
fn with_reference_links(page: &str) -> (String, BTreeSet<String>) {
    let body: Vec<&str> = page.lines().filter(|line| !is_definition(line)).collect();
    let body = body.join("\n");
    let (mut text, mut labels, mut rest) = (String::new(), BTreeSet::new(), body.trim_end());
    while let Some(end) = rest.find("](").into_iter().chain(rest.find("][")).min() {
        let (before, after) = rest.split_at(end + 2);
        let close = if before.ends_with('(') { ')' } else { ']' };
        let target = after.split(close).next().unwrap_or_default();
        let links_to_page = target.split('#').next().is_some_and(is_page);
        if !links_to_page {
            text.push_str(before);
            rest = after;
            continue;
        }
        let _ = write!(text, "{}[{target}]", &before[..=end]);
        labels.insert(target.to_owned());
        rest = &after[target.len() + 1..];
    }
    text.push_str(rest);
    text.push('\n');
    if !labels.is_empty() {
        text.push('\n');
    }
    for label in &labels {
        let _ = writeln!(text, "[{label}]: {label}");
    }
    (text, labels)
}

#[test]
fn reference_links_are_written_once_when_a_page_changes() {
    let page = "# A\n\n[b](b.md), [b\nagain][b.md], [c](c.md#d), [e](#e) and [f](https://f.example/f.md).\n";
    let expected = "# A\n\n[b][b.md], [b\nagain][b.md], [c][c.md#d], [e](#e) and [f](https://f.example/f.md).\n\n\
                    [b.md]: b.md\n[c.md#d]: c.md#d\n";
    let (text, labels) = with_reference_links(page);
    assert_eq!(text, expected);
    assert_eq!(labels.into_iter().collect::<Vec<_>>(), ["b.md", "c.md#d"]);
    assert_eq!(with_reference_links(expected).0, expected);
    assert_eq!(with_reference_links("# A\n\n[b.md]: b.md\n").0, "# A\n");
}

/// Returns whether a link target is a page of the guide.
fn is_page(target: &str) -> bool {
    target.rsplit_once('.').is_some_and(|(name, extension)| extension == "md" && !name.contains('/'))
}
