//! Converts servers to entries of hosts, and entries to servers.

use std::fmt;

use serde_json::{Map, Value};

use super::table::{Host, Shape};

/// A server, independent of the format of a host.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Server {
    /// A process that the host starts.
    Stdio { command: String, args: Vec<String>, env: Vec<(String, String)> },
    /// An endpoint of Streamable HTTP.
    Http { url: String, headers: Vec<(String, String)> },
}

/// Omits arguments and values, because they may be secrets.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdio { command, .. } => f.debug_struct("Stdio").field("command", command).finish_non_exhaustive(),
            Self::Http { .. } => f.debug_struct("Http").finish_non_exhaustive(),
        }
    }
}

/// Returns the entry of a server in the format of a host. `None` if the host has no format for remote servers.
pub(crate) fn render(shape: &Shape, name: &str, server: &Server) -> Option<Value> {
    let template = match server {
        Server::Stdio { .. } => &shape.stdio,
        Server::Http { .. } => shape.http.as_ref()?,
    };
    let mut entry = Map::new();
    for (key, value) in template {
        let value = match value.as_str().and_then(|text| text.strip_prefix('$')) {
            Some(placeholder) => substitute(placeholder, name, server),
            None => Some(value.clone()),
        };
        if let Some(value) = value {
            entry.insert(key.clone(), value);
        }
    }
    Some(Value::Object(entry))
}

/// Returns the value of a placeholder; `None` if the member is omitted.
fn substitute(placeholder: &str, name: &str, server: &Server) -> Option<Value> {
    let pairs = |pairs: &[(String, String)]| {
        let pairs: Map<_, _> = pairs.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
        (!pairs.is_empty()).then_some(Value::Object(pairs))
    };
    match (placeholder, server) {
        ("name", _) => Some(name.into()),
        ("command", Server::Stdio { command, .. }) => Some(command.as_str().into()),
        ("args", Server::Stdio { args, .. }) => Some(args.as_slice().into()),
        ("argv", Server::Stdio { command, args, .. }) => {
            Some(std::iter::once(command).chain(args).map(String::as_str).collect())
        }
        ("env", Server::Stdio { env, .. }) => pairs(env),
        ("url", Server::Http { url, .. }) => Some(url.as_str().into()),
        ("headers", Server::Http { headers, .. }) => pairs(headers),
        _ => None,
    }
}

/// Reads an entry of a host. `None` if it is neither a command nor a URL.
pub(crate) fn read(shape: &Shape, entry: &Value) -> Option<Server> {
    read_template(&shape.stdio, entry).or_else(|| read_template(shape.http.as_ref()?, entry))
}

