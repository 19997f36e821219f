//! The description of one parameter: name, title, description, default, limits.

use std::any::{Any, TypeId};
use std::cmp::Ordering;
use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use ferromcp_core::text::excerpt;
use schemars::Schema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::input::Input;
use super::length::Length;
use super::violations::json_excerpt;
use crate::schema;

/// The description of one parameter of a handler function.
///
/// Builders take one `Arg` per parameter, in order, including extractors. The `Arg` of an extractor only keeps its position.
///
/// ```
/// use ferromcp_server::Arg;
/// let limit = Arg::new("limit").describe("How many rows").range::<u32>(1..=1000).default::<u32>(50);
/// ```
#[derive(Clone)]
pub struct Arg {
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) checks: Vec<Check>,
    length: Option<Length>,
    header: Option<String>,
}

/// The value used when an argument is missing.
#[derive(Clone)]
pub(crate) struct DefaultValue {
    make: Arc<dyn Fn() -> Box<dyn Any> + Send + Sync>,
    pub(crate) json: Option<Value>,
}

impl DefaultValue {
    /// Returns the default as a `T`: the value itself, or deserialized from its JSON (another number type, an `Option`).
    pub(crate) fn make<T: DeserializeOwned + 'static>(&self) -> Option<T> {
        let same = (self.make)().downcast().ok().map(|value| *value);
        same.or_else(|| T::deserialize(self.json.as_ref()?).ok())
    }
}

/// Validates a value of a supported type; returns a description of the value if it violates the rule.
type Test = Arc<dyn Fn(&dyn Any) -> Option<String> + Send + Sync>;

