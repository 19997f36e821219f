//! Which items of an array, or members of an object, some subschema has looked at.

/// A set of positions.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    bits: Vec<u64>,
    all: bool,
}

impl Marks {
    pub(super) fn mark(&mut self, at: usize) {
        let word = at / 64;
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << (at % 64);
    }

    pub(super) fn mark_all(&mut self) {
        self.all = true;
    }

    pub(super) fn has(&self, at: usize) -> bool {
        self.all || self.bits.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.all |= other.all;
        self.bits.resize(self.bits.len().max(other.bits.len()), 0);
        for (word, more) in self.bits.iter_mut().zip(&other.bits) {
            *word |= more;
        }
    }

    /// What it costs to merge it, in steps.
    pub(super) fn weight(&self) -> usize {
        self.bits.len() / 8
    }
}
