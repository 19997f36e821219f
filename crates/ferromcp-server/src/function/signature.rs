//! The parameters of a function in order, and their input schema.

use std::any::TypeId;
use std::sync::OnceLock;

use ferromcp_core::text::excerpt;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};

use super::arg::Arg;
use crate::schema;
use crate::state::StateNeed;

/// One parameter, after [`Param::declare`](super::Param) has classified it.
#[derive(Debug)]
pub struct Parameter {
    pub(crate) arg: Arg,
    pub(crate) kind: Kind,
    pub(crate) states: Vec<StateNeed>,
    /// True if the function drives the input rounds of its calls manually.
    pub(crate) manual_rounds: bool,
    /// The error of its description, found by its type.
    pub(crate) problem: Option<String>,
}

/// The kind of a parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Taken from the context.
    Extractor,
    /// One argument.
    Argument { optional: bool, schema: fn(&mut SchemaGenerator) -> Schema, id: TypeId, type_name: &'static str },
    /// All arguments together.
    Whole { schema: fn() -> Option<Schema>, exact: fn() -> Schema, type_name: &'static str },
}

/// The parameters of a function.
#[derive(Debug)]
pub struct Signature {
    parameters: Vec<Parameter>,
    /// The schema of the arguments, for the errors of invalid arguments.
    error_schema: OnceLock<Value>,
}

/// The published schema, the exact schema, and the name of the type of all arguments.
type Whole = (fn() -> Option<Schema>, fn() -> Schema, &'static str);

impl Signature {
    /// The signature of a function without parameters.
    pub(crate) fn empty() -> Self {
        Self { parameters: Vec::new(), error_schema: OnceLock::new() }
    }

    /// Creates the signature from declared parameters.
    ///
    /// # Errors
    /// Returns a message if a name is missing or duplicate, if a limit or default does not match its type, or if a
    /// parameter takes all arguments in addition to another that takes arguments.
    pub(crate) fn new(parameters: Vec<Parameter>) -> Result<Self, String> {
        check_whole(&parameters)?;
        for (index, parameter) in parameters.iter().enumerate() {
            let Kind::Argument { id, type_name, .. } = parameter.kind else { continue };
            let name = &parameter.arg.name;
            if name.is_empty() || name == "_" {
                return Err(format!(
                    "parameter {} (`{type_name}`) has no name; name every parameter in order with `.args([..])`",
                    index + 1
                ));
            }
            if let Some(problem) = &parameter.problem {
                return Err(problem.clone());
            }
            if let Some(mismatch) = parameter.arg.check_type(id, type_name) {
                return Err(mismatch);
            }
            let is_duplicate =
                |other: &Parameter| matches!(other.kind, Kind::Argument { .. }) && other.arg.name == *name;
            if parameters[..index].iter().any(is_duplicate) {
                return Err(format!("two parameters are named `{}`", excerpt(name)));
            }
        }
        let mut signature = Self { parameters, error_schema: OnceLock::new() };
        for index in 0..signature.parameters.len() {
            signature.resolve_length(index)?;
        }
        Ok(signature)
    }

    pub(crate) fn arg(&self, index: usize) -> &Arg {
        &self.parameters[index].arg
    }

    /// Returns the index of the argument with this name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|it| matches!(it.kind, Kind::Argument { .. }) && it.arg.name == name)
    }

    /// Returns true if a parameter takes all arguments, so that unknown arguments are accepted.
    pub(crate) fn takes_all(&self) -> bool {
        self.parameters.iter().any(|it| matches!(it.kind, Kind::Whole { .. }))
    }

    pub(crate) fn argument_names(&self) -> impl Iterator<Item = &str> {
        self.arguments().map(|it| it.arg.name.as_str())
    }

    /// Returns true if the argument at `index` may be omitted.
    pub(crate) fn is_optional(&self, index: usize) -> bool {
        !self.parameters[index].is_required()
    }

    /// Returns the names of the required arguments.
    pub(crate) fn required(&self) -> impl Iterator<Item = &str> {
        self.arguments().filter(|it| it.is_required()).map(|it| it.arg.name.as_str())
    }

    /// Returns the parameters that are arguments.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|it| matches!(it.kind, Kind::Argument { .. }))
    }

    /// Returns true if the function drives the input rounds of its calls manually.
    pub(crate) fn has_manual_rounds(&self) -> bool {
        self.parameters.iter().any(|it| it.manual_rounds)
    }

    /// Returns the state types that the function requires.
    pub(crate) fn states(&self) -> impl Iterator<Item = StateNeed> {
        self.parameters.iter().flat_map(|it| it.states.iter().copied())
    }

    /// Checks that every argument can be deserialized from a text, as in prompts and URI templates.
    ///
    /// # Errors
    /// Returns a message that names an argument whose schema allows only objects, tuples or `null`.
    pub(crate) fn check_texts(&self) -> Result<(), String> {
        let schema = self.error_schema();
        for parameter in self.arguments() {
            let name = &parameter.arg.name;
            if !fits_text(&schema["properties"][name]) {
                let Kind::Argument { type_name, .. } = parameter.kind else { continue };
                let name = excerpt(name);
                return Err(format!(
                    "argument `{name}` has type `{type_name}`, which cannot be deserialized from a string; take the fields as \
                     separate parameters, or `Args<T>` with flat fields"
                ));
            }
        }
        match self.fields().into_iter().find(|(_, field, _)| !fits_text(field)) {
            Some((name, ..)) => Err(format!(
                "the field `{}` of the arguments cannot be deserialized from a string; use a flat type, such as a string or \
                 number",
                excerpt(name)
            )),
            None => Ok(()),
        }
    }

    /// Returns the fields of the parameter that takes all arguments, with their schemas and whether they are required.
    /// Empty without such a parameter.
    pub(crate) fn fields(&self) -> Vec<(&str, &Value, bool)> {
        if !self.takes_all() {
            return Vec::new();
        }
        let schema = self.error_schema();
        let required =
            |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|it| it == name));
        let properties = schema.get("properties").and_then(Value::as_object);
        properties.into_iter().flatten().map(|(name, field)| (name.as_str(), field, required(name))).collect()
    }

    /// Returns the schema of the arguments for errors; created on first use. Unlike
    /// [`input_schema`](Self::input_schema), it is exact: its root can be a union.
    pub(crate) fn error_schema(&self) -> &Value {
        self.error_schema.get_or_init(|| match self.whole() {
            Some((_, exact, _)) => {
                let mut schema = exact();
                schema::optional_without_null(&mut schema);
                schema.to_value()
            }
            None => self.schema_of_arguments().to_value(),
        })
    }

    /// Returns the functions that create the schemas of the parameter that takes all arguments: the published one, and
    /// the exact one; and the name of its type.
    fn whole(&self) -> Option<Whole> {
        self.parameters.iter().find_map(|it| match it.kind {
            Kind::Whole { schema, exact, type_name } => Some((schema, exact, type_name)),
            _ => None,
        })
    }

    /// Returns the published input schema, which avoids what hosts reject.
    ///
    /// # Errors
    /// Returns a message if the type of all arguments does not deserialize from an object.
    pub(crate) fn input_schema(&self) -> Result<Schema, String> {
        let mut published = match self.whole() {
            Some((schema, _, type_name)) => schema().ok_or_else(|| {
                format!("`Args<{type_name}>` does not deserialize from an object; use a struct with named fields")
            })?,
            None => self.schema_of_arguments(),
        };
        schema::make_portable(&mut published);
        Ok(published)
    }

    /// Returns the schema of the parameters that are arguments.
    fn schema_of_arguments(&self) -> Schema {
        let mut generator = schema::generator();
        let mut properties = Map::new();
        for index in 0..self.parameters.len() {
            if let Some(property) = self.schema_at(index, &mut generator) {
                properties.insert(self.parameters[index].arg.name.clone(), property.to_value());
            }
        }
        let definitions: Map<String, Value> = generator.take_definitions(true);
        let mut schema = schema::object(properties, self.required().map(str::to_owned).collect(), definitions);
        schema::optional_without_null(&mut schema); // the definitions
        schema
    }

    /// Determines what the length limit of the parameter at `index` counts.
    fn resolve_length(&mut self, index: usize) -> Result<(), String> {
        let Kind::Argument { type_name, .. } = self.parameters[index].kind else { return Ok(()) };
        let mut generator = schema::generator();
        let Some(schema) = self.type_schema_at(index, &mut generator) else { return Ok(()) };
        self.parameters[index].arg.resolve_length(&schema, generator.definitions(), type_name)
    }

    fn schema_at(&self, index: usize, generator: &mut SchemaGenerator) -> Option<Schema> {
        let mut schema = self.type_schema_at(index, generator)?;
        self.parameters[index].arg.refine(&mut schema, generator.definitions());
        Some(schema)
    }

    /// Returns the schema of the parameter's type, without the limits and texts of the parameter.
    fn type_schema_at(&self, index: usize, generator: &mut SchemaGenerator) -> Option<Schema> {
        let parameter = &self.parameters[index];
        let Kind::Argument { schema: of_type, .. } = parameter.kind else { return None };
        let mut schema = of_type(generator);
        for transform in generator.transforms_mut() {
            transform.transform(&mut schema);
        }
        schema::optional_without_null(&mut schema);
        if !parameter.is_required() {
            schema::without_null(&mut schema);
        }
        Some(schema)
    }
}

