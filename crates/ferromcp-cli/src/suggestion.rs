//! "Did you mean …?": finds the known name that is closest to an unknown one.

/// The maximum length of a name that is compared, in bytes. It bounds the time of a comparison.
const MAX_BYTES: usize = 256;

/// The closest name so far. Names are added one at a time, so that a long list is not stored.
#[derive(Debug)]
pub(crate) struct Closest<'a> {
    name: &'a str,
    best: Option<(usize, String)>,
}

impl<'a> Closest<'a> {
    /// Creates a search for the names that are closest to `name`.
    pub(crate) fn to(name: &'a str) -> Self {
        Self { name, best: None }
    }

    /// Adds a known name. Returns whether it is the closest so far.
    pub(crate) fn add(&mut self, known: &str) -> bool {
        if known.len() > MAX_BYTES || self.name.len() > MAX_BYTES {
            return false;
        }
        let (left, right) = (normalize(self.name), normalize(known));
        let length = right.chars().count();
        // The edit distance is at least the difference of the lengths.
        if left.chars().count().abs_diff(length) > length.div_ceil(3) {
            return false;
        }
        let distance = strsim::osa_distance(&left, &right);
        let is_close = distance <= length.div_ceil(3) && distance < length;
        let is_closest = is_close && self.best.as_ref().is_none_or(|(best, _)| distance < *best);
        if is_closest {
            self.best = Some((distance, known.to_owned()));
        }
        is_closest
    }
}

/// Returns the closest of `known`, if few edits lead to it.
pub(crate) fn closest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    let mut closest = Closest::to(name);
    for candidate in known {
        closest.add(candidate);
    }
    closest.best.map(|(_, name)| name)
}

/// Returns the name without case and separators, so that `dueBefore` is equal to `due_before`.
fn normalize(name: &str) -> String {
    name.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn closest_name_is_returned_when_few_edits_lead_to_it() {
        let known = ["limit", "due_before", "id"];
        assert_eq!(closest("lmit", known).as_deref(), Some("limit"));
        assert_eq!(closest("dueBefore", known).as_deref(), Some("due_before"));
        assert_eq!(closest("colour", known), None);
        assert_eq!(closest("", known), None);
        assert_eq!(closest(&"x".repeat(10_000), known), None);
    }
}
