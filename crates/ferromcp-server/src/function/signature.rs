//! What a function takes: its parameters in order, and the schema they make.

use std::any::TypeId;

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};

use super::arg::Arg;
use crate::schema;
use crate::state::StateNeed;

/// One parameter, after its type has said what it is.
#[derive(Debug)]
pub struct Parameter {
    pub(crate) arg: Arg,
    pub(crate) kind: Kind,
    pub(crate) states: Vec<StateNeed>,
    /// It drives the rounds of its call by hand.
    pub(crate) manual_rounds: bool,
    /// What its type finds wrong with what is said of it.
    pub(crate) problem: Option<String>,
    /// What a value is to be, in words; empty for extractors.
    words: String,
}

/// What a parameter is.
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

    /// Settles parameters whose types have said what they are.
    ///
    /// # Errors
    /// In words, when a name is missing, there twice, or has rules or a default that do not fit its type.
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
            if let Some(misfit) = parameter.arg.misfit(id, type_name) {
                return Err(misfit);
            }
            let twin = |other: &Parameter| matches!(other.kind, Kind::Argument { .. }) && other.arg.name == *name;
            if parameters[..index].iter().any(twin) {
                return Err(format!("two parameters are named `{name}`"));
            }
        }
        let mut signature = Self { parameters };
        for index in 0..signature.parameters.len() {
            let schema = signature.schema_at(index, &mut schema::generator());
            signature.parameters[index].words = schema.map(|it| schema::in_words(it.as_value())).unwrap_or_default();
        }
        Ok(signature)
    }

    pub(crate) fn arg(&self, index: usize) -> &Arg {
        &self.parameters[index].arg
    }

    /// The place of the argument called `name`.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|it| matches!(it.kind, Kind::Argument { .. }) && it.arg.name == name)
    }

    /// Whether some parameter takes all arguments together, so that none is unknown.
    pub(crate) fn takes_all(&self) -> bool {
        self.parameters.iter().any(|it| matches!(it.kind, Kind::Whole { .. }))
    }

    pub(crate) fn argument_names(&self) -> impl Iterator<Item = &str> {
        self.arguments().map(|it| it.arg.name.as_str())
    }

    /// Whether the argument at `index` may be left out.
    pub(crate) fn is_optional(&self, index: usize) -> bool {
        !self.parameters[index].is_required()
    }

    /// The names of the arguments that must be given.
    pub(crate) fn required(&self) -> impl Iterator<Item = &str> {
        self.arguments().filter(|it| it.is_required()).map(|it| it.arg.name.as_str())
    }

    /// The arguments, with whether each must be given.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|it| matches!(it.kind, Kind::Argument { .. }))
    }

    /// Whether the function drives the rounds of its calls by hand.
    pub(crate) fn has_manual_rounds(&self) -> bool {
        self.parameters.iter().any(|it| it.manual_rounds)
    }

    /// The types of state that the function needs.
    pub(crate) fn states(&self) -> impl Iterator<Item = StateNeed> {
        self.parameters.iter().flat_map(|it| it.states.iter().copied())
    }

    /// What the argument at `index` is to be, in words.
    pub(crate) fn in_words(&self, index: usize) -> &str {
        &self.parameters[index].words
    }

    /// The schema of the arguments.
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
    /// A parameter whose type has not said yet what it is.
    pub(crate) fn new(arg: Arg) -> Self {
        Self { arg, kind: Kind::Extractor, states: Vec::new(), manual_rounds: false, problem: None, words: String::new() }
    }

    pub(crate) fn is_required(&self) -> bool {
        matches!(self.kind, Kind::Argument { optional: false, .. }) && self.arg.default.is_none()
    }
}
