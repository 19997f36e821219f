//! What is said of one parameter: its name, its description, and what its value must keep to.

use std::any::{Any, TypeId};
use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use schemars::Schema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::schema;

/// One parameter of a function, as the builders and macros describe it.
///
/// Every parameter has one, in order, extractors included; of an extractor nothing but the place counts.
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
    header: Option<String>,
}

/// What a missing argument becomes.
#[derive(Clone)]
pub(crate) struct DefaultValue {
    make: Arc<dyn Fn() -> Box<dyn Any> + Send + Sync>,
    pub(crate) json: Option<Value>,
}

impl DefaultValue {
    /// The value, if it is a `T`, or its JSON is that of one: of another number, or of an `Option`'s inside.
    pub(crate) fn make<T: DeserializeOwned + 'static>(&self) -> Option<T> {
        let same = (self.make)().downcast().ok().map(|value| *value);
        same.or_else(|| T::deserialize(self.json.as_ref()?).ok())
    }
}

/// Looks at a value of a type that a check fits, and says what came where that breaks the rule.
type Test = Arc<dyn Fn(&dyn Any) -> Option<String> + Send + Sync>;

/// A rule on an argument's value, with what it adds to the schema.
#[derive(Clone)]
pub(crate) struct Check {
    /// Whether values of a type can be held to it.
    fits: fn(TypeId) -> bool,
    /// What came, of a value that breaks it; an `Option` without a value does not.
    test: Test,
    words: String,
    keywords: Vec<(&'static str, Value)>,
}

impl Arg {
    /// A parameter of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), title: None, description: None, default: None, checks: Vec::new(), header: None }
    }

