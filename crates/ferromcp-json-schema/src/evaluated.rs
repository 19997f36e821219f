//! The items of an array, or the properties of an object, that were evaluated (`unevaluatedItems`,
//! `unevaluatedProperties`).

/// A set of indexes.
#[derive(Debug, Clone, Default)]
pub(super) struct Evaluated {
    bits: Vec<u64>,
    all: bool,
}

impl Evaluated {
    pub(super) fn insert(&mut self, at: usize) {
        let word = at / 64;
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << (at % 64);
    }

    pub(super) fn insert_all(&mut self) {
        self.all = true;
    }

    pub(super) fn contains(&self, at: usize) -> bool {
        self.all || self.bits.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.all |= other.all;
        self.bits.resize(self.bits.len().max(other.bits.len()), 0);
        for (word, more) in self.bits.iter_mut().zip(&other.bits) {
            *word |= more;
        }
    }

    /// Returns the cost of a merge, in steps.
    pub(super) fn merge_cost(&self) -> usize {
        self.bits.len() / 8
    }
}
