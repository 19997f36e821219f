//! "Did you mean …?": finds the known name that is closest to an unknown one.

/// The maximum length of a name that is compared, in characters. It bounds the time of a comparison.
const MAX_CHARS: usize = 64;

/// Returns the closest of `known`, if few edits lead to it.
pub(crate) fn closest_match<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let normalized = normalize(name)?;
    let distance = |candidate: &&'k str| {
        let normalized_candidate = normalize(candidate)?;
        let distance = strsim::osa_distance(&normalized, &normalized_candidate);
        let length = normalized_candidate.chars().count();
        (distance <= length.div_ceil(3) && distance < length).then_some((distance, *candidate))
    };
    let closest = known.iter().filter_map(distance).min_by_key(|(distance, _)| *distance)?;
    Some(closest.1)
}

/// Returns the name without case and separators, so that `dueBefore` is equal to `due_before`. `None` if it is too long.
fn normalize(name: &str) -> Option<String> {
    if name.len() > 4 * MAX_CHARS {
        return None;
    }
    let letters = name.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')).flat_map(char::to_lowercase);
    let normalized: String = letters.collect();
    (normalized.chars().count() <= MAX_CHARS).then_some(normalized)
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
