//! The parameters of a function in order, and their input schema.

use std::any::TypeId;

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
    /// The expected value in words; empty for extractors.
    words: String,
}

/// The kind of a parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Taken from the context.
    Extractor,
    /// One argument.
    Argument { optional: bool, schema: fn(&mut SchemaGenerator) -> Schema, id: TypeId, type_name: &'static str },
    /// All arguments together.
    Whole { schema: fn() -> Schema },
}

/// The parameters of a function.
#[derive(Debug)]
pub struct Signature {
    parameters: Vec<Parameter>,
}

impl Signature {
    /// The signature of a function without parameters.
    pub(crate) fn empty() -> Self {
        Self { parameters: Vec::new() }
    }

    /// Creates the signature from declared parameters.
    ///
    /// # Errors
    /// Returns a message if a name is missing or duplicate, or if a limit or default does not match its type.
    pub(crate) fn new(parameters: Vec<Parameter>) -> Result<Self, String> {
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
                return Err(format!("two parameters are named `{name}`"));
            }
        }
        let mut signature = Self { parameters };
        for index in 0..signature.parameters.len() {
            let schema = signature.schema_at(index, &mut schema::generator());
            signature.parameters[index].words = schema.map(|it| schema::describe(it.as_value())).unwrap_or_default();
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

    /// Returns the expected value of the argument at `index` in words.
    pub(crate) fn describe(&self, index: usize) -> &str {
        &self.parameters[index].words
    }

    /// Returns the schema of the arguments.
    pub(crate) fn input_schema(&self) -> Schema {
        if let Some(Kind::Whole { schema }) =
            self.parameters.iter().map(|it| it.kind).find(|kind| matches!(kind, Kind::Whole { .. }))
        {
            let mut whole = schema();
            schema::optional_without_null(&mut whole);
            whole.ensure_object().entry("type").or_insert_with(|| "object".into());
            return whole;
        }
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

    fn schema_at(&self, index: usize, generator: &mut SchemaGenerator) -> Option<Schema> {
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
        parameter.arg.refine(&mut schema);
        Some(schema)
    }
}

impl Parameter {
    /// Creates a parameter that is not declared yet.
    pub(crate) fn new(arg: Arg) -> Self {
        Self {
            arg,
            kind: Kind::Extractor,
            states: Vec::new(),
            manual_rounds: false,
            problem: None,
            words: String::new(),
        }
    }

    pub(crate) fn is_required(&self) -> bool {
        matches!(self.kind, Kind::Argument { optional: false, .. }) && self.arg.default.is_none()
    }
}
