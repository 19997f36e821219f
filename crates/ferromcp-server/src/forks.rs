//! [`Forks`]: the copies that were made of a shared value, and the values that it is mounted in. A change of the original
//! is applied to them too.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The live forks of one value. A fork of a fork belongs to both.
///
/// Each mount on the way from the value to a fork adds a step `S` to the path of the fork.
pub(crate) struct Forks<T, S> {
    own: Arc<List<T, S>>,
    /// The lists that this value is on, each with its path.
    ancestors: Mutex<Vec<Ancestor<T, S>>>,
}

/// A value, and the mounts on the way to it, the innermost first.
pub(crate) type Fork<T, S> = (T, Vec<S>);

type List<T, S> = Mutex<Vec<Fork<Weak<T>, S>>>;

type Ancestor<T, S> = Fork<Arc<List<T, S>>, S>;

impl<T, S: Clone> Forks<T, S> {
    /// Returns the forks of a copy of this value. Pass the copy to [`register`](Self::register).
    pub(crate) fn of_copy(&self) -> Self {
        Self { own: Arc::default(), ancestors: Mutex::new(self.lists()) }
    }

    /// Adds `copy`, which has these forks, to the forks of the values that it was copied from.
    pub(crate) fn register(&self, copy: &Arc<T>) {
        for (list, path) in &*lock(&self.ancestors) {
            add(list, copy, path.clone());
        }
    }

    /// Adds `outer`, which has the forks `of_outer`, to the forks of this value, which is mounted in it.
    pub(crate) fn mount(&self, outer: &Arc<T>, of_outer: &Self, step: &S) {
        let mut ancestors = lock(&of_outer.ancestors);
        for (list, mut path) in self.lists() {
            path.push(step.clone());
            add(&list, outer, path.clone());
            ancestors.push((list, path));
        }
    }

    /// Returns the live forks.
    pub(crate) fn live(&self) -> Vec<Fork<Arc<T>, S>> {
        lock(&self.own).iter().filter_map(|(fork, path)| Some((fork.upgrade()?, path.clone()))).collect()
    }

    /// Returns the lists that forks of this value are on.
    fn lists(&self) -> Vec<Ancestor<T, S>> {
        let mut lists = lock(&self.ancestors).clone();
        lists.push((Arc::clone(&self.own), Vec::new()));
        lists
    }
}

fn add<T, S>(list: &List<T, S>, fork: &Arc<T>, path: Vec<S>) {
    let mut list = lock(list);
    list.retain(|(fork, _)| fork.strong_count() > 0);
    list.push((Arc::downgrade(fork), path));
}

fn lock<T>(list: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T, S> Default for Forks<T, S> {
    fn default() -> Self {
        Self { own: Arc::default(), ancestors: Mutex::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Value(u8, Forks<Value, char>);

    fn value(id: u8) -> Arc<Value> {
        Arc::new(Value(id, Forks::default()))
    }

    fn copy(of: &Value, id: u8) -> Arc<Value> {
        let copy = Arc::new(Value(id, of.1.of_copy()));
        copy.1.register(&copy);
        copy
    }

    fn live(of: &Value) -> Vec<(u8, String)> {
        of.1.live().into_iter().map(|(value, path)| (value.0, path.into_iter().collect())).collect()
    }

    #[test]
    fn copies_are_live_when_the_copies_in_between_are_dropped() {
        // S10
        let first = value(1);
        let second = copy(&first, 2);
        let third = copy(&second, 3);
        let ids = |value: &Value| live(value).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
        assert_eq!((ids(&first), ids(&second), ids(&third)), (vec![2, 3], vec![3], vec![]));
        drop(second);
        assert_eq!(ids(&first), [3]);
    }

    #[test]
    fn path_contains_every_mount_when_value_is_mounted_in_a_mounted_value() {
        let inner = value(1);
        let copied = copy(&inner, 2);
        let middle = value(3);
        copied.1.mount(&middle, &middle.1, &'a');
        let outer = value(4);
        middle.1.mount(&outer, &outer.1, &'b');
        let outer_copy = copy(&outer, 5);
        let all = [(2, ""), (3, "a"), (4, "ab"), (5, "ab")].map(|(id, path)| (id, path.to_owned()));
        assert_eq!(live(&inner), all);
        assert_eq!(live(&copied), all[1..]);
        assert_eq!(live(&middle), [(4, "b".to_owned()), (5, "b".to_owned())]);
        drop(outer);
        drop(middle);
        assert_eq!(live(&inner), [all[0].clone(), all[3].clone()]);
        drop(outer_copy);
        assert_eq!(live(&copied), []);
    }
}
