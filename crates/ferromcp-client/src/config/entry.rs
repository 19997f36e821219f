//! Deserializes one entry of a configuration file.

use std::{fmt, sync::Arc};

use serde_json::{Map, Value};

use super::{
    error::{ConfigError, ConfigErrorKind, Location},
    expand::expand,
    server::{Expanded, HttpConfig, HttpKind, Secret, ServerConfig, StdioConfig, TransportConfig},
};

/// Keys that are interpreted here; other keys are available from [`ConfigEntry::other`].
const KNOWN: [&str; 9] = ["type", "command", "args", "env", "inheritEnv", "cwd", "url", "headers", "disabled"];

/// One entry of a configuration file, not resolved yet.
#[derive(Clone)]
pub struct ConfigEntry {
    file: Arc<Location>,
    name: String,
    value: Value,
}

impl ConfigEntry {
    pub(super) fn new(file: Arc<Location>, name: String, value: Value) -> Self {
        Self { file, name, value }
    }

    /// Returns the name of the server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether the entry is disabled.
    pub fn is_disabled(&self) -> bool {
        self.value.get("disabled").and_then(Value::as_bool).unwrap_or_default()
    }

    /// Returns host-specific keys and their values.
    pub fn other(&self) -> impl Iterator<Item = (&str, &Value)> {
        let members = self.value.as_object().into_iter().flatten();
        members.map(|(key, value)| (key.as_str(), value)).filter(|(key, _)| !KNOWN.contains(key))
    }

    /// Resolves the entry, expanding variables from the environment.
    pub fn resolve(&self) -> Result<ServerConfig, ConfigError> {
        self.resolve_with(|name| std::env::var(name).ok())
    }

    /// Resolves the entry, expanding variables with `lookup`, which receives `name` for `${name}` and `${env:name}`,
    /// and
    /// `input:name` for `${input:name}`.
    pub fn resolve_with(&self, lookup: impl Fn(&str) -> Option<String>) -> Result<ServerConfig, ConfigError> {
        let location = self.file.at_server(&self.name);
        let Value::Object(members) = &self.value else {
            return Err(location.invalid("is not an object", r#"write {"command": "…"} or {"url": "…"}"#));
        };
        let reader = Reader { location, members, lookup: &lookup };
        reader.flag("disabled")?;
        Ok(ServerConfig::new(&self.name, reader.transport()?))
    }
}

/// Omits values, because they may be secrets.
impl fmt::Debug for ConfigEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&String> = self.value.as_object().into_iter().flat_map(Map::keys).collect();
        f.debug_struct("ConfigEntry").field("name", &self.name).field("keys", &keys).finish_non_exhaustive()
    }
}

/// Reads the members of one entry.
struct Reader<'a> {
    location: Location,
    members: &'a Map<String, Value>,
    lookup: &'a dyn Fn(&str) -> Option<String>,
}

