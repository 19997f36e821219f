//! Which parameters of a tool are repeated in headers: the `x-mcp-header` marks in its input schema.
//!
//! A mark is valid only on a property that is reached from the root through `properties` alone, since
//! only there every reader finds the same argument without understanding the whole schema. A mark
//! anywhere else makes the tool invalid for HTTP. What merely looks like a mark (a parameter of that
//! name, text in examples) is none.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#schema-extension>.

use serde_json::{Map, Value};

use super::field::PARAM_PREFIX;
use super::flaw::{BadAnnotation, Flaw};
use crate::json::{DEFAULT_MAX_DEPTH, RawJson, depth_within};

/// The keyword.
const KEYWORD: &str = "x-mcp-header";

/// Keywords whose values are data or names of properties; nothing in them is a schema.
const DATA: &[&str] =
    &["const", "default", "enum", "examples", "example", "required", "dependentRequired", "$vocabulary"];

/// Keywords whose members are named by the author, each a schema; `properties` is told apart.
const SCHEMAS_BY_NAME: &[&str] = &["patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions"];

/// Bounds of [`scan_within`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanLimits {
    /// The deepest nesting of arrays and objects in a schema that has marks; above 127 the JSON reader's own bound holds.
    pub max_depth: usize,
    /// The most marks in one schema.
    pub max_annotations: usize,
    /// The longest name, in bytes, without `Mcp-Param-`.
    pub max_name_len: usize,
}

impl Default for ScanLimits {
    /// 64 levels, 64 marks, names of 128 bytes.
    fn default() -> Self {
        Self { max_depth: DEFAULT_MAX_DEPTH, max_annotations: 64, max_name_len: 128 }
    }
}

/// A parameter that is repeated in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    path: Vec<String>,
    header: String,
    kind: Kind,
}

impl Annotation {
    /// The names of the properties from the root of the arguments to the parameter.
    pub fn path(&self) -> &[String] {
        &self.path
    }

    /// The header's whole name, `Mcp-Param-` included.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// The type the schema gives the parameter.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

/// The types a repeated parameter can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `string`
    String,
    /// `integer`
    Integer,
    /// `boolean`
    Boolean,
}

/// Finds the marks in an input schema, or the first that makes the tool invalid.
///
/// ```
/// use ferromcp_core::{RawJson, header::scan};
/// let schema = RawJson::parse(r#"{"properties":{"region":{"type":"string","x-mcp-header":"Region"}}}"#)?;
/// let marks = scan(&schema)?;
/// assert_eq!((marks[0].header(), marks[0].path()), ("Mcp-Param-Region", &["region".to_owned()][..]));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn scan(schema: &RawJson) -> Result<Vec<Annotation>, BadAnnotation> {
    scan_within(schema, &ScanLimits::default())
}

/// [`scan`] with bounds of your own.
pub fn scan_within(schema: &RawJson, limits: &ScanLimits) -> Result<Vec<Annotation>, BadAnnotation> {
    let text = schema.as_str();
    // Most schemas have no mark, and only an escape could hide one. Those are not looked into.
    if !text.contains(KEYWORD) && !text.contains("\\u") {
        return Ok(Vec::new());
    }
    let whole = |flaw| BadAnnotation::new(String::new(), flaw);
    if !depth_within(text.as_bytes(), limits.max_depth) {
        return Err(whole(Flaw::TooDeep));
    }
    let schema: Value = schema.decode().map_err(|_| whole(Flaw::Unreadable))?;
    let mut scan = Scan { limits, place: Vec::new(), path: Vec::new(), found: Vec::new() };
    scan.value(&schema, Reach::Root)?;
    Ok(scan.found)
}

/// How a schema was reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Root,
    /// From the root through `properties` alone.
    Property,
    Elsewhere,
}

/// A walk through a schema; it goes no deeper than the text, whose depth was looked at.
struct Scan<'a> {
    limits: &'a ScanLimits,
    /// The way to where the walk stands: keys and indices.
    place: Vec<String>,
    /// The properties among them.
    path: Vec<String>,
    found: Vec<Annotation>,
}

