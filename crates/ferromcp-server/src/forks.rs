//! [`Forks`]: the copies that were made of a shared value, so that a change of the original can be applied to them.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The live copies of one value. A copy of a copy belongs to both.
pub(crate) struct Forks<T> {
    own: Arc<List<T>>,
    /// The lists of the values that this one was copied from.
    ancestors: Vec<Arc<List<T>>>,
}

type List<T> = Mutex<Vec<Weak<T>>>;

impl<T> Forks<T> {
    /// Returns the forks of a copy of this value. Pass the copy to [`register`](Self::register).
    pub(crate) fn of_copy(&self) -> Self {
        let ancestors = self.ancestors.iter().chain([&self.own]).cloned().collect();
        Self { own: Arc::default(), ancestors }
    }

    /// Adds `copy`, which has these forks, to the forks of the values that it was copied from.
    pub(crate) fn register(&self, copy: &Arc<T>) {
        for list in &self.ancestors {
            let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
            list.retain(|fork| fork.strong_count() > 0);
            list.push(Arc::downgrade(copy));
        }
    }

    /// Returns the live copies.
    pub(crate) fn live(&self) -> Vec<Arc<T>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect()
    }
}

impl<T> Default for Forks<T> {
    fn default() -> Self {
        Self { own: Arc::default(), ancestors: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Value(u8, Forks<Value>);

    fn copy(of: &Value, id: u8) -> Arc<Value> {
        let copy = Arc::new(Value(id, of.1.of_copy()));
        copy.1.register(&copy);
        copy
    }

    #[test]
    fn copies_are_live_when_the_copies_in_between_are_dropped() {
        // S10
        let first = Value(1, Forks::default());
        let second = copy(&first, 2);
        let third = copy(&second, 3);
        let ids = |forks: &Forks<Value>| forks.live().iter().map(|value| value.0).collect::<Vec<_>>();
        assert_eq!((ids(&first.1), ids(&second.1), ids(&third.1)), (vec![2, 3], vec![3], vec![]));
        drop(second);
        assert_eq!(ids(&first.1), [3]);
    }
}