impl Reader<'_> {
    fn transport(&self) -> Result<TransportConfig, ConfigError> {
        let (command, url) = (self.get("command").is_some(), self.get("url").is_some());
        let kind = match self.get("type") {
            None if command && url => {
                let remedy = r#"remove one, or set "type": "stdio" or "type": "http""#;
                return Err(self.location.invalid("has both a `command` and a `url`", remedy));
            }
            None if command => "stdio",
            None if url => "",
            None => {
                let remedy = "add a `command` to start, or a `url`";
                return Err(self.location.invalid("has neither a `command` nor a `url`", remedy));
            }
            Some(kind) => kind.as_str().unwrap_or("?"),
        };
        match kind {
            "stdio" => self.stdio().map(TransportConfig::Stdio),
            "" => self.http(HttpKind::Auto).map(TransportConfig::Http),
            "http" | "streamable-http" | "streamableHttp" => self.http(HttpKind::Streamable).map(TransportConfig::Http),
            "sse" => self.http(HttpKind::Sse).map(TransportConfig::Http),
            _ => {
                let remedy = r#"write "stdio", "http", "streamable-http" or "sse""#;
                Err(self.location.at_key("type").invalid("has an unknown value", remedy))
            }
        }
    }

    fn stdio(&self) -> Result<StdioConfig, ConfigError> {
        let location = self.location.at_key("command");
        let command = match self.get("command") {
            Some(command) => self.expanded(command, &location)?,
            None => return Err(location.invalid("is missing", "set the program to start")),
        };
        if command.value.trim().is_empty() {
            return Err(location.invalid("is empty", "set the program to start"));
        }
        let cwd = self.get("cwd").map(|cwd| self.expanded(cwd, &self.location.at_key("cwd"))).transpose()?;
        let inherits_env = self.flag("inheritEnv")?;
        Ok(StdioConfig { command, args: self.args()?, env: self.env()?, inherits_env, cwd })
    }

    fn args(&self) -> Result<Vec<String>, ConfigError> {
        match self.get("args") {
            None => Ok(Vec::new()),
            Some(Value::Array(args)) => {
                let each = args.iter().enumerate();
                each.map(|(n, arg)| self.text(arg, &self.location.at_key(format!("args[{n}]")))).collect()
            }
            Some(_) => Err(self.location.at_key("args").invalid("is not an array", r#"write ["first", "second"]"#)),
        }
    }

    fn env(&self) -> Result<Vec<(String, Option<Secret>)>, ConfigError> {
        let mut env = Vec::new();
        for (name, value) in self.object("env")? {
            let location = self.location.at_key(format!("env.{name}"));
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(location.invalid("is not a valid variable name", "use letters, digits and `_`"));
            }
            let value = match value {
                Value::Null => None,
                value => Some(Secret::new(self.text(value, &location)?)),
            };
            env.push((name.clone(), value));
        }
        Ok(env)
    }

    fn http(&self, kind: HttpKind) -> Result<HttpConfig, ConfigError> {
        let location = self.location.at_key("url");
        let url = match self.get("url") {
            Some(url) => self.expanded(url, &location)?,
            None => return Err(location.invalid("is missing", "set the URL of the server")),
        };
        let scheme = url.value.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if !matches!(scheme.as_deref(), Some("http" | "https")) {
            return Err(location.invalid("does not begin with `http://` or `https://`", "write the full URL"));
        }
        let mut headers = Vec::new();
        for (name, value) in self.object("headers")? {
            let location = self.location.at_key(format!("headers.{name}"));
            if !is_header_name(name) {
                return Err(location.invalid("is not a valid header name", "use letters, digits and `-`"));
            }
            let value = self.text(value, &location)?;
            if value.chars().any(|c| c.is_control() && c != '\t') {
                return Err(location.invalid(
                    "has characters that are invalid in a header",
                    "remove line breaks and control characters",
                ));
            }
            headers.push((name.clone(), Secret::new(value)));
        }
        Ok(HttpConfig { url, headers, kind })
    }

    /// Returns a member that is present and not `null`.
    fn get(&self, key: &str) -> Option<&Value> {
        self.members.get(key).filter(|value| !value.is_null())
    }

    fn object(&self, key: &str) -> Result<impl Iterator<Item = (&String, &Value)>, ConfigError> {
        match self.get(key) {
            None => Ok(None.into_iter().flatten()),
            Some(Value::Object(members)) => Ok(Some(members).into_iter().flatten()),
            Some(_) => Err(self.location.at_key(key).invalid("is not an object", r#"write {"NAME": "value"}"#)),
        }
    }

    fn flag(&self, key: &str) -> Result<bool, ConfigError> {
        match self.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.location.at_key(key).invalid("is not a boolean", "write `true` or `false`")),
        }
    }

    /// Like [`text`](Self::text), together with the text as written.
    fn expanded(&self, value: &Value, location: &Location) -> Result<Expanded, ConfigError> {
        let expanded = self.text(value, location)?;
        let written = value.as_str().map_or_else(|| expanded.clone(), str::to_owned);
        Ok(Expanded { value: expanded, written })
    }

    /// Converts a value to a string and expands its variables. Numbers and booleans are accepted, as in most hosts.
    fn text(&self, value: &Value, location: &Location) -> Result<String, ConfigError> {
        let text = match value {
            Value::String(text) => expand(text, location, self.lookup)?,
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return Err(location.invalid("is not a string", "put it in quotes")),
        };
        if text.contains('\0') {
            let what = "contains a NUL character".to_owned();
            return Err(location.error(ConfigErrorKind::Invalid, what, "remove it, also from the variables"));
        }
        Ok(text)
    }
}

/// Returns whether `name` is a valid header name (RFC 9110 §5.1).
fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