impl Scan<'_> {
    fn value(&mut self, value: &Value, reach: Reach) -> Result<(), BadAnnotation> {
        match value {
            Value::Object(schema) => self.schema(schema, reach),
            Value::Array(values) => values
                .iter()
                .enumerate()
                .try_for_each(|(index, value)| self.step(&index.to_string(), value, Reach::Elsewhere)),
            _ => Ok(()),
        }
    }

    fn schema(&mut self, schema: &Map<String, Value>, reach: Reach) -> Result<(), BadAnnotation> {
        if let Some(mark) = schema.get(KEYWORD) {
            self.mark(mark, schema.get("type"), reach)?;
        }
        for (key, value) in schema {
            match (key.as_str(), value) {
                (KEYWORD, _) => {}
                (key, _) if DATA.contains(&key) => {}
                ("properties", Value::Object(properties)) => self.properties(properties, reach)?,
                (key, Value::Object(schemas)) if SCHEMAS_BY_NAME.contains(&key) => self.schemas(key, schemas)?,
                // A keyword nobody knows may be what a `$ref` points to, so it is looked into as well.
                (key, value) => self.step(key, value, Reach::Elsewhere)?,
            }
        }
        Ok(())
    }

    fn properties(&mut self, properties: &Map<String, Value>, reach: Reach) -> Result<(), BadAnnotation> {
        if reach == Reach::Elsewhere {
            return self.schemas("properties", properties);
        }
        self.place.push("properties".to_owned());
        for (name, schema) in properties {
            self.path.push(name.clone());
            self.step(name, schema, Reach::Property)?;
            self.path.pop();
        }
        self.place.pop();
        Ok(())
    }

    fn schemas(&mut self, key: &str, schemas: &Map<String, Value>) -> Result<(), BadAnnotation> {
        self.place.push(key.to_owned());
        schemas.iter().try_for_each(|(name, schema)| self.step(name, schema, Reach::Elsewhere))?;
        self.place.pop();
        Ok(())
    }

    fn step(&mut self, key: &str, value: &Value, reach: Reach) -> Result<(), BadAnnotation> {
        if !value.is_object() && !value.is_array() {
            return Ok(());
        }
        self.place.push(key.to_owned());
        self.value(value, reach)?;
        self.place.pop();
        Ok(())
    }

    fn mark(&mut self, mark: &Value, kind: Option<&Value>, reach: Reach) -> Result<(), BadAnnotation> {
        let found = self.read(mark, kind, reach).map_err(|flaw| BadAnnotation::new(self.pointer(), flaw))?;
        self.found.push(found);
        Ok(())
    }

    fn read(&self, mark: &Value, kind: Option<&Value>, reach: Reach) -> Result<Annotation, Flaw> {
        if reach != Reach::Property {
            return Err(Flaw::Elsewhere);
        }
        let name = mark.as_str().ok_or(Flaw::NotText)?;
        self.check_name(name)?;
        let kind = match kind.and_then(Value::as_str) {
            Some("string") => Kind::String,
            Some("integer") => Kind::Integer,
            Some("boolean") => Kind::Boolean,
            _ => return Err(Flaw::Type),
        };
        let header = format!("{PARAM_PREFIX}{name}");
        if self.found.iter().any(|other| other.header.eq_ignore_ascii_case(&header)) {
            return Err(Flaw::Taken);
        }
        if self.found.len() >= self.limits.max_annotations {
            return Err(Flaw::TooMany);
        }
        Ok(Annotation { path: self.path.clone(), header, kind })
    }

    fn check_name(&self, name: &str) -> Result<(), Flaw> {
        if name.is_empty() {
            Err(Flaw::Empty)
        } else if !name.bytes().all(is_token_byte) {
            Err(Flaw::NotToken)
        } else if name.len() > self.limits.max_name_len {
            Err(Flaw::TooLong)
        } else {
            Ok(())
        }
    }

    /// Where the walk stands, as RFC 6901 writes it.
    fn pointer(&self) -> String {
        self.place.iter().fold(String::new(), |pointer, key| pointer + "/" + &key.replace('~', "~0").replace('/', "~1"))
    }
}

/// `tchar` of RFC 9110.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
