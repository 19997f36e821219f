//! The repairs of a message, for logs.

use std::fmt;

use super::edit::Members;
use super::path::{FieldError, Path};
use crate::text::excerpt;

/// What was done with a part of a message that could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RepairKind {
    /// An optional field was treated as absent.
    Ignored,
    /// A missing or unreadable field was replaced by a default.
    Replaced,
    /// A value of another type was converted, for example the number of a cursor to a string.
    Converted,
    /// An item of a list was skipped.
    Skipped,
}

/// One repair of a message.
///
/// The `Display` form names the item, the field and the cause, and is safe to log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repair {
    /// What was done.
    pub kind: RepairKind,
    /// The location, for example `result.tools[1].annotations`.
    pub path: String,
    /// The name or URI of the list item, if it has one.
    pub item: Option<String>,
    /// The cause.
    pub cause: FieldError,
}

impl Repair {
    pub(crate) fn new(kind: RepairKind, path: &Path, item: Option<String>, cause: FieldError) -> Self {
        Self { kind, path: path.to_string(), item, cause }
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.kind {
            RepairKind::Ignored => "ignored",
            RepairKind::Replaced => "used a default for",
            RepairKind::Converted => "converted",
            RepairKind::Skipped => "skipped",
        };
        write!(f, "{verb} `{}`", self.path)?;
        if let Some(item) = &self.item {
            write!(f, " (`{item}`)")?;
        }
        if self.cause.path() == self.path {
            write!(f, ": {}", self.cause.cause())
        } else {
            write!(f, ": {}", self.cause)
        }
    }
}

/// Maximum number of bytes that are decoded again to repair one message. Then, imperfect items are skipped, so that a
/// message with many errors costs only a limited amount of time.
const MAX_WORK: usize = 16 << 20;

/// The repairs of a message. The first [`Repairs::MAX`] are recorded; the others are counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repairs {
    recorded: Vec<Repair>,
    omitted: usize,
    /// The number of bytes that were decoded again.
    work: usize,
}

impl Repairs {
    /// Maximum number of recorded repairs.
    pub const MAX: usize = 16;

    /// Creates an empty record.
    pub const fn new() -> Self {
        Self { recorded: Vec::new(), omitted: 0, work: 0 }
    }

    /// Returns `true` if the message was valid.
    pub fn is_empty(&self) -> bool {
        self.recorded.is_empty()
    }

    /// Iterates over the recorded repairs.
    pub fn iter(&self) -> impl Iterator<Item = &Repair> {
        self.recorded.iter()
    }

    /// Returns the number of repairs that are not recorded.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// Records an attempt to decode `bytes` again. Returns `false` if the message has cost too much already.
    pub(super) fn may_retry(&mut self, bytes: usize) -> bool {
        self.work = self.work.saturating_add(bytes);
        self.work <= MAX_WORK
    }

    pub(crate) fn push(&mut self, repair: Repair) {
        if self.recorded.len() < Self::MAX {
            self.recorded.push(repair);
        } else {
            self.omitted += 1;
        }
    }
}

/// Returns the name of a list item: its `name`, its URI, or the type of a content block.
pub(super) fn item_name(item: &str) -> Option<String> {
    let members = Members::of(item)?;
    let name = ["name", "uri", "uriTemplate", "taskId", "type"].iter().find_map(|key| {
        let text = serde_json::from_str::<String>(members.get(key)?).ok()?;
        Some(text).filter(|text| !text.is_empty())
    })?;
    Some(excerpt(&name).to_string())
}
