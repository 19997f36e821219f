//! Splits a line into words, as a shell does without expansions.

/// Returns the words of a line. Single quotes preserve all characters, double quotes all but `\` before `"` and `\`, and a
/// backslash outside of quotes preserves the next character. Empty for a comment.
///
/// # Errors
/// Fails with the open quote, or the backslash at the end.
pub(super) fn split(line: &str) -> Result<Vec<String>, char> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '#' if word.is_none() => break,
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err('\''),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => {
                            let escaped = chars.next_if(|c| matches!(c, '"' | '\\'));
                            word.push(escaped.unwrap_or('\\'));
                        }
                        Some(c) => word.push(c),
                        None => return Err('"'),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next().ok_or('\\')?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_split_and_unquoted() {
        for (line, expected) in [
            ("", &[][..]),
            (" \t ", &[]),
            ("# a comment", &[]),
            ("call add  a=1\tb=2 # sum", &["call", "add", "a=1", "b=2"]),
            ("a#b", &["a#b"]),
            ("text='two words'x \"\" ''", &["text=two wordsx", "", ""]),
            (r#"a="say \"hi\" \n" 'b\'"#, &[r#"a=say "hi" \n"#, "b\\"]),
            (r"two\ words \# \'", &["two words", "#", "'"]),
            (r#"list:='[1, "x"]'"#, &[r#"list:=[1, "x"]"#]),
        ] {
            assert_eq!(
                split(line).as_deref(),
                Ok(expected.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice())
            );
        }
        assert_eq!(split("a 'b"), Err('\''));
        assert_eq!(split("a \"b\\\""), Err('"'));
        assert_eq!(split("a \\"), Err('\\'));
    }

    proptest! {
        #[test]
        fn quoted_words_are_preserved(words in prop::collection::vec("[^']{0,8}", 0..4)) {
            let line = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(split(&line), Ok(words));
        }
    }
}
