//! The repair loop: decode, repair the value at the path of the error, decode again.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::edit::{edit, value_at, with_member, without_duplicates};
use super::path::{FieldError, Path, Segment, decode_tracked};
use super::policy::{Policy, default_of, replacement_of};
use super::report::{Repair, RepairKind, Repairs};

/// Maximum number of repairs of single fields. Then whole members are ignored, so that the cost stays limited.
const MAX_FINE: usize = 8;

/// Maximum number of attempts to decode one text.
const MAX_ATTEMPTS: usize = 32;

/// Decodes `text` with `attempt`, and repairs it as far as `policy` allows. `base` is the location of the text in the
/// message, and `item` the name of the list item.
///
/// # Errors
/// Returns the error that could not be repaired.
pub(crate) fn run<T>(
    text: &str,
    (base, item): (&Path, Option<&str>),
    policy: &Policy<'_>,
    repairs: &mut Repairs,
    attempt: impl Fn(&str) -> Result<T, FieldError>,
) -> Result<T, FieldError> {
    let mut state = State { base, steps: Vec::new() };
    let mut text = text.to_owned();
    let mut failure = None;
    for _ in 0..MAX_ATTEMPTS {
        let error = match attempt(&text) {
            Ok(value) => {
                for step in state.steps.into_iter().filter(|step| step.kind.is_some()) {
                    let kind = step.kind.unwrap_or(RepairKind::Ignored);
                    repairs.push(Repair::new(kind, &step.path, item.map(str::to_owned), step.cause));
                }
                return Ok(value);
            }
            Err(error) => error,
        };
        if !repairs.may_retry(text.len()) {
            return Err(error.below(base));
        }
        match state.repair(&text, &error, policy) {
            Ok(repaired) => text = repaired,
            Err(fatal) => return Err(fatal),
        }
        failure = Some(error.below(base));
    }
    Err(failure.unwrap_or_else(|| FieldError::new(base.clone(), "too many invalid fields")))
}

/// Decodes an object like [`run`].
pub(crate) fn repair_object<T: DeserializeOwned>(
    text: &str,
    base: &Path,
    policy: &Policy<'_>,
    repairs: &mut Repairs,
) -> Result<T, FieldError> {
    run(text, (base, None), policy, repairs, |text| decode_tracked(PhantomData, text))
}

/// The repairs so far.
struct State<'b> {
    base: &'b Path,
    steps: Vec<Step>,
}

/// One repair. Paths are those in the original message.
struct Step {
    path: Path,
    cause: FieldError,
    /// `None` for a `null`, which is the same as an absent member and not worth a warning.
    kind: Option<RepairKind>,
    /// Whether the value was removed from an array, which changes the indexes of the following ones.
    is_element: bool,
}

impl State<'_> {
    /// Repairs the value that caused `error`.
    fn repair(&mut self, text: &str, error: &FieldError, policy: &Policy<'_>) -> Result<String, FieldError> {
        let at = error.path.0.as_slice();
        let cause = self.cause_of(error);
        let Some(value) = value_at(text, at) else { return Err(cause) };
        let repaired = self.add_missing(text, at, value, error, &cause, policy);
        let repaired = repaired.or_else(|| self.replace(text, at, value, error, &cause, policy));
        repaired.or_else(|| self.remove(text, at, value, &cause, policy)).ok_or(cause)
    }

    /// Returns the error to report. If a required member is missing because it was removed, that is the original error.
    fn cause_of(&self, error: &FieldError) -> FieldError {
        let path = self.original(&error.path.0);
        let missing = quoted(&error.cause, "missing field `").map(|name| path.join(&[Segment::key(name)]));
        let removed = self.steps.iter().find(|step| missing.as_ref() == Some(&step.path));
        removed.map_or_else(|| FieldError { path, cause: error.cause.clone() }, |step| step.cause.clone())
    }

    fn add_missing(
        &mut self,
        text: &str,
        at: &[Segment],
        object: &str,
        error: &FieldError,
        cause: &FieldError,
        policy: &Policy<'_>,
    ) -> Option<String> {
        let name = quoted(&error.cause, "missing field `")?;
        let default = default_of(name, at, object, &error.cause)?;
        let path = [at, &[Segment::key(name)]].concat();
        if !(policy.allows)(&path) {
            return None;
        }
        let repaired = edit(text, at, Some(&with_member(object, name, &default)?))?;
        self.record(&path, cause, Some(RepairKind::Replaced), false);
        Some(repaired)
    }

    fn replace(
        &mut self,
        text: &str,
        at: &[Segment],
        value: &str,
        error: &FieldError,
        cause: &FieldError,
        policy: &Policy<'_>,
    ) -> Option<String> {
        let path = self.original(at);
        if !(policy.allows)(at) || self.steps.iter().any(|step| step.path == path) {
            return None;
        }
        let (new, kind) = if error.cause.starts_with("duplicate field") {
            (without_duplicates(value)?, RepairKind::Replaced)
        } else {
            (replacement_of(value, at, &error.cause)?, RepairKind::Converted)
        };
        let repaired = edit(text, at, Some(&new))?;
        self.record(at, cause, Some(kind), false);
        Some(repaired)
    }

    fn remove(
        &mut self,
        text: &str,
        at: &[Segment],
        value: &str,
        cause: &FieldError,
        policy: &Policy<'_>,
    ) -> Option<String> {
        let at = if self.steps.len() >= MAX_FINE { &at[..at.len().min(policy.coarse)] } else { at };
        let last = at.last()?;
        let is_absent = value == "null" && last.as_key().is_some() && (policy.allows_null)(at);
        if !is_absent && !(policy.allows)(at) {
            return None;
        }
        let repaired = edit(text, at, None)?;
        let is_element = matches!(last, Segment::Index(_));
        let kind = if is_element { RepairKind::Skipped } else { RepairKind::Ignored };
        self.record(at, cause, (!is_absent).then_some(kind), is_element);
        Some(repaired)
    }

    /// Records a repair, which replaces those below it.
    fn record(&mut self, at: &[Segment], cause: &FieldError, kind: Option<RepairKind>, is_element: bool) {
        let path = self.original(at);
        self.steps.retain(|step| !step.path.starts_with(&path));
        self.steps.push(Step { path, cause: cause.clone(), kind, is_element });
    }

    /// Converts a path in the current text into a path in the original message.
    fn original(&self, at: &[Segment]) -> Path {
        let mut path = self.base.clone();
        for segment in at {
            let Segment::Index(index) = segment else {
                path.0.push(segment.clone());
                continue;
            };
            let removed = self.steps.iter().filter(|step| step.is_element && step.path.0.len() == path.0.len() + 1);
            let mut removed: Vec<usize> = removed
                .filter(|step| step.path.starts_with(&path))
                .filter_map(|step| match step.path.0.last() {
                    Some(Segment::Index(index)) => Some(*index),
                    _ => None,
                })
                .collect();
            removed.sort_unstable();
            let index = removed.into_iter().fold(*index, |index, removed| index + usize::from(removed <= index));
            path.0.push(Segment::Index(index));
        }
        path
    }
}

/// Returns the name in backquotes after `prefix`.
fn quoted<'c>(cause: &'c str, prefix: &str) -> Option<&'c str> {
    cause.strip_prefix(prefix)?.split('`').next()
}
