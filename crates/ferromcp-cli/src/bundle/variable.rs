//! Variables that the user sets in the host (`user_config` of the manifest).

use ferromcp_core::text::excerpt;
use serde_json::{Value, json};

use crate::exit::Failure;

/// Maximum number of variables.
const MAX_VARIABLES: usize = 64;
/// Maximum length of a name.
const MAX_NAME: usize = 64;

/// The type of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    String,
    Number,
    Boolean,
    Directory,
    File,
}

const KINDS: [(&str, Kind); 5] = [
    ("string", Kind::String),
    ("number", Kind::Number),
    ("boolean", Kind::Boolean),
    ("directory", Kind::Directory),
    ("file", Kind::File),
];

/// A variable that the user sets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    kind: Kind,
    /// A variable without a default is required.
    default: Option<Value>,
    is_secret: bool,
}

/// Parses the variables of the command line: `NAME[:TYPE][=DEFAULT]`, and names of secrets.
///
/// # Errors
/// Fails if a variable is invalid, occurs twice, or there are too many.
pub(crate) fn parse_variables(config: &[String], secrets: &[String]) -> Result<Vec<Variable>, Failure> {
    let config = config.iter().map(|written| Variable::parse(written));
    let secrets = secrets.iter().map(|written| {
        check_name(written, written)?;
        Ok(Variable { name: written.clone(), kind: Kind::String, default: None, is_secret: true })
    });
    let variables = config.chain(secrets).collect::<Result<Vec<_>, Failure>>()?;
    if variables.len() > MAX_VARIABLES {
        return Err(Failure::usage(format!("cannot use more than {MAX_VARIABLES} variables; remove some")));
    }
    for (index, variable) in variables.iter().enumerate() {
        if variables[..index].iter().any(|other| other.key() == variable.key()) {
            let name = &variable.name;
            return Err(Failure::usage(format!(
                "cannot use the variable `{name}` twice; remove one (case is ignored)"
            )));
        }
    }
    Ok(variables)
}

fn failed(written: &str, cause: &str) -> Failure {
    Failure::usage(format!("cannot use the variable `{}`: {cause}", excerpt(written)))
}

fn check_name(name: &str, written: &str) -> Result<(), Failure> {
    let is_valid = name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_valid {
        return Ok(());
    }
    let cause = format!("names have up to {MAX_NAME} letters, digits and `_`; write NAME[:TYPE][=DEFAULT]");
    Err(failed(written, &cause))
}

impl Variable {
    fn parse(written: &str) -> Result<Self, Failure> {
        let (declared, default) = match written.split_once('=') {
            Some((declared, default)) => (declared, Some(default)),
            None => (written, None),
        };
        let (name, kind) = declared.split_once(':').unwrap_or((declared, "string"));
        check_name(name, written)?;
        let kind = KINDS.iter().find(|(name, _)| *name == kind).map(|(_, kind)| *kind);
        let kind =
            kind.ok_or_else(|| failed(written, "unknown type; use string, number, boolean, directory or file"))?;
        let default = match (kind, default) {
            (_, None) => None,
            (Kind::Number, Some(text)) => {
                let number: Option<serde_json::Number> = serde_json::from_str(text).ok();
                Some(number.ok_or_else(|| failed(written, "the default is not a number; change it"))?.into())
            }
            (Kind::Boolean, Some(text)) => {
                let value: Option<bool> = text.parse().ok();
                Some(value.ok_or_else(|| failed(written, "the default is not `true` or `false`; change it"))?.into())
            }
            (_, Some(text)) => Some(text.into()),
        };
        Ok(Self { name: name.to_owned(), kind, default, is_secret: false })
    }

    /// Returns the key in the manifest.
    pub(crate) fn key(&self) -> String {
        self.name.to_ascii_lowercase()
    }

    /// Returns the entry of `user_config`.
    pub(crate) fn user_config(&self) -> Value {
        let kind = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("string", |(name, _)| name);
        let title = self.name.replace('_', " ").to_ascii_lowercase();
        let mut value = json!({ "type": kind, "title": title.trim(), "description": self.description() });
        value["required"] = self.default.is_none().into();
        if self.is_secret {
            value["sensitive"] = true.into();
        }
        if let Some(default) = &self.default {
            value["default"] = default.clone();
        }
        value
    }

    /// Returns the entry of `environmentVariables` in the registry.
    pub(crate) fn registry_input(&self) -> Value {
        let format = match self.kind {
            Kind::String => "string",
            Kind::Number => "number",
            Kind::Boolean => "boolean",
            Kind::Directory | Kind::File => "filepath",
        };
        let mut value = json!({ "name": self.name, "description": self.description(), "format": format });
        value["isRequired"] = self.default.is_none().into();
        value["isSecret"] = self.is_secret.into();
        if let Some(default) = &self.default {
            value["default"] = default.as_str().map_or_else(|| default.to_string(), str::to_owned).into();
        }
        value
    }

    fn description(&self) -> String {
        format!("The variable {} of the server", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(written: &str) -> Result<Variable, String> {
        parse_variables(&[written.to_owned()], &[]).map(|mut it| it.remove(0)).map_err(|error| error.to_string())
    }

    #[test]
    fn types_and_defaults_are_kept_when_valid() {
        for (written, kind, required, default) in [
            ("API_URL", "string", true, Value::Null),
            ("API_URL=https://a.b:1/?x=y", "string", false, json!("https://a.b:1/?x=y")),
            ("N:number=1.5", "number", false, json!(1.5)),
            ("ON:boolean=true", "boolean", false, json!(true)),
            ("ROOT:directory", "directory", true, Value::Null),
            ("F:file=", "file", false, json!("")),
        ] {
            let config = one(written).unwrap().user_config();
            assert_eq!((&config["type"], &config["required"]), (&json!(kind), &json!(required)), "{written}");
            assert_eq!(config.get("default").unwrap_or(&Value::Null), &default, "{written}");
            assert_eq!(config.get("sensitive"), None);
        }
        let secret = parse_variables(&[], &["API_KEY".to_owned()]).unwrap().remove(0);
        assert_eq!(secret.user_config()["sensitive"], true);
        let input = secret.registry_input();
        assert_eq!((&input["isSecret"], &input["isRequired"]), (&json!(true), &json!(true)));
        assert_eq!(one("N:number=1.5").unwrap().registry_input()["default"], "1.5");
        assert_eq!(one("ROOT:directory").unwrap().registry_input()["format"], "filepath");
    }

    #[test]
    fn error_contains_the_cause_when_a_variable_is_invalid() {
        for (written, expected) in [
            ("", "write NAME[:TYPE][=DEFAULT]"),
            ("A B", "write NAME[:TYPE][=DEFAULT]"),
            ("1A", "write NAME[:TYPE][=DEFAULT]"),
            ("A:path", "unknown type; use string, number"),
            ("A:number=x", "the default is not a number"),
            ("A:boolean=yes", "the default is not `true` or `false`"),
        ] {
            assert!(one(written).unwrap_err().contains(expected), "{written}");
        }
        let error = parse_variables(&["A".to_owned()], &["a".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("cannot use the variable `a` twice"), "{error}");
        let many: Vec<String> = (0..65).map(|n| format!("V{n}")).collect();
        assert!(parse_variables(&many, &[]).unwrap_err().to_string().contains("more than 64"));
    }
}
