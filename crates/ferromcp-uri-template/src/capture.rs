//! Captured variables of a match.

use std::sync::Arc;

use super::{encode, expand::Value, matcher::Spans, variable::Variable};

/// The captured and decoded value of one variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Capture {
    /// The value of a plain variable.
    One(String),
    /// The items of a list variable (`{x*}`), at least one.
    Many(Vec<String>),
    /// An optional variable that the URI omits.
    Absent,
}

/// The captured variables of a match, in the order of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captures {
    variables: Arc<[Variable]>,
    values: Vec<Capture>,
}

impl Captures {
    pub(super) fn new(variables: Arc<[Variable]>, values: Vec<Capture>) -> Self {
        Self { variables, values }
    }

    /// Returns the capture of a variable, or `None` if the template has no such variable.
    pub fn get(&self, name: &str) -> Option<&Capture> {
        self.iter().find_map(|(here, capture)| (here == name).then_some(capture))
    }

    /// Returns the value of a plain variable, or `None` if it is absent.
    pub fn one(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Capture::One(value) => Some(value),
            Capture::Many(_) | Capture::Absent => None,
        }
    }

    /// Returns the items of a list variable, or `None` if it is absent.
    pub fn many(&self, name: &str) -> Option<&[String]> {
        match self.get(name)? {
            Capture::Many(items) => Some(items),
            Capture::One(_) | Capture::Absent => None,
        }
    }

    /// Returns the capture as a value for [`expand`](super::UriTemplate::expand), or `None` if it is absent.
    ///
    /// ```
    /// use ferromcp_uri_template::UriTemplate;
    ///
    /// let template = UriTemplate::parse("notes://{id}{?a,b}")?;
    /// let found = template.matches("notes://%31?b=2&a=1")?.expect("it matches");
    /// assert_eq!(template.expand(|name| found.value(name)), "notes://1?a=1&b=2");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn value(&self, name: &str) -> Option<Value<'_>> {
        match self.get(name)? {
            Capture::One(value) => Some(value.as_str().into()),
            Capture::Many(items) => Some(items.as_slice().into()),
            Capture::Absent => None,
        }
    }

    /// Returns all variables with their captures, in the order of the template.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Capture)> {
        self.variables.iter().map(Variable::name).zip(&self.values)
    }

    /// Returns the number of variables of the template.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns true if the template has no variables.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// Decodes the captures; returns `None` if a value is not UTF-8.
pub(super) fn decode(variables: &[Variable], spans: &Spans, uri: &[u8]) -> Option<Vec<Capture>> {
    let captures = variables.iter().zip(spans).map(|(variable, spans)| {
        let mut items = spans.iter().map(|span| encode::decode(&uri[span.clone()]));
        if spans.is_empty() {
            Some(Capture::Absent)
        } else if variable.explode {
            items.collect::<Option<_>>().map(Capture::Many)
        } else {
            items.next()?.map(Capture::One)
        }
    });
    captures.collect()
}