/// Checks that a parameter that takes all arguments is the only one that takes arguments.
fn check_whole(parameters: &[Parameter]) -> Result<(), String> {
    let label = |index: usize| match parameters[index].kind {
        Kind::Whole { type_name, .. } => format!("parameter {} (`Args<{type_name}>`)", index + 1),
        Kind::Argument { type_name, .. } => {
            let name = &parameters[index].arg.name;
            format!("parameter {} (`{}: {type_name}`)", index + 1, excerpt(if name.is_empty() { "_" } else { name }))
        }
        Kind::Extractor => String::new(),
    };
    let find = |is: fn(&Kind) -> bool| (0..parameters.len()).filter(move |index| is(&parameters[*index].kind));
    let mut wholes = find(|kind| matches!(kind, Kind::Whole { .. }));
    let Some(first) = wholes.next() else { return Ok(()) };
    if let Some(second) = wholes.next() {
        let (first, second) = (label(first), label(second));
        return Err(format!("{first} and {second} both take all arguments; put the fields of both into one struct"));
    }
    match find(|kind| matches!(kind, Kind::Argument { .. })).next() {
        Some(other) => Err(format!(
            "{} takes all arguments, so {} cannot be an argument; make it a field of the struct",
            label(first),
            label(other)
        )),
        None => Ok(()),
    }
}

