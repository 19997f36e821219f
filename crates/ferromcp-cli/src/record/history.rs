//! Recent records as JSON, with a limit of their number and size.

use std::collections::VecDeque;
use std::sync::Arc;

/// Recent records. The oldest are removed when a limit is exceeded.
pub(super) struct History {
    records: VecDeque<Arc<str>>,
    bytes: usize,
    max_records: usize,
    max_bytes: usize,
}

impl History {
    /// Creates an empty history with these limits.
    pub(super) fn new(max_records: usize, max_bytes: usize) -> Self {
        Self { records: VecDeque::new(), bytes: 0, max_records, max_bytes }
    }

    /// Adds a record. One that exceeds the limit alone is not stored.
    pub(super) fn push(&mut self, record: Arc<str>) {
        if record.len() > self.max_bytes {
            return;
        }
        self.bytes += record.len();
        self.records.push_back(record);
        while self.records.len() > self.max_records || self.bytes > self.max_bytes {
            self.bytes -= self.records.pop_front().map_or(0, |oldest| oldest.len());
        }
    }

    /// Removes all records.
    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.bytes = 0;
    }

    /// Returns the records as a JSON array.
    pub(super) fn to_json(&self) -> String {
        let mut json = String::with_capacity(self.bytes + self.records.len() + 2);
        json.push('[');
        for (index, record) in self.records.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            json.push_str(record);
        }
        json.push(']');
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oldest_records_are_removed_when_limits_are_exceeded() {
        let mut history = History::new(3, 10);
        for record in ["1", "2", "3", "4"] {
            history.push(record.into());
        }
        assert_eq!(history.to_json(), "[2,3,4]");
        history.push("\"123456\"".into());
        assert_eq!(history.to_json(), "[3,4,\"123456\"]");
        history.push("\"1234567890\"".into());
        assert_eq!(history.to_json(), "[3,4,\"123456\"]", "too large alone");
        history.clear();
        assert_eq!((history.to_json().as_str(), history.bytes), ("[]", 0));
    }
}
