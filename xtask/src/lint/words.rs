//! The word list: phrases that documentation, comments, messages, function names and Markdown do not use.
//!
//! The project writes American technical English. Each rule names a phrase and what to write instead; exceptions are in
//! [`ALLOWED`], each with its reason. An exception that no longer applies is a violation too.

use std::path::Path;

use anyhow::{Context, Result};

use super::prose::{self, CODE, Kind, Passage};
use super::source::{files_below, is_test_path};
use super::{SourceFile, Violation};

/// A banned phrase.
struct Rule {
    /// Words separated by spaces; `a|b` matches either word, `*` any word or inline code.
    phrase: &'static str,
    /// Longer phrases that contain it and are allowed; `<` stands for the beginning of the match.
    except: &'static [&'static str],
    /// Its replacement.
    write: &'static str,
}

const fn rule(phrase: &'static str, write: &'static str) -> Rule {
    Rule { phrase, except: &[], write }
}

const RULES: &[Rule] = &[
    rule("told|untold", "\"reported\", \"notified\", \"sent\" or \"distinguished\""),
    rule("tell|tells|telling", "\"report\", \"notify\", \"indicate\" or \"distinguish\""),
    rule("hear|hears|heard|hearing|unheard", "\"receive\" and the received message or event"),
    rule("said|unsaid", "\"sent\", \"reported\" or \"specified\""),
    rule("say|says so|nothing|what|which|who|whose|how|why|of|it", "\"specify\", \"report\" or the name of the field"),
    rule("hold|holds|held|holding against", "\"compare with\" or \"validate against\""),
    rule("held to", "\"must\" or \"validated against\""),
    rule("for ever", "\"indefinitely\" or \"without a timeout\""),
    rule("anew", "\"again\""),
    rule("mend|mends|mended|mending", "\"fix\" or \"repair\""),
    rule("twin|twins", "\"counterpart\" or the name of the other item"),
    rule("by itself|himself|themselves", "\"alone\", \"automatically\" or \"without …\""),
    rule("of its|his|her|their|our|your|one's own", "\"a separate …\", or leave it out"),
    Rule {
        phrase: "is|are|was|were|be no *",
        except: &["there is|are|was|were|be no *", "* no longer|more|later|earlier|less"],
        write: "\"is not a …\"",
    },
    rule("is|are|was|were none", "\"does not exist\" or \"is not a …\""),
    Rule { phrase: "nothing to *", except: &["nothing to stdout|stderr"], write: "\"no …\" with the missing item" },
    rule("be had", "\"is not available\""),
    rule("what is|was|are kept|said|asked|told|sent|meant|wanted|left|needed|there|known|missing|due", "the noun"),
    rule("who asks|calls|listens|speaks|wants|needs|reads|knows|waits|sends", "\"client\", \"server\" or \"caller\""),
    rule("nobody|somebody|everybody|anybody|whoever|whomever", "\"client\", \"process\", \"caller\" or \"handler\""),
    rule("one that does|did|is|has|can not", "the noun and its verb"),
    rule("belong|belongs|belonged into", "\"belongs in\""),
    rule("be it", "\"whether …\""),
    rule("is|are to be", "\"must be\""),
    Rule { phrase: "stands|stood", except: &["stands|stood for"], write: "\"is\"" },
    rule("under way", "\"in flight\" or \"in progress\""),
    rule("is|are|was|be over", "\"closed\", \"finished\" or \"expired\""),
    rule("go|goes|gone|went on", "\"continue\""),
    rule("beside", "\"next to\", \"with\" or \"in addition to\""),
    rule("tidily", "\"gracefully\""),
    rule("good order", "\"gracefully\" or \"cleanly\""),
    rule("astray", "\"lost\" or \"undeliverable\""),
    rule("whence|lest|forestall|forestalled", "\"from which\", \"so that … not\" or \"prevent\""),
    rule("house|ear|ears|deaf", "the technical term"),
];

/// An exception.
struct Allowed {
    /// The file, or a folder ending in `/`.
    path: &'static str,
    /// The words as they occur, in lower case; empty for every phrase.
    words: &'static str,
    /// Why the phrase is right here.
    reason: &'static str,
}

const ALLOWED: &[Allowed] =
    &[Allowed { path: "xtask/src/lint/words.rs", words: "", reason: "this file holds the word list and its tests" }];

/// Checks the prose of the whole workspace.
pub(super) fn check(root: &Path) -> Result<Vec<Violation>> {
    let mut used = vec![false; ALLOWED.len()];
    let mut found = Vec::new();
    for (path, passages) in passages(root)? {
        found.extend(passages.iter().flat_map(|passage| matches(&path, passage, &mut used)));
    }
    for (entry, _) in ALLOWED.iter().zip(used).filter(|(_, used)| !used) {
        let message = format!("the exception for `{}` ({}) has no effect; remove it", entry.path, entry.reason);
        found.push(Violation::new("xtask/src/lint/words.rs", 1, message));
    }
    Ok(found)
}

/// Checks one line of text that belongs to no file, such as a commit subject.
pub(super) fn check_line(place: &str, text: &str) -> Vec<Violation> {
    let passage = Passage { kind: Kind::Comment, line: 1, text: text.to_owned() };
    matches(place, &passage, &mut vec![false; ALLOWED.len()])
}

