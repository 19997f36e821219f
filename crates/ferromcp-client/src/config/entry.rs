//! From an object in the file to a server.

use std::{fmt, sync::Arc};

use serde_json::{Map, Value};

use super::{
    error::{ConfigError, ConfigErrorKind, Place},
    expand::expand,
    secret::Secret,
    server::{Endpoint, Http, HttpKind, Server, Stdio},
};

/// The keys that are looked at; others are left to whoever knows them.
const KNOWN: [&str; 8] = ["type", "command", "args", "env", "cwd", "url", "headers", "disabled"];

/// One server as it stands in the file.
#[derive(Clone)]
pub struct Entry {
    file: Arc<Place>,
    name: String,
    value: Value,
}

impl Entry {
    pub(super) fn new(file: Arc<Place>, name: String, value: Value) -> Self {
        Self { file, name, value }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the file says that it should not be used.
    pub fn is_disabled(&self) -> bool {
        self.value.get("disabled").and_then(Value::as_bool).unwrap_or_default()
    }

    /// What else the file says of it, for hosts with keys of their own.
    pub fn other(&self) -> impl Iterator<Item = (&str, &Value)> {
        let members = self.value.as_object().into_iter().flatten();
        members.map(|(key, value)| (key.as_str(), value)).filter(|(key, _)| !KNOWN.contains(key))
    }

    /// The server, with variables from this process's environment.
    pub fn resolve(&self) -> Result<Server, ConfigError> {
        self.resolve_with(|name| std::env::var(name).ok())
    }

    /// The server, with variables from `lookup`. It is asked for the name in `${name}` or `${env:name}`; for
    /// something like `${input:name}` it is asked for all of `input:name`.
    pub fn resolve_with(&self, lookup: impl Fn(&str) -> Option<String>) -> Result<Server, ConfigError> {
        let place = self.file.at_server(&self.name);
        let Value::Object(members) = &self.value else {
            return Err(place.shape("is not an object", r#"write {"command": "…"} or {"url": "…"}"#));
        };
        let reader = Reader { place, members, lookup: &lookup };
        reader.flag("disabled")?;
        Ok(Server::new(&self.name, reader.endpoint()?))
    }
}

/// Without values, which may be secrets.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&String> = self.value.as_object().into_iter().flat_map(Map::keys).collect();
        f.debug_struct("Entry").field("name", &self.name).field("keys", &keys).finish_non_exhaustive()
    }
}

/// Reads the members of one entry.
struct Reader<'a> {
    place: Place,
    members: &'a Map<String, Value>,
    lookup: &'a dyn Fn(&str) -> Option<String>,
}