/// A limit on the value of an argument, with its schema keywords.
#[derive(Clone)]
pub(crate) struct Check {
    /// The name of the option, for errors.
    option: &'static str,
    /// Returns true if the limit supports the type.
    fits: fn(TypeId) -> bool,
    /// Returns a description of a violating value. `None` in an `Option` is valid.
    test: Test,
    words: String,
    keywords: Vec<(&'static str, Value)>,
    /// True if no value is within the limit.
    is_empty: bool,
}

impl Arg {
    /// Creates the description of a parameter with this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: None,
            default: None,
            checks: Vec::new(),
            length: None,
            header: None,
        }
    }

    /// Sets the display name.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the description, which the model reads.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the default for a missing argument. `T` is the type of the parameter, or the type inside its `Option`.
    pub fn default<T: Clone + Serialize + Send + Sync + 'static>(mut self, value: T) -> Self {
        let json = serde_json::to_value(&value).ok();
        self.default = Some(DefaultValue { make: Arc::new(move || Box::new(value.clone())), json });
        self
    }

    /// Limits a number to `range`. `T` is the type of the parameter, or the type inside its `Option`.
    ///
    /// A call with a value outside the range is rejected before the function runs.
    pub fn range<T: PartialOrd + Clone + Serialize + Send + Sync + 'static>(
        mut self,
        range: impl RangeBounds<T>,
    ) -> Self {
        let (low, high) = (range.start_bound().cloned(), range.end_bound().cloned());
        let json = |value: &T| serde_json::to_value(value).unwrap_or(Value::Null);
        let mut keywords = Vec::new();
        let mut words = Vec::new();
        match &low {
            Bound::Included(low) => keywords.push(("minimum", json(low))),
            Bound::Excluded(low) => keywords.push(("exclusiveMinimum", json(low))),
            Bound::Unbounded => {}
        }
        match &high {
            Bound::Included(high) => keywords.push(("maximum", json(high))),
            Bound::Excluded(high) => keywords.push(("exclusiveMaximum", json(high))),
            Bound::Unbounded => {}
        }
        for (keyword, value) in &keywords {
            words.push(match *keyword {
                "minimum" => format!("at least {value}"),
                "exclusiveMinimum" => format!("more than {value}"),
                "maximum" => format!("at most {value}"),
                _ => format!("less than {value}"),
            });
        }
        let is_empty = match (&low, &high) {
            // Without an order, a bound is NaN.
            (Bound::Included(low), Bound::Included(high)) => low.partial_cmp(high).is_none_or(Ordering::is_gt),
            (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => {
                low.partial_cmp(high).is_none_or(Ordering::is_ge)
            }
            _ => false,
        };
        let within = (low, high);
        self.checks.push(Check {
            option: "range",
            fits: |id| id == TypeId::of::<T>() || id == TypeId::of::<Option<T>>(),
            test: Arc::new(move |value| {
                let broken = value_of::<T>(value).filter(|value| !within.contains(*value))?;
                serde_json::to_string(broken).ok().or_else(|| Some("another value".into()))
            }),
            words: words.join(" and "),
            keywords,
            is_empty,
        });
        self
    }

    /// Limits the length to `range`: the characters of a string, the items of a list or set, the entries of a map.
    ///
    /// A call with another length is rejected before the function runs.
    pub fn length(mut self, range: impl RangeBounds<usize>) -> Self {
        self.length = Some(Length::new(&range));
        self
    }

    /// Mirrors the argument in the HTTP header `Mcp-Param-{name}`, so that proxies can route calls by it.
    ///
    /// Supported on tools, for strings, integers and booleans. Another type, an invalid header name or a duplicate name is
    /// a build error of the server. Clients send the header on revision 2026-07-28 and later, over HTTP only. The server
    /// rejects a call whose header differs from the argument. Headers may be logged, so do not mirror secrets.
    ///
    /// ```
    /// use ferromcp_server::Arg;
    /// let region = Arg::new("region").header("Region"); // sent as `Mcp-Param-Region`
    /// ```
    pub fn header(mut self, name: impl Into<String>) -> Self {
        self.header = Some(name.into());
        self
    }

    /// Returns the error if `value` violates a limit.
    pub(crate) fn check<T: 'static>(&self, value: &T) -> Option<String> {
        let broken = |check: &Check| (check.test)(value).map(|came| (check.words.clone(), came));
        let (words, came) = self.checks.iter().find_map(broken)?;
        Some(format!("`{}` must be {words}, got {came}", excerpt(&self.name)))
    }

    /// Returns the error if the length of the argument, which deserialized to `value`, violates the limit.
    pub(crate) fn check_length<T: 'static>(&self, value: &T, input: Input<'_>) -> Option<String> {
        let length = self.length?;
        let broken = match value_of::<String>(value) {
            Some(text) => length.check_text(text),
            None => length.check(&self.name, input),
        };
        broken.map(|words| format!("`{}` {words}", excerpt(&self.name)))
    }

    /// Returns the error if the default is invalid for a parameter of type `T`.
    pub(crate) fn check_default<T: DeserializeOwned + 'static>(&self, type_name: &str) -> Option<String> {
        let default = self.default.as_ref()?;
        let json = default.json.as_ref().unwrap_or(&Value::Null);
        let shown = json_excerpt(json);
        match default.make::<T>() {
            None => Some(format!("default {shown} for `{}` is not a valid `{type_name}`", excerpt(&self.name))),
            Some(value) => self.check(&value).map(|rule| format!("default {shown} is invalid: {rule}")),
        }
    }

    /// Returns the error if a limit does not support the type of the parameter, or no value is within it.
    pub(crate) fn check_type(&self, id: TypeId, type_name: &str) -> Option<String> {
        if let Some(broken) = self.checks.iter().find(|check| !(check.fits)(id)) {
            return Some(self.unsupported(type_name, broken.option));
        }
        let empty = self.checks.iter().find(|check| check.is_empty)?;
        let name = excerpt(&self.name);
        Some(format!("no value of `{name}` is {}; check the bounds of `{}`", empty.words, empty.option))
    }

    /// Determines from the schema of the parameter's type what `length` counts, and validates the default.
    ///
    /// # Errors
    /// Returns a message if a value of the type has no length, or the default violates the limit.
    pub(crate) fn resolve_length(
        &mut self,
        schema: &Schema,
        definitions: &Map<String, Value>,
        type_name: &str,
    ) -> Result<(), String> {
        let Some(length) = &mut self.length else { return Ok(()) };
        if length.is_empty() {
            let name = excerpt(&self.name);
            return Err(format!("no value of `{name}` has a length in the range of `length`; check its bounds"));
        }
        if !length.set_unit(schema.as_value(), definitions) {
            return Err(self.unsupported(type_name, "length"));
        }
        let default = self.default.as_ref().and_then(|default| default.json.as_ref());
        match default.and_then(|json| Some((json, length.check_json(json)?))) {
            Some((json, words)) => {
                Err(format!("default {} is invalid: `{}` {words}", json_excerpt(json), excerpt(&self.name)))
            }
            None => Ok(()),
        }
    }

    fn unsupported(&self, type_name: &str, option: &str) -> String {
        format!("argument `{}` has type `{type_name}`, which does not support `{option}`", excerpt(&self.name))
    }

    /// Adds the title, description, default and limits to the schema of the parameter's type.
    pub(crate) fn refine(&self, schema: &mut Schema, definitions: &Map<String, Value>) {
        let length = self.length.map(|length| length.keywords(schema.as_value(), definitions)).unwrap_or_default();
        let object = schema.ensure_object();
        if let Some(title) = &self.title {
            object.insert("title".into(), title.clone().into());
        }
        if let Some(description) = &self.description {
            let explained = schema::enum_descriptions(object).map(|lines| format!("\n{lines}")).unwrap_or_default();
            object.insert("description".into(), format!("{description}{explained}").into());
        }
        if let Some(json) = self.default.as_ref().and_then(|default| default.json.clone()) {
            object.insert("default".into(), json);
        }
        for (keyword, value) in self.checks.iter().flat_map(|check| &check.keywords) {
            object.insert((*keyword).into(), value.clone());
        }
        for (keyword, value) in length {
            object.insert(keyword.into(), value);
        }
        if let Some(header) = &self.header {
            object.insert("x-mcp-header".into(), header.clone().into());
        }
    }
}

/// Returns the value as a `T`, unwrapping an `Option`.
fn value_of<T: 'static>(value: &dyn Any) -> Option<&T> {
    value.downcast_ref::<T>().or_else(|| value.downcast_ref::<Option<T>>()?.as_ref())
}

impl fmt::Debug for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arg").field("name", &self.name).field("description", &self.description).finish_non_exhaustive()
    }
}

impl From<&str> for Arg {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}
