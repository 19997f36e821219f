//! Decoding of imperfect messages: an unreadable field or item is repaired or skipped, and the other items are kept.
//!
//! A message is first decoded strictly, in one pass. Only if that fails, it is decoded again with a tracked path, and the
//! value at the path of the error is repaired in the text: an unreadable optional field is removed, a missing field with an
//! obvious value is added, and an item without its required fields is skipped. Then the text is decoded again. Items of
//! long lists are repaired one by one, so the cost is linear in the length of the list.

pub(crate) mod depth;
pub(crate) mod edit;
mod input;
pub(crate) mod path;
pub(crate) mod policy;
mod report;
mod results;
mod run;

pub use path::FieldError;
pub use report::{Repair, RepairKind, Repairs};
pub use results::{Repairable, decode_result};
pub(crate) use run::{repair_object, run};

#[cfg(test)]
mod tests;
