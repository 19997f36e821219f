//! "Did you mean …?": finds the known name that is closest to an unknown one.

/// The maximum length of a name that is compared, in characters. It bounds the time of a comparison.
const MAX_CHARS: usize = 64;

/// Returns the closest of `known`, if few edits lead to it.
pub(crate) fn closest_match<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let normalized = normalize(name)?;
    let distance = |candidate: &&'k str| {
        let candidate_chars = normalize(candidate)?;
        let distance = edit_distance(&normalized, &candidate_chars);
        let length = candidate_chars.len();
        (distance <= length.div_ceil(3) && distance < length).then_some((distance, *candidate))
    };
    let closest = known.iter().filter_map(distance).min_by_key(|(distance, _)| *distance)?;
    Some(closest.1)
}

/// Returns the characters without case and separators, so that `dueBefore` is equal to `due_before`. `None` if the name
/// is too long.
fn normalize(name: &str) -> Option<Vec<char>> {
    if name.len() > 4 * MAX_CHARS {
        return None;
    }
    let letters = name.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')).flat_map(char::to_lowercase);
    let letters: Vec<char> = letters.collect();
    (letters.len() <= MAX_CHARS).then_some(letters)
}

/// Returns the number of insertions, deletions, substitutions and swaps of neighbors (Damerau-Levenshtein).
fn edit_distance(left: &[char], right: &[char]) -> usize {
    let mut previous_row: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for i in 0..left.len() {
        let mut next_row = vec![i + 1];
        for j in 0..right.len() {
            let substituted = row[j] + usize::from(left[i] != right[j]);
            let mut distance = substituted.min(row[j + 1] + 1).min(next_row[j] + 1);
            if i > 0 && j > 0 && left[i] == right[j - 1] && left[i - 1] == right[j] {
                distance = distance.min(previous_row[j - 1] + 1);
            }
            next_row.push(distance);
        }
        previous_row = std::mem::replace(&mut row, next_row);
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::closest_match;

    #[test]
    fn closest_match_is_returned_when_few_edits_lead_to_it() {
        // S6
        let known = ["limit", "due_before", "id"];
        assert_eq!(closest_match("lmit", &known), Some("limit"));
        assert_eq!(closest_match("limti", &known), Some("limit"));
        assert_eq!(closest_match("dueBefore", &known), Some("due_before"));
        assert_eq!(closest_match("ids", &known), Some("id"));
        assert_eq!(closest_match("x", &["y"]), None);
        assert_eq!(closest_match("colour", &known), None);
        assert_eq!(closest_match("", &known), None);
        assert_eq!(closest_match(&"l".repeat(1 << 20), &known), None);
    }
}