    /// The name for people.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// What to put there, for the model.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// What a missing argument becomes. `T` is the parameter's type, or the inside of its `Option`.
    pub fn default<T: Clone + Serialize + Send + Sync + 'static>(mut self, value: T) -> Self {
        let json = serde_json::to_value(&value).ok();
        self.default = Some(DefaultValue { make: Arc::new(move || Box::new(value.clone())), json });
        self
    }

    /// Holds a number within `range`. `T` is the parameter's type, or the inside of its `Option`.
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
        let within = (low, high);
        self.checks.push(Check {
            fits: |id| id == TypeId::of::<T>() || id == TypeId::of::<Option<T>>(),
            test: Arc::new(move |value| {
                let broken = value_of::<T>(value).filter(|value| !within.contains(*value))?;
                serde_json::to_string(broken).ok().or_else(|| Some("another value".into()))
            }),
            words: words.join(" and "),
            keywords,
        });
        self
    }

    /// Holds the length of a text (in characters) or list (in items) within `range`.
    pub fn length(mut self, range: impl RangeBounds<usize>) -> Self {
        let low = match range.start_bound() {
            Bound::Included(low) => *low,
            Bound::Excluded(low) => low.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let high = match range.end_bound() {
            Bound::Included(high) => Some(*high),
            Bound::Excluded(high) => Some(high.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        let mut keywords = vec![("minLength", Value::from(low))];
        keywords.extend(high.map(|high| ("maxLength", Value::from(high))));
        let words = match high {
            Some(high) => format!("{low} to {high} long"),
            None => format!("at least {low} long"),
        };
        self.checks.push(Check {
            fits: has_length,
            test: Arc::new(move |value| {
                let length = length_of(value)?;
                let keeps = length >= low && high.is_none_or(|high| length <= high);
                (!keeps).then(|| format!("a length of {length}"))
            }),
            words,
            keywords,
        });
        self
    }

    /// Repeats the argument in the HTTP header `Mcp-Param-` + `name`, so that proxies can route calls by it.
    ///
    /// For tools, and for texts, integers and booleans; anything else, and a name that is no token or taken already,
    /// keeps the server from starting. Clients repeat the argument by themselves, from 2026-07-28 on and over HTTP
    /// alone; the server refuses a call whose header and argument differ. Headers end up in logs: mark no secrets.
    ///
    /// ```
    /// use ferromcp_server::Arg;
    /// let region = Arg::new("region").header("Region"); // sent as `Mcp-Param-Region`
    /// ```
    pub fn header(mut self, name: impl Into<String>) -> Self {
        self.header = Some(name.into());
        self
    }

    /// What is wrong with `value`, if anything.
    pub(crate) fn mistake<T: 'static>(&self, value: &T) -> Option<String> {
        let broken = |check: &Check| (check.test)(value).map(|came| (check.words.clone(), came));
        let (words, came) = self.checks.iter().find_map(broken)?;
        Some(format!("`{}` must be {words}, got {came}", self.name))
    }

    /// What is wrong with the default of a parameter of type `T`, called `type_name`, if anything.
    pub(crate) fn bad_default<T: DeserializeOwned + 'static>(&self, type_name: &str) -> Option<String> {
        let default = self.default.as_ref()?;
        let json = default.json.as_ref().unwrap_or(&Value::Null);
        match default.make::<T>() {
            None => Some(format!("the default {json} of `{}` is no `{type_name}`", self.name)),
            Some(value) => {
                self.mistake(&value).map(|rule| format!("the default {json} breaks a rule of its own: {rule}"))
            }
        }
    }

    /// What is said here that does not fit a parameter of the type `id`, called `type_name`.
    pub(crate) fn misfit(&self, id: TypeId, type_name: &str) -> Option<String> {
        let broken = self.checks.iter().find(|check| !(check.fits)(id))?;
        Some(format!("`{}` is a `{type_name}`, which cannot be held to be {}", self.name, broken.words))
    }

    /// Adds what is said here to the schema of the parameter's type.
    pub(crate) fn refine(&self, schema: &mut Schema) {
        let is_array = schema.get("type").is_some_and(|r#type| r#type == "array");
        let object = schema.ensure_object();
        if let Some(title) = &self.title {
            object.insert("title".into(), title.clone().into());
        }
        if let Some(description) = &self.description {
            let explained = schema::explained(object).map(|lines| format!("\n{lines}")).unwrap_or_default();
            object.insert("description".into(), format!("{description}{explained}").into());
        }
        if let Some(json) = self.default.as_ref().and_then(|default| default.json.clone()) {
            object.insert("default".into(), json);
        }
        for (keyword, value) in self.checks.iter().flat_map(|check| &check.keywords) {
            let keyword = match *keyword {
                "minLength" if is_array => "minItems",
                "maxLength" if is_array => "maxItems",
                keyword => keyword,
            };
            object.insert(keyword.into(), value.clone());
        }
        if let Some(header) = &self.header {
            object.insert("x-mcp-header".into(), header.clone().into());
        }
    }
}

/// The value as a `T`, bare or in an `Option`.
fn value_of<T: 'static>(value: &dyn Any) -> Option<&T> {
    value.downcast_ref::<T>().or_else(|| value.downcast_ref::<Option<T>>()?.as_ref())
}

macro_rules! lengths {
    ($($item:ty),*) => {
        /// How long a text or a list of common items is.
        fn length_of(value: &dyn Any) -> Option<usize> {
            if let Some(text) = value_of::<String>(value) {
                return Some(text.chars().count());
            }
            $(if let Some(list) = value_of::<Vec<$item>>(value) {
                return Some(list.len());
            })*
            None
        }

        /// Whether [`length_of`] knows values of a type.
        fn has_length(id: TypeId) -> bool {
            id == TypeId::of::<String>() || id == TypeId::of::<Option<String>>()
                $(|| id == TypeId::of::<Vec<$item>>() || id == TypeId::of::<Option<Vec<$item>>>())*
        }
    };
}

lengths!(String, i64, i32, i16, i8, u64, u32, u16, u8, usize, isize, f64, f32, bool, Value);

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
