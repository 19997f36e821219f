//! The `x-mcp-header` annotations of an input schema, which select the arguments to repeat in headers.
//!
//! An annotation is valid only on a property that is reachable from the root through `properties`
//! alone: only there can every implementation locate the argument without evaluating the whole
//! schema. An annotation anywhere else makes the tool invalid for HTTP. A parameter named
//! `x-mcp-header` and text in `examples` are not annotations.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#schema-extension>.

use serde_json::{Map, Value};

use super::field::PARAM_PREFIX;
use super::invalid_annotation::{InvalidAnnotation, InvalidAnnotationKind};
use crate::json::{MAX_DEPTH, RawJson, depth_within};

/// The keyword.
const KEYWORD: &str = "x-mcp-header";

/// Keywords with values that are data or property names and contain no schemas.
const DATA: &[&str] =
    &["const", "default", "enum", "examples", "example", "required", "dependentRequired", "$vocabulary"];

/// Keywords with an object of author-named schemas, except for `properties`.
const SCHEMAS_BY_NAME: &[&str] = &["patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions"];

/// Maximum number of annotations in a schema. HTTP servers commonly accept about 100 headers in a request.
const MAX_ANNOTATIONS: usize = 64;

/// Maximum length of a name in bytes, without the prefix `Mcp-Param-`. It bounds the size of the headers.
const MAX_NAME_BYTES: usize = 128;

/// A tool parameter that is repeated in an `Mcp-Param-*` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    path: Vec<String>,
    header: String,
    param_type: ParamType,
}

impl Annotation {
    /// Returns the property names that lead from the arguments to the parameter.
    pub fn path(&self) -> &[String] {
        &self.path
    }

    /// Returns the full header name, including the prefix `Mcp-Param-`.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// Returns the type of the parameter in the schema.
    pub fn param_type(&self) -> ParamType {
        self.param_type
    }
}

/// The types that an annotated parameter can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamType {
    /// `string`
    String,
    /// `integer`
    Integer,
    /// `boolean`
    Boolean,
}

/// Returns the `x-mcp-header` annotations of an input schema.
///
/// An annotated schema can have up to 64 levels of arrays and objects, and up to 64 annotations with names of up to 128
/// bytes.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#schema-extension>.
///
/// # Errors
/// Returns the first invalid annotation.
///
/// ```
/// use ferromcp_core::{RawJson, header::scan};
/// let schema = RawJson::parse(r#"{"properties":{"region":{"type":"string","x-mcp-header":"Region"}}}"#)?;
/// let found = scan(&schema)?;
/// assert_eq!((found[0].header(), found[0].path()), ("Mcp-Param-Region", &["region".to_owned()][..]));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn scan(schema: &RawJson) -> Result<Vec<Annotation>, InvalidAnnotation> {
    scan_to_depth(schema, MAX_DEPTH)
}

/// Like [`scan`], with another maximum nesting depth.
pub(super) fn scan_to_depth(schema: &RawJson, max_depth: usize) -> Result<Vec<Annotation>, InvalidAnnotation> {
    let text = schema.as_str();
    // Most schemas have no annotation. The keyword can be hidden only by an escape sequence.
    if !text.contains(KEYWORD) && !text.contains("\\u") {
        return Ok(Vec::new());
    }
    let invalid_schema = |kind| InvalidAnnotation::new(String::new(), kind);
    if !depth_within(text.as_bytes(), max_depth) {
        return Err(invalid_schema(InvalidAnnotationKind::TooDeep));
    }
    let schema: Value = schema.decode().map_err(|_| invalid_schema(InvalidAnnotationKind::Unreadable))?;
    let mut scan = Scan { pointer: Vec::new(), path: Vec::new(), found: Vec::new() };
    scan.value(&schema, Reach::Root)?;
    Ok(scan.found)
}

/// The kind of location of a schema.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Root,
    /// Reachable from the root through `properties` alone.
    Property,
    Elsewhere,
}

/// A recursive scan of a schema. The recursion is bounded by the nesting depth of the text, which was checked before.
struct Scan {
    /// The keys and indices from the root to the current location.
    pointer: Vec<String>,
    /// The property names in `pointer`.
    path: Vec<String>,
    found: Vec<Annotation>,
}

