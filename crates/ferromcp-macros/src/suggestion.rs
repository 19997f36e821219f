//! "Did you mean …?": finds the closest known word.

/// Returns the closest of `known`, if its edit distance is small.
pub(crate) fn closest_match<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (strsim::osa_distance(word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::closest_match;

    #[test]
    fn closest_match_returns_only_near_candidates() {
        let known = ["name", "title", "description"];
        assert_eq!(closest_match("tilte", &known), Some("title"));
        assert_eq!(closest_match("describtion", &known), Some("description"));
        assert_eq!(closest_match("wrong", &known), None);
    }
}