fn read_template(template: &Map<String, Value>, entry: &Value) -> Option<Server> {
    let get = |placeholder: &str| {
        let key = template.iter().find(|(_, value)| *value == placeholder)?.0;
        entry.get(key)
    };
    let texts = |value: Option<&Value>| -> Option<Vec<String>> {
        value?.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let pairs = |value: Option<&Value>| -> Vec<(String, String)> {
        let members = value.and_then(Value::as_object).into_iter().flatten();
        members
            .map(|(key, value)| (key.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            .collect()
    };
    if let Some(url) = get("$url") {
        return Some(Server::Http { url: url.as_str()?.to_owned(), headers: pairs(get("$headers")) });
    }
    let (command, args) = match get("$argv") {
        Some(argv) => {
            let mut argv = texts(Some(argv))?.into_iter();
            (argv.next()?, argv.collect())
        }
        None => (get("$command")?.as_str()?.to_owned(), texts(get("$args")).unwrap_or_default()),
    };
    Some(Server::Stdio { command, args, env: pairs(get("$env")) })
}

/// Returns the shape that a file has already, else the default of the host.
///
/// `table` returns the value at a path of keys.
pub(crate) fn detect(host: &Host, table: impl Fn(&[String]) -> Option<Value>) -> &Shape {
    let has = |shape: &&Shape| {
        // A server with the name of the inner table is not a table.
        table(&shape.key).is_some_and(|value| {
            value
                .as_object()
                .is_some_and(|object| !["type", "command", "url"].iter().any(|key| object.contains_key(*key)))
        })
    };
    let longest = host.shapes.iter().filter(has).max_by_key(|shape| shape.key.len());
    longest.unwrap_or(&host.shapes[0])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::table;
    use super::*;

    fn stdio() -> Server {
        let args = vec!["--data".to_owned(), "/d".to_owned()];
        Server::Stdio { command: "/bin/demo".into(), args, env: vec![("KEY".into(), "v".into())] }
    }

    fn http() -> Server {
        Server::Http { url: "https://a/mcp".into(), headers: vec![("X-Key".into(), "v".into())] }
    }

    fn entry(host: &str, shape: usize, server: &Server) -> Value {
        render(&table::find(host).unwrap().shapes[shape], "demo", server).unwrap()
    }

    #[test]
    fn stdio_entries_have_the_keys_of_their_host() {
        let plain = json!({"command": "/bin/demo", "args": ["--data", "/d"], "env": {"KEY": "v"}});
        for host in ["claude-desktop", "cursor", "windsurf", "gemini-cli", "zed", "codex", "antigravity", "junie"] {
            assert_eq!(entry(host, 0, &stdio()), plain, "{host}");
        }
        let mut typed = plain.clone();
        typed["type"] = "stdio".into();
        for host in ["claude-code", "vscode", "crush"] {
            assert_eq!(entry(host, 0, &stdio()), typed, "{host}");
        }
        let copilot = json!({"type": "local", "command": "/bin/demo", "args": ["--data", "/d"], "env": {"KEY": "v"}, "tools": ["*"]});
        assert_eq!(entry("copilot-cli", 0, &stdio()), copilot);
        let v1 = json!({"type": "local", "command": ["/bin/demo", "--data", "/d"], "environment": {"KEY": "v"}, "enabled": true});
        assert_eq!(entry("opencode", 0, &stdio()), v1);
        let v2 = json!({"type": "local", "command": ["/bin/demo", "--data", "/d"], "environment": {"KEY": "v"}, "disabled": false});
        assert_eq!(entry("opencode", 1, &stdio()), v2);
        let goose = entry("goose", 0, &stdio());
        assert_eq!(goose["cmd"], "/bin/demo");
        assert_eq!(goose["envs"], json!({"KEY": "v"}));
        assert_eq!(
            (&goose["type"], &goose["name"], &goose["enabled"]),
            (&json!("stdio"), &json!("demo"), &json!(true))
        );
    }

    #[test]
    fn http_entries_have_the_keys_of_their_host() {
        let headers = json!({"X-Key": "v"});
        for host in ["windsurf", "antigravity"] {
            assert_eq!(entry(host, 0, &http()), json!({"serverUrl": "https://a/mcp", "headers": headers}), "{host}");
        }
        assert_eq!(entry("gemini-cli", 0, &http()), json!({"httpUrl": "https://a/mcp", "headers": headers}));
        assert_eq!(entry("codex", 0, &http()), json!({"url": "https://a/mcp", "http_headers": headers}));
        assert_eq!(entry("cline", 0, &http())["type"], "streamableHttp");
        let goose = entry("goose", 0, &http());
        assert_eq!((&goose["type"], &goose["uri"]), (&json!("streamable_http"), &json!("https://a/mcp")));
        assert_eq!(entry("opencode", 0, &http())["type"], "remote");
        for host in ["cursor", "zed", "lm-studio"] {
            assert_eq!(entry(host, 0, &http()), json!({"url": "https://a/mcp", "headers": headers}), "{host}");
        }
    }

    #[test]
    fn entry_is_read_back_when_rendered_for_any_host() {
        for host in table::all() {
            for shape in &host.shapes {
                for server in [stdio(), http()] {
                    let Some(entry) = render(shape, "demo", &server) else { continue };
                    assert!(read(shape, &entry) == Some(server), "{}: {entry}", host.id);
                }
            }
        }
        assert!(read(&table::find("cursor").unwrap().shapes[0], &json!({"disabled": true})).is_none());
    }

    #[test]
    fn shape_is_detected_when_the_file_has_one() {
        let opencode = table::find("opencode").unwrap();
        let detected = |file: Value| {
            let at = |path: &[String]| path.iter().try_fold(&file, |value, key| value.get(key)).cloned();
            detect(opencode, at).key.join(".")
        };
        assert_eq!(detected(json!({})), "mcp");
        assert_eq!(detected(json!({"mcp": {"a": {"type": "local", "command": ["a"]}}})), "mcp");
        assert_eq!(detected(json!({"mcp": {"servers": {}}})), "mcp.servers");
        assert_eq!(
            detected(json!({"mcp": {"servers": {"type": "local", "command": ["a"]}}})),
            "mcp",
            "a server named servers"
        );
    }

    #[test]
    fn debug_omits_secrets() {
        assert!(!format!("{:?} {:?}", stdio(), http()).contains("\"v\""));
    }
}