impl Reader<'_> {
    fn endpoint(&self) -> Result<Endpoint, ConfigError> {
        let (command, url) = (self.get("command").is_some(), self.get("url").is_some());
        let kind = match self.get("type") {
            None if command && url => {
                let remedy = r#"keep one of them, or say "type": "stdio" or "type": "http""#;
                return Err(self.place.shape("has both a `command` and a `url`", remedy));
            }
            None if command => "stdio",
            None if url => "",
            None => {
                let remedy = "give it a `command` to start, or a `url` to speak to";
                return Err(self.place.shape("has neither a `command` nor a `url`", remedy));
            }
            Some(kind) => kind.as_str().unwrap_or("?"),
        };
        match kind {
            "stdio" => self.stdio().map(Endpoint::Stdio),
            "" => self.http(HttpKind::Any).map(Endpoint::Http),
            "http" | "streamable-http" | "streamableHttp" => self.http(HttpKind::Streamable).map(Endpoint::Http),
            "sse" => self.http(HttpKind::Sse).map(Endpoint::Http),
            _ => {
                let remedy = r#"write "stdio", "http", "streamable-http" or "sse""#;
                Err(self.place.at_key("type").shape("is none that is known", remedy))
            }
        }
    }

    fn stdio(&self) -> Result<Stdio, ConfigError> {
        let place = self.place.at_key("command");
        let command = match self.get("command") {
            Some(command) => self.text(command, &place)?,
            None => return Err(place.shape("is missing", "name the program to start")),
        };
        if command.trim().is_empty() {
            return Err(place.shape("is empty", "name the program to start"));
        }
        let cwd = self.get("cwd").map(|cwd| self.text(cwd, &self.place.at_key("cwd"))).transpose()?;
        Ok(Stdio { command, args: self.args()?, env: self.env()?, cwd: cwd.map(Into::into) })
    }

    fn args(&self) -> Result<Vec<String>, ConfigError> {
        match self.get("args") {
            None => Ok(Vec::new()),
            Some(Value::Array(args)) => {
                let each = args.iter().enumerate();
                each.map(|(n, arg)| self.text(arg, &self.place.at_key(format!("args[{n}]")))).collect()
            }
            Some(_) => Err(self.place.at_key("args").shape("is not a list", r#"write ["first", "second"]"#)),
        }
    }

    fn env(&self) -> Result<Vec<(String, Option<Secret>)>, ConfigError> {
        let mut env = Vec::new();
        for (name, value) in self.object("env")? {
            let place = self.place.at_key(format!("env.{name}"));
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(place.shape("is no name of a variable", "use letters, digits and `_`"));
            }
            let value = match value {
                Value::Null => None,
                value => Some(Secret::new(self.text(value, &place)?)),
            };
            env.push((name.clone(), value));
        }
        Ok(env)
    }

    fn http(&self, kind: HttpKind) -> Result<Http, ConfigError> {
        let place = self.place.at_key("url");
        let url = match self.get("url") {
            Some(url) => self.text(url, &place)?,
            None => return Err(place.shape("is missing", "say where the server is")),
        };
        let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if !matches!(scheme.as_deref(), Some("http" | "https")) {
            return Err(place.shape("does not begin with `http://` or `https://`", "write the whole URL"));
        }
        let mut headers = Vec::new();
        for (name, value) in self.object("headers")? {
            let place = self.place.at_key(format!("headers.{name}"));
            if !is_header_name(name) {
                return Err(place.shape("is no name of a header", "use letters, digits and `-`"));
            }
            let value = self.text(value, &place)?;
            if value.chars().any(|c| c.is_control() && c != '\t') {
                return Err(place.shape("has characters that no header may have", "take out line ends and the like"));
            }
            headers.push((name.clone(), Secret::new(value)));
        }
        Ok(Http { url, headers, kind })
    }

    /// A member that is there and not `null`.
    fn get(&self, key: &str) -> Option<&Value> {
        self.members.get(key).filter(|value| !value.is_null())
    }

    fn object(&self, key: &str) -> Result<impl Iterator<Item = (&String, &Value)>, ConfigError> {
        match self.get(key) {
            None => Ok(None.into_iter().flatten()),
            Some(Value::Object(members)) => Ok(Some(members).into_iter().flatten()),
            Some(_) => Err(self.place.at_key(key).shape("is not an object", r#"write {"NAME": "value"}"#)),
        }
    }

    fn flag(&self, key: &str) -> Result<(), ConfigError> {
        match self.get(key) {
            None | Some(Value::Bool(_)) => Ok(()),
            Some(_) => Err(self.place.at_key(key).shape("is neither true nor false", "write `true` or `false`")),
        }
    }

    /// A text with its variables put in; numbers and booleans count as texts, as most hosts have it.
    fn text(&self, value: &Value, place: &Place) -> Result<String, ConfigError> {
        let text = match value {
            Value::String(text) => expand(text, place, self.lookup)?,
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return Err(place.shape("is not a text", "put it in quotes")),
        };
        if text.contains('\0') {
            let what = "holds a character of code 0".to_owned();
            return Err(place.error(ConfigErrorKind::Shape, what, "take it out, of its variables too"));
        }
        Ok(text)
    }
}

/// Whether HTTP allows it (RFC 9110 §5.1).
fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