impl Scan {
    fn value(&mut self, value: &Value, reach: Reach) -> Result<(), InvalidAnnotation> {
        match value {
            Value::Object(schema) => self.schema(schema, reach),
            Value::Array(values) => values
                .iter()
                .enumerate()
                .try_for_each(|(index, value)| self.step(&index.to_string(), value, Reach::Elsewhere)),
            _ => Ok(()),
        }
    }

    fn schema(&mut self, schema: &Map<String, Value>, reach: Reach) -> Result<(), InvalidAnnotation> {
        if let Some(annotation) = schema.get(KEYWORD) {
            self.annotation(annotation, schema.get("type"), reach)?;
        }
        for (key, value) in schema {
            match (key.as_str(), value) {
                (KEYWORD, _) => {}
                (key, _) if DATA.contains(&key) => {}
                ("properties", Value::Object(properties)) => self.properties(properties, reach)?,
                (key, Value::Object(schemas)) if SCHEMAS_BY_NAME.contains(&key) => self.schemas(key, schemas)?,
                // An unknown keyword can be the target of a `$ref`, so it is scanned as well.
                (key, value) => self.step(key, value, Reach::Elsewhere)?,
            }
        }
        Ok(())
    }

    fn properties(&mut self, properties: &Map<String, Value>, reach: Reach) -> Result<(), InvalidAnnotation> {
        if reach == Reach::Elsewhere {
            return self.schemas("properties", properties);
        }
        self.pointer.push("properties".to_owned());
        for (name, schema) in properties {
            self.path.push(name.clone());
            self.step(name, schema, Reach::Property)?;
            self.path.pop();
        }
        self.pointer.pop();
        Ok(())
    }

    fn schemas(&mut self, key: &str, schemas: &Map<String, Value>) -> Result<(), InvalidAnnotation> {
        self.pointer.push(key.to_owned());
        schemas.iter().try_for_each(|(name, schema)| self.step(name, schema, Reach::Elsewhere))?;
        self.pointer.pop();
        Ok(())
    }

    fn step(&mut self, key: &str, value: &Value, reach: Reach) -> Result<(), InvalidAnnotation> {
        if !value.is_object() && !value.is_array() {
            return Ok(());
        }
        self.pointer.push(key.to_owned());
        self.value(value, reach)?;
        self.pointer.pop();
        Ok(())
    }

    fn annotation(
        &mut self,
        annotation: &Value,
        schema_type: Option<&Value>,
        reach: Reach,
    ) -> Result<(), InvalidAnnotation> {
        let found =
            self.read(annotation, schema_type, reach).map_err(|kind| InvalidAnnotation::new(self.pointer(), kind))?;
        self.found.push(found);
        Ok(())
    }

    fn read(
        &self,
        annotation: &Value,
        schema_type: Option<&Value>,
        reach: Reach,
    ) -> Result<Annotation, InvalidAnnotationKind> {
        if reach != Reach::Property {
            return Err(InvalidAnnotationKind::Elsewhere);
        }
        let name = annotation.as_str().ok_or(InvalidAnnotationKind::NotText)?;
        check_name(name)?;
        let param_type = match schema_type.and_then(Value::as_str) {
            Some("string") => ParamType::String,
            Some("integer") => ParamType::Integer,
            Some("boolean") => ParamType::Boolean,
            _ => return Err(InvalidAnnotationKind::Type),
        };
        let header = format!("{PARAM_PREFIX}{name}");
        if self.found.iter().any(|other| other.header.eq_ignore_ascii_case(&header)) {
            return Err(InvalidAnnotationKind::Taken);
        }
        if self.found.len() >= MAX_ANNOTATIONS {
            return Err(InvalidAnnotationKind::TooMany);
        }
        Ok(Annotation { path: self.path.clone(), header, param_type })
    }

    /// Returns the current location as a JSON pointer (RFC 6901).
    fn pointer(&self) -> String {
        self.pointer
            .iter()
            .fold(String::new(), |pointer, key| pointer + "/" + &key.replace('~', "~0").replace('/', "~1"))
    }
}

fn check_name(name: &str) -> Result<(), InvalidAnnotationKind> {
    if name.is_empty() {
        Err(InvalidAnnotationKind::Empty)
    } else if !name.bytes().all(is_token_byte) {
        Err(InvalidAnnotationKind::NotToken)
    } else if name.len() > MAX_NAME_BYTES {
        Err(InvalidAnnotationKind::TooLong)
    } else {
        Ok(())
    }
}

/// `tchar` of RFC 9110.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
