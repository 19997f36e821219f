//! A field of a form: its schema, and the parser of its answer.

use std::fmt;
use std::ops::{Bound, RangeBounds};

use ferromcp_core::RawJson;
use ferromcp_core::model::{FormSchema, PrimitiveSchema};

use super::check::{Answers, satisfies};
use super::choice::ListField;
use super::field_type::{FormField, TextField};
use super::format::Format;
use super::messages;
use super::number::NumberField;

/// A field of a form, used to implement [`Form`](super::Form).
///
/// ```
/// use ferromcp_server::form::{Field, Format};
///
/// let email = Field::<String>::new("email").describe("Where to write to").format(Format::Email);
/// let seats = Field::<Option<u32>>::new("seats").range(1..=8).default(Some(2));
/// ```
pub struct Field<T> {
    name: String,
    schema: PrimitiveSchema,
    default: Option<T>,
    /// Whether an omitted list would violate the minimum number of items.
    requires_items: bool,
    absent: fn() -> Option<T>,
    decode: fn(&RawJson) -> Result<T, String>,
    encode: fn(&T) -> RawJson,
}

impl<T> Field<T> {
    /// Creates a field with this name.
    pub fn new(name: impl Into<String>) -> Self
    where
        T: FormField,
    {
        Self {
            name: name.into(),
            schema: T::field(),
            default: None,
            requires_items: false,
            absent: T::absent,
            decode: T::from_answer,
            encode: T::to_answer,
        }
    }

    /// Sets the title that is shown to the user.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.schema.title = Some(title.into());
        self
    }

    /// Sets the description that is shown to the user.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.schema.description = Some(description.into());
        self
    }

    /// Sets the value of an omitted field, which is also the initial value in clients that support defaults.
    ///
    /// The default is not validated against the limits of the field.
    pub fn default(mut self, value: T) -> Self {
        self.schema.default = Some((self.encode)(&value)).filter(|json| !json.is_null());
        self.default = Some(value);
        self
    }

    /// Limits the length of a string, in characters.
    pub fn length(mut self, range: impl RangeBounds<usize>) -> Self
    where
        T: TextField,
    {
        (self.schema.min_length, self.schema.max_length) = count_limits(&range);
        self
    }

    /// Sets the format of a string.
    pub fn format(mut self, format: Format) -> Self
    where
        T: TextField,
    {
        self.schema.format = Some(format.as_str().to_owned());
        self
    }

    /// Limits the value of a number.
    ///
    /// Form schemas have only inclusive limits, so an exclusive limit becomes the next number inside the range.
    pub fn range(mut self, range: impl RangeBounds<T::Number>) -> Self
    where
        T: NumberField,
    {
        self.schema.minimum = match range.start_bound() {
            Bound::Included(min) => T::limit(min),
            Bound::Excluded(below) => T::limit(&T::smallest_above(below)),
            Bound::Unbounded => None,
        };
        self.schema.maximum = match range.end_bound() {
            Bound::Included(max) => T::limit(max),
            Bound::Excluded(above) => T::limit(&T::largest_below(above)),
            Bound::Unbounded => None,
        };
        self
    }

    /// Limits the number of items of a multi-select list. With a minimum of at least one, the field is required.
    pub fn items(mut self, range: impl RangeBounds<usize>) -> Self
    where
        T: ListField,
    {
        (self.schema.min_items, self.schema.max_items) = count_limits(&range);
        self.requires_items = T::ABSENT_IS_EMPTY && self.schema.min_items.is_some();
        self
    }

    /// Appends the field to a form schema.
    pub fn add_to(&self, form: &mut FormSchema) {
        if self.is_required() {
            form.required.get_or_insert_default().push(self.name.clone());
        }
        form.properties.push((self.name.clone(), self.schema.clone()));
    }

    /// Parses and validates the answer of the field. On failure, adds a message to `errors` and returns `None`.
    pub fn read(self, answers: &Answers<'_>, errors: &mut Vec<String>) -> Option<T> {
        let Some(answer) = answers.get(&self.name) else {
            if self.is_required() {
                errors.push(messages::missing(&self.name));
                return None;
            }
            return self.default.or_else(self.absent);
        };
        let decoded =
            if satisfies(&self.schema, answer) { (self.decode)(answer) } else { Err(messages::expected(&self.schema)) };
        decoded.map_err(|expected| errors.push(messages::invalid_value(&self.name, &expected, answer))).ok()
    }

    fn is_required(&self) -> bool {
        self.default.is_none() && (self.requires_items || (self.absent)().is_none())
    }
}

/// Converts a range to JSON Schema limits. A minimum of 0 is omitted.
fn count_limits(range: &impl RangeBounds<usize>) -> (Option<u64>, Option<u64>) {
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let min = match range.start_bound() {
        Bound::Included(min) => *min,
        Bound::Excluded(below) => below.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let max = match range.end_bound() {
        Bound::Included(max) => Some(*max),
        Bound::Excluded(above) => Some(above.saturating_sub(1)),
        Bound::Unbounded => None,
    };
    (Some(count(min)).filter(|min| *min > 0), max.map(count))
}

impl<T> fmt::Debug for Field<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field").field("name", &self.name).field("schema", &self.schema).finish_non_exhaustive()
    }
}