/// Returns whether a value of the schema can be written as a text: a string, number, boolean, or a list of
/// these. Recursive types are not checked.
fn fits_text(schema: &Value) -> bool {
    let Some(members) = schema.as_object() else { return true };
    if members.contains_key("$ref") {
        return true;
    }
    if let Some(choices) = members.get("enum").and_then(Value::as_array) {
        return choices.iter().any(|choice| !choice.is_object() && !choice.is_array() && !choice.is_null());
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(arms) = members.get(keyword).and_then(Value::as_array) {
            return arms.iter().any(fits_text);
        }
    }
    let fits = |name: &str| match name {
        "object" | "null" => false,
        "array" => !members.contains_key("prefixItems") && members.get("items").is_none_or(fits_text),
        _ => true,
    };
    match members.get("type") {
        Some(Value::String(name)) => fits(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(fits),
        _ => true,
    }
}

impl Parameter {
    /// Creates a parameter that is not declared yet.
    pub(crate) fn new(arg: Arg) -> Self {
        Self { arg, kind: Kind::Extractor, states: Vec::new(), manual_rounds: false, problem: None }
    }

    pub(crate) fn is_required(&self) -> bool {
        matches!(self.kind, Kind::Argument { optional: false, .. }) && self.arg.default.is_none()
    }
}
