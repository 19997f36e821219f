//! Checks the documentation: code is an excerpt of a tested example, error texts exist in the sources, and links
//! resolve.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the examples are in the workspace")
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns all files below a folder with this suffix.
pub(crate) fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            found.extend(files(&path, end));
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Returns the documentation pages.
fn pages() -> Vec<PathBuf> {
    let mut pages = files(&root().join("docs"), ".md");
    pages.push(root().join("README.md"));
    pages
}

/// A code block, the line of its opening fence, and the source file that it refers to.
struct Block {
    line: usize,
    from: Option<String>,
    code: Vec<String>,
}

fn rust_blocks(page: &str) -> Vec<Block> {
    let (mut blocks, mut from, mut open) = (Vec::new(), None, None::<(bool, Block)>);
    for (index, line) in page.lines().enumerate() {
        if let Some((is_rust, mut block)) = open.take() {
            if line != "```" {
                block.code.push(line.to_owned());
                open = Some((is_rust, block));
            } else if is_rust {
                blocks.push(block);
            }
        } else if let Some(kind) = line.strip_prefix("```") {
            open = Some((kind.starts_with("rust"), Block { line: index + 1, from: from.take(), code: Vec::new() }));
        } else if let Some(path) = line.strip_prefix("<!-- from ").and_then(|rest| rest.strip_suffix(" -->")) {
            from = Some(path.to_owned());
        } else if !line.is_empty() {
            from = None;
        }
    }
    assert!(open.is_none(), "a code block is not closed");
    blocks
}

/// Removes the common indentation.
fn dedented(lines: &[&str]) -> Vec<String> {
    let indents = lines.iter().filter(|line| !line.is_empty()).map(|line| line.len() - line.trim_start().len());
    let shared = indents.min().unwrap_or_default();
    lines.iter().map(|line| line.get(shared..).unwrap_or_default().to_owned()).collect()
}

fn is_excerpt(code: &[String], of: &str) -> bool {
    let lines: Vec<&str> = of.lines().collect();
    !code.is_empty() && lines.windows(code.len()).any(|window| dedented(window) == code)
}

#[test]
fn code_blocks_are_excerpts_of_tested_examples() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for page in pages() {
        for block in rust_blocks(&read(&page)) {
            count += 1;
            let place = format!("{}:{}", page.display(), block.line);
            match block.from {
                None => wrong.push(format!("{place}: add the source file: `<!-- from examples/src/bin/….rs -->`")),
                Some(from) if !is_excerpt(&block.code, &read(&root().join(&from))) => {
                    wrong.push(format!("{place}: these lines are not in {from}"));
                }
                Some(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 20, "found only {count} blocks");
}

#[test]
fn excerpt_check_fails_when_lines_differ() {
    let source = "fn main() {\n    one();\n\n    two();\n}\n";
    let block = |page: &str| rust_blocks(page).pop().expect("a block");
    let good = block("<!-- from x.rs -->\n\n```rust\none();\n\ntwo();\n```\n");
    assert_eq!(good.from.as_deref(), Some("x.rs"));
    assert!(is_excerpt(&good.code, source));
    assert!(!is_excerpt(&block("```rust,no_run\none();\ntwo();\n```\n").code, source));
    assert!(!is_excerpt(&block("```rust\n```\n").code, source));
    assert!(block("<!-- from x.rs -->\nwords\n```rust\none();\n```\n").from.is_none());
}

/// Returns the text of all sources with joined lines, unescaped quotes and single braces.
fn texts() -> String {
    let sources = files(&root().join("crates"), ".rs").into_iter();
    let mut texts = String::new();
    for source in sources.filter(|path| path.components().any(|part| part.as_os_str() == "src")) {
        let text = read(&source);
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            texts.push_str(line);
            while texts.ends_with('\\') {
                texts.pop();
                texts.push_str(lines.next().unwrap_or_default().trim_start());
            }
            texts.push('\n');
        }
    }
    texts.replace("\\\"", "\"").replace("{{", "{").replace("}}", "}")
}

/// Returns a part of the error text that is not in the sources. `…` matches any text; a colon may join two messages.
fn missing<'a>(heading: &'a str, texts: &str) -> Option<&'a str> {
    heading.split('…').map(|part| part.trim_matches([' ', ':'])).find(|part| !texts.contains(part))
}

#[test]
fn troubleshooting_headings_match_error_texts() {
    let texts = texts();
    let page = read(&root().join("docs/guide/troubleshooting.md"));
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let wrong: Vec<String> = headings
        .iter()
        .filter_map(|heading| {
            missing(heading, &texts).map(|part| format!("{heading:?}: {part:?} is not in the sources"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(headings.len() >= 40, "found only {} errors", headings.len());
    assert_eq!(missing("`…` is missing, alas", &texts), Some("` is missing, alas"));
}

/// The address of the files in the repository.
const REPOSITORY: &str = "https://github.com/ferromcp/ferromcp/blob/main/";

/// Returns the targets of the links and of the link definitions in a page.
fn targets(page: &str) -> Vec<&str> {
    let links = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let definitions = page.lines().filter(|line| line.starts_with('[')).filter_map(|line| line.split_once("]: "));
    links.chain(definitions.map(|(_, target)| target)).collect()
}

#[test]
fn links_resolve() {
    let mut count = 0;
    let mut pages = pages();
    pages.extend(["CHANGELOG.md", "ROUGH_EDGES.md", "llms.txt"].map(|name| root().join(name)));
    pages.extend(files(&root().join("crates"), "README.md"));
    for page in pages {
        let text = read(&page);
        let folder = page.parent().expect("a page has a parent folder");
        for link in targets(&text) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path.strip_prefix(REPOSITORY) {
                Some(path) => root().join(path),
                None if path.starts_with("http") => continue,
                None if path.is_empty() => page.clone(),
                None => folder.join(path),
            };
            count += 1;
            assert!(target.exists(), "{}: the target of {link} does not exist", page.display());
            let anchors = || read(&target).lines().filter_map(anchor_of).collect::<Vec<_>>();
            assert!(anchor.is_empty() || anchors().iter().any(|it| it == anchor), "{}: {link}", page.display());
        }
    }
    assert!(count >= 20, "found only {count} links");
}

/// Returns the anchor of a heading.
fn anchor_of(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let kept = heading.chars().filter(|symbol| symbol.is_alphanumeric() || matches!(symbol, ' ' | '-' | '_'));
    Some(kept.collect::<String>().to_lowercase().replace(' ', "-"))
}
