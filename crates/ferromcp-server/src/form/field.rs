//! One field of a form: what is said of it, and how its answer is read.

use std::fmt;
use std::ops::{Bound, RangeBounds};

use ferromcp_core::RawJson;
use ferromcp_core::model::{FormSchema, PrimitiveSchema};

use super::answers::Answers;
use super::check::keeps;
use super::choice::ListField;
use super::field_type::FormField;
use super::format::Format;
use super::number::NumberField;
use super::text::TextField;
use super::words;

/// One field of a form, as [`Form`](super::Form) implementations describe it.
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
    /// Whether a list left out would be too short.
    needed: bool,
    absent: fn() -> Option<T>,
    read: fn(&RawJson) -> Result<T, String>,
    write: fn(&T) -> RawJson,
}

impl<T> Field<T> {
    /// A field of this name.
    pub fn new(name: impl Into<String>) -> Self
    where
        T: FormField,
    {
        Self {
            name: name.into(),
            schema: T::field(),
            default: None,
            needed: false,
            absent: T::absent,
            read: T::from_answer,
            write: T::to_answer,
        }
    }

    /// The name for people.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.schema.title = Some(title.into());
        self
    }

    /// What to fill in.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.schema.description = Some(description.into());
        self
    }

    /// What the field is when it is left out, and what clients that can do so fill in at first.
    ///
    /// It is taken as it is: that it keeps to the field's own rules is for you to see to.
    pub fn default(mut self, value: T) -> Self {
        self.schema.default = Some((self.write)(&value)).filter(|json| !json.is_null());
        self.default = Some(value);
        self
    }

    /// Holds the length of a text, in characters, within `range`.
    pub fn length(mut self, range: impl RangeBounds<usize>) -> Self
    where
        T: TextField,
    {
        (self.schema.min_length, self.schema.max_length) = counts(&range);
        self
    }

    /// Holds a text to a format.
    pub fn format(mut self, format: Format) -> Self
    where
        T: TextField,
    {
        self.schema.format = Some(format.as_str().to_owned());
        self
    }

    /// Holds a number within `range`.
    ///
    /// A form knows only limits that belong to the range, so one that does not becomes the next number that does.
    pub fn range(mut self, range: impl RangeBounds<T::Number>) -> Self
    where
        T: NumberField,
    {
        self.schema.minimum = match range.start_bound() {
            Bound::Included(least) => T::limit(least),
            Bound::Excluded(below) => T::limit(&T::after(below)),
            Bound::Unbounded => None,
        };
        self.schema.maximum = match range.end_bound() {
            Bound::Included(most) => T::limit(most),
            Bound::Excluded(above) => T::limit(&T::before(above)),
            Bound::Unbounded => None,
        };
        self
    }

    /// Holds the number of choices in a list within `range`; from one upwards, the list must be filled in.
    pub fn items(mut self, range: impl RangeBounds<usize>) -> Self
    where
        T: ListField,
    {
        (self.schema.min_items, self.schema.max_items) = counts(&range);
        self.needed = T::ABSENT_IS_EMPTY && self.schema.min_items.is_some();
        self
    }

    /// Puts the field at the end of a form.
    pub fn add_to(&self, form: &mut FormSchema) {
        if self.is_required() {
            form.required.get_or_insert_default().push(self.name.clone());
        }
        form.properties.push((self.name.clone(), self.schema.clone()));
    }

    /// Reads the field's answer, or notes its mistake, so that the mistakes of all fields can be told at once.
    pub fn read(self, answers: &Answers<'_>, mistakes: &mut Vec<String>) -> Option<T> {
        let Some(answer) = answers.get(&self.name) else {
            if self.is_required() {
                mistakes.push(words::missing(&self.name));
                return None;
            }
            return self.default.or_else(self.absent);
        };
        let kept = if keeps(&self.schema, answer) { (self.read)(answer) } else { Err(words::expected(&self.schema)) };
        kept.map_err(|expected| mistakes.push(words::wrong(&self.name, &expected, answer))).ok()
    }

    fn is_required(&self) -> bool {
        self.default.is_none() && (self.needed || (self.absent)().is_none())
    }
}

/// A range of lengths as JSON Schema says it; no least length for what starts at nothing.
fn counts(range: &impl RangeBounds<usize>) -> (Option<u64>, Option<u64>) {
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let least = match range.start_bound() {
        Bound::Included(least) => *least,
        Bound::Excluded(below) => below.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let most = match range.end_bound() {
        Bound::Included(most) => Some(*most),
        Bound::Excluded(above) => Some(above.saturating_sub(1)),
        Bound::Unbounded => None,
    };
    (Some(count(least)).filter(|least| *least > 0), most.map(count))
}

impl<T> fmt::Debug for Field<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field").field("name", &self.name).field("schema", &self.schema).finish_non_exhaustive()
    }
}
