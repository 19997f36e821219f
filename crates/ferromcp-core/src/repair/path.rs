//! Locations in JSON, for errors and repairs, such as `result.tools[1].icons`.

use std::fmt::{self, Write as _};

use serde::de::DeserializeSeed;

use crate::text::{excerpt, reason};

/// Maximum number of segments of a path in a text. Deeper segments are omitted.
const MAX_SHOWN: usize = 16;

/// A member name or an array index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Key(String),
    Index(usize),
}

impl Segment {
    pub(crate) fn key(name: impl Into<String>) -> Self {
        Self::Key(name.into())
    }

    /// Returns the member name.
    pub(crate) fn as_key(&self) -> Option<&str> {
        match self {
            Self::Key(name) => Some(name),
            Self::Index(_) => None,
        }
    }
}

/// The location of a value in a JSON document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Path(pub(crate) Vec<Segment>);

impl Path {
    /// Returns the path `name`, or the empty path if `name` is empty.
    pub(crate) fn root(name: &str) -> Self {
        Self(if name.is_empty() { Vec::new() } else { vec![Segment::key(name)] })
    }

    /// Returns the location of `inner` in a value that is itself at this path.
    pub(crate) fn join(&self, inner: &[Segment]) -> Self {
        Self(self.0.iter().chain(inner).cloned().collect())
    }

    pub(crate) fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

/// Writes `result.tools[1].icons`. Names with other characters are quoted, and control characters are escaped.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().take(MAX_SHOWN).enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(name) if is_plain(name) => {
                    f.write_str(if at == 0 { "" } else { "." })?;
                    f.write_str(name)?;
                }
                Segment::Key(name) => write!(f, "[\"{}\"]", excerpt(name))?,
            }
        }
        if self.0.len() > MAX_SHOWN { f.write_char('…') } else { Ok(()) }
    }
}

fn is_plain(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'-'))
}

/// An error in a field of a JSON value, with its location: `` `result.tools[1].icons`: invalid type: … ``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    pub(crate) path: Path,
    pub(crate) cause: String,
}

impl FieldError {
    /// Creates an error. `cause` may quote the peer, so it is escaped and truncated.
    pub(crate) fn new(path: Path, cause: &str) -> Self {
        Self { path, cause: reason(cause).to_string() }
    }

    pub(crate) fn from_json(path: Path, error: &serde_json::Error) -> Self {
        Self::new(path, &without_position(error))
    }

    /// Returns the location of the field, for example `result.tools[1].icons`. It is empty for an error of the whole
    /// value.
    pub fn path(&self) -> String {
        self.path.to_string()
    }

    /// Returns the cause, without the location.
    pub fn cause(&self) -> &str {
        &self.cause
    }

    /// Places the error, which is relative to a value, below the location of that value.
    pub(crate) fn below(self, base: &Path) -> Self {
        Self { path: base.join(&self.path.0), cause: self.cause }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.0.is_empty() { f.write_str(&self.cause) } else { write!(f, "`{}`: {}", self.path, self.cause) }
    }
}

impl std::error::Error for FieldError {}

/// Decodes `text` and tracks the location of an error, which is slower than decoding without.
pub(crate) fn decode_tracked<'de, S: DeserializeSeed<'de>>(seed: S, text: &'de str) -> Result<S::Value, FieldError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    match seed.deserialize(serde_path_to_error::Deserializer::new(&mut json, &mut track)) {
        Ok(value) => json.end().map(|()| value).map_err(|error| FieldError::from_json(Path::default(), &error)),
        Err(error) => Err(FieldError::from_json(segments(&track.path()), &error)),
    }
}

/// Returns the part of a tracked path that exists in the JSON text.
fn segments(tracked: &serde_path_to_error::Path) -> Path {
    let segment = |segment: &serde_path_to_error::Segment| match segment {
        serde_path_to_error::Segment::Seq { index } => Some(Segment::Index(*index)),
        serde_path_to_error::Segment::Map { key } if !key.starts_with("$serde_json::private::") => {
            Some(Segment::key(key))
        }
        _ => None,
    };
    Path(tracked.iter().map_while(segment).collect())
}

/// Returns the message of `error` without line and column, which are of no use in a single-line frame.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
