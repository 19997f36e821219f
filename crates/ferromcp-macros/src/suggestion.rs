//! "Did you mean …?": finds the closest known word.

/// Returns the closest of `known`, if its edit distance is small.
pub(crate) fn closest_match<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (edit_distance(word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns the Damerau-Levenshtein distance.
fn edit_distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut previous_row = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for i in 0..left.len() {
        let mut next_row = vec![i + 1];
        for j in 0..right.len() {
            let change = row[j] + usize::from(left[i] != right[j]);
            let mut distance = change.min(row[j + 1] + 1).min(next_row[j] + 1);
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
    use super::{closest_match, edit_distance};

    #[test]
    fn edit_distance_counts_single_letter_edits() {
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("same", "same"), 0);
        assert_eq!(edit_distance("rnage", "range"), 1);
    }

    #[test]
    fn closest_match_returns_only_near_candidates() {
        let known = ["name", "title", "description"];
        assert_eq!(closest_match("tilte", &known), Some("title"));
        assert_eq!(closest_match("describtion", &known), Some("description"));
        assert_eq!(closest_match("wrong", &known), None);
    }
}