/// Reads the prose of every Rust, Markdown and TOML file, without string literals of tests.
pub(crate) fn passages(root: &Path) -> Result<Vec<(String, Vec<Passage>)>> {
    let mut paths = Vec::new();
    files_below(root, "", &["rs", "md", "toml"], &mut paths)?;
    paths.sort();
    let read = |path: String| {
        let text = std::fs::read_to_string(root.join(&path)).with_context(|| path.clone())?;
        match Path::new(&path).extension().and_then(|end| end.to_str()) {
            Some("md") => return Ok((path, vec![prose::markdown(&text)])),
            Some("toml") => return Ok((path, prose::toml(&text))),
            _ => {}
        }
        let mut passages = prose::rust(&text);
        if is_test_path(&path) {
            passages.retain(|it| it.kind != Kind::Literal);
        } else if let Ok(file) = SourceFile::parse(path.clone(), text) {
            passages.retain(|it| it.kind != Kind::Literal || !file.is_test(it.line));
        }
        Ok((path, passages))
    };
    paths.into_iter().map(read).collect()
}

/// A word of a passage, or inline code.
struct Word<'a> {
    text: &'a str,
    at: usize,
    /// Whether only spaces and markup separate it from the word before.
    joined: bool,
}

fn matches(path: &str, passage: &Passage, used: &mut [bool]) -> Vec<Violation> {
    let words = split(&passage.text);
    let mut found = Vec::new();
    for start in 0..words.len() {
        for rule in RULES {
            let Some(length) = length_at(&words, start, rule.phrase) else { continue };
            if rule.except.iter().any(|except| is_excepted(&words, start, except)) {
                continue;
            }
            let phrase: Vec<&str> = words[start..start + length].iter().map(|word| word.text).collect();
            let phrase = phrase.join(" ").replace(CODE, "`…`");
            let allowed = ALLOWED.iter().position(|it| {
                let here = it.path == path || (it.path.ends_with('/') && path.starts_with(it.path));
                here && (it.words.is_empty() || it.words == phrase.to_lowercase())
            });
            if let Some(allowed) = allowed {
                used[allowed] = true;
                continue;
            }
            let line = passage.line + passage.text[..words[start].at].matches('\n').count();
            let message = format!("\"{phrase}\" is not plain English here; write {}", rule.write);
            found.push(Violation::new(path, line, message));
        }
    }
    found
}

fn split(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut end = 0;
    while let Some(start) = text[end..].find(|c: char| c.is_alphanumeric() || c == CODE).map(|at| end + at) {
        let gap = &text[end..start];
        let is_markup = |c: char| c.is_whitespace() || "[]*_\"'“”".contains(c);
        let joined = gap.chars().all(is_markup) && gap.matches('\n').count() < 2;
        let rest = &text[start..];
        let length = if rest.starts_with(CODE) {
            CODE.len_utf8()
        } else {
            let word = rest.find(|c: char| !c.is_alphanumeric() && !"'’".contains(c)).unwrap_or(rest.len());
            rest[..word].trim_end_matches(['\'', '’']).len()
        };
        words.push(Word { text: &rest[..length], at: start, joined });
        end = start + length;
    }
    words
}

/// The number of words that match `phrase` from `start` on.
fn length_at(words: &[Word<'_>], start: usize, phrase: &str) -> Option<usize> {
    let parts: Vec<&str> = phrase.split(' ').collect();
    let here = words.get(start..start + parts.len())?;
    let is_match = |(i, (word, part)): (usize, (&Word<'_>, &&str))| (i == 0 || word.joined) && is_word(word.text, part);
    here.iter().zip(&parts).enumerate().all(is_match).then_some(parts.len())
}

/// Whether one of the words up to `start` begins the longer phrase `except`.
fn is_excepted(words: &[Word<'_>], start: usize, except: &str) -> bool {
    let before = start.saturating_sub(1);
    [before, start].into_iter().any(|at| length_at(words, at, except).is_some())
}

fn is_word(word: &str, part: &str) -> bool {
    part == "*" || part.split('|').any(|one| word.eq_ignore_ascii_case(one) && (one != "none" || word == "none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let passage = Passage { kind: Kind::Comment, line: 1, text: text.to_owned() };
        matches("a.rs", &passage, &mut vec![false; ALLOWED.len()]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_rule_matches_its_own_phrase() {
        for rule in RULES {
            let words: Vec<&str> = rule.phrase.split(' ').map(|part| part.split('|').next().unwrap()).collect();
            let phrase = words.join(" ").replace('*', "thing");
            assert!(!found(&phrase).is_empty(), "{phrase}");
        }
    }

    #[test]
    fn reports_path_line_phrase_and_replacement() {
        let report = "a.rs:2: \"for ever\" is not plain English here; write \"indefinitely\" or \"without a timeout\"";
        assert_eq!(found("It waits\nfor\never."), [report]);
    }

    #[test]
    fn accepts_plain_technical_english() {
        let text = "Returns the session that the request belongs to. There is no limit, and the stream is no longer \
                    open. The retry stands for one attempt. Anewsworthy twinning. The value is None.";
        assert_eq!(found(text), Vec::<String>::new());
    }

    #[test]
    fn phrases_do_not_cross_punctuation_paragraphs_or_code() {
        for text in ["It is. No tool", "be\n\nit", "for □ ever", "for, ever"] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
        assert_eq!(found("`□` is no [□]").len(), 1);
    }

    #[test]
    fn every_exception_gives_its_reason() {
        for entry in ALLOWED {
            assert!(entry.reason.len() > 20, "{}", entry.path);
        }
    }
}
