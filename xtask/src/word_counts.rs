//! `cargo xtask words`: how often documentation uses words that indicate plain or unclear technical English.
//!
//! The counts are per 1,000 words of rustdoc (outside of tests) and of Markdown, with code left out. They make two
//! versions of the documentation comparable; `--root` selects another checkout.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::lint::prose::Kind;
use crate::lint::{is_test_path, words};

/// A column: its title, the exact words it counts, and the beginnings of words it counts.
struct Column {
    title: &'static str,
    words: &'static [&'static str],
    beginnings: &'static [&'static str],
}

const COLUMNS: [Column; 5] = [
    Column { title: "what/who/whose", words: &["what", "who", "whose"], beginnings: &[] },
    Column { title: "say/said", words: &["say", "says", "said"], beginnings: &[] },
    Column { title: "tell/told", words: &["tell", "tells", "told"], beginnings: &[] },
    Column { title: "hear/heard", words: &["hear", "hears", "heard"], beginnings: &[] },
    Column {
        title: "technical terms",
        words: &[
            "retry", "retries", "retried", "retrying", "parse", "parses", "parsed", "parsing", "parser", "parsers",
        ],
        beginnings: &[
            "timeout",
            "validat",
            "serializ",
            "serialis",
            "deserializ",
            "deserialis",
            "buffer",
            "expir",
            "reconnect",
        ],
    },
];

/// The words of one group of files, and how many of them each column counts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    words: usize,
    columns: [usize; COLUMNS.len()],
}

impl Counts {
    fn add(&mut self, text: &str) {
        for word in text.split(|c: char| !c.is_alphabetic() && c != '\'' && c != '’') {
            let word = word.trim_matches(['\'', '’']).to_lowercase();
            if word.is_empty() {
                continue;
            }
            self.words += 1;
            for (count, column) in self.columns.iter_mut().zip(&COLUMNS) {
                let counts = column.words.contains(&word.as_str())
                    || column.beginnings.iter().any(|beginning| word.starts_with(beginning));
                *count += usize::from(counts);
            }
        }
    }

    /// One table row with the counts per 1,000 words.
    fn row(&self, name: &str) -> String {
        let mut row = format!("{name:<26}{:>8}", self.words);
        for count in self.columns {
            // Tenths, rounded, without floating point.
            let tenths = (count * 20_000 + self.words) / (2 * self.words.max(1));
            let _ = write!(row, "{:>16}", format!("{}.{}", tenths / 10, tenths % 10));
        }
        row
    }
}

/// Prints the table for the checkout that `args` select.
pub fn run(root: &Path, args: &[String]) -> Result<()> {
    let root = match args {
        [] => root.to_path_buf(),
        [flag, folder] if flag == "--root" => PathBuf::from(folder),
        _ => bail!("`cargo xtask words` accepts only --root DIR"),
    };
    if !root.join("Cargo.toml").is_file() {
        bail!("cannot count words: {} is not a checkout; it has no Cargo.toml", root.display());
    }
    let (mut rustdoc, mut markdown) = (BTreeMap::new(), BTreeMap::new());
    for (path, passages) in words::passages(&root)? {
        for passage in passages {
            let table = match passage.kind {
                Kind::Rustdoc if !is_test_path(&path) => &mut rustdoc,
                Kind::Markdown => &mut markdown,
                _ => continue,
            };
            let counts: &mut Counts = table.entry(group(&path)).or_default();
            counts.add(&passage.text);
        }
    }
    print!("{}\n{}", table("rustdoc", &rustdoc), table("guide and other Markdown", &markdown));
    Ok(())
}

/// The crate or top folder of a file; `.` for a file in the root.
fn group(path: &str) -> String {
    let mut parts = path.split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("crates"), Some(name), Some(_)) => name.to_owned(),
        (Some(folder), Some(_), _) => folder.to_owned(),
        _ => ".".to_owned(),
    }
}

fn table(title: &str, groups: &BTreeMap<String, Counts>) -> String {
    let mut all = Counts::default();
    for counts in groups.values() {
        all.words += counts.words;
        all.columns.iter_mut().zip(counts.columns).for_each(|(sum, count)| *sum += count);
    }
    let mut text = format!("{:<26}{:>8}", format!("{title}, per 1,000"), "words");
    for column in &COLUMNS {
        let _ = write!(text, "{:>16}", column.title);
    }
    let _ = writeln!(text, "\n{}", all.row("total"));
    for (name, counts) in groups {
        let _ = writeln!(text, "{}", counts.row(name));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_words_by_column() {
        let mut counts = Counts::default();
        counts.add("What it says: who retries? The client's timeouts expire; it serializes, and the sparse tree told.");
        assert_eq!(counts, Counts { words: 16, columns: [2, 1, 1, 0, 4] });
    }

    #[test]
    fn rows_give_counts_per_thousand_words() {
        let counts = Counts { words: 800, columns: [1, 0, 8, 0, 0] };
        let row: Vec<String> = counts.row("a").split_whitespace().map(str::to_owned).collect();
        assert_eq!(row, ["a", "800", "1.3", "0.0", "10.0", "0.0", "0.0"]);
    }

    #[test]
    fn rows_without_words_do_not_divide_by_zero() {
        assert!(Counts::default().row("a").ends_with("0.0"));
    }

    #[test]
    fn groups_files_by_crate_or_folder() {
        assert_eq!(group("crates/ferromcp-core/src/lib.rs"), "ferromcp-core");
        assert_eq!(group("docs/guide/client.md"), "docs");
        assert_eq!(group("README.md"), ".");
    }

    #[test]
    fn unknown_arguments_are_rejected() {
        assert!(run(Path::new("."), &["--quick".to_owned()]).is_err());
    }
}
