//! Configuration files of hosts, valid and invalid.

use std::path::Path;

use ferromcp_client::config::{
    Config, ConfigEntry, ConfigError, ConfigErrorKind, HttpConfig, HttpKind, MAX_FILE, Secret, ServerConfig,
    StdioConfig, TransportConfig,
};
use proptest::prelude::*;

fn vars(name: &str) -> Option<String> {
    match name {
        "HOST" => Some("example.com".to_owned()),
        "LINES" => Some("a\r\nInjected: b".to_owned()),
        "TOKEN" | "input:key" => Some("s3cret".to_owned()),
        _ => None,
    }
}

#[track_caller]
fn resolve(config: &Config, name: &str) -> Result<ServerConfig, ConfigError> {
    config.get(name).expect("missing entry").resolve_with(vars)
}

#[track_caller]
fn stdio(server: &ServerConfig) -> &StdioConfig {
    match server.transport() {
        TransportConfig::Stdio(stdio) => stdio,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn http(server: &ServerConfig) -> &HttpConfig {
    match server.transport() {
        TransportConfig::Http(http) => http,
        other => panic!("{other:?}"),
    }
}

/// Returns the error text of one entry.
fn error(entry: &str) -> String {
    let config = Config::parse(&format!(r#"{{"mcpServers":{{"s":{entry}}}}}"#)).unwrap();
    let error = resolve(&config, "s").unwrap_err();
    assert_eq!(error.server(), Some("s"));
    error.to_string()
}

#[test]
fn parses_config_of_desktop_host() {
    let config = Config::parse(
        r#"{
            "globalShortcut": "Ctrl+Space",
            "mcpServers": {
                "zoo": { "command": "npx", "args": ["-y", "zoo-server", "--root=${HOST}"], "env": { "KEY": "${TOKEN}", "N": 5, "OUT": null } },
                "apple": { "command": "apple", "cwd": "/srv", "disabled": true, "autoApprove": ["a"], "timeout": 60 }
            }
        }"#,
    )
    .unwrap();
    assert_eq!(config.entries().map(ConfigEntry::name).collect::<Vec<_>>(), ["zoo", "apple"], "in file order");
    let zoo = resolve(&config, "zoo").unwrap();
    assert_eq!(zoo.name(), "zoo");
    assert_eq!(stdio(&zoo).program(), "npx");
    assert_eq!(stdio(&zoo).args().collect::<Vec<_>>(), ["-y", "zoo-server", "--root=example.com"]);
    let env: Vec<_> = stdio(&zoo).env().map(|(name, value)| (name, value.map(Secret::reveal))).collect();
    assert_eq!(env, [("KEY", Some("s3cret")), ("N", Some("5")), ("OUT", None)]);
    let command = stdio(&zoo).command();
    assert_eq!(command.get_args().count(), 3);
    assert!(command.get_envs().all(|(name, _)| name != "OUT"), "the environment is cleared, and `OUT` is not added");

    let apple = config.get("apple").unwrap();
    assert!(apple.is_disabled() && !config.get("zoo").unwrap().is_disabled());
    assert_eq!(apple.other().map(|(key, _)| key).collect::<Vec<_>>(), ["autoApprove", "timeout"]);
    let apple = apple.resolve().unwrap();
    assert_eq!(stdio(&apple).cwd(), Some(Path::new("/srv")));
    assert_eq!(stdio(&apple).command().get_current_dir(), Some(Path::new("/srv")));
}

#[test]
fn parses_config_of_editor() {
    let config = Config::parse(
        "\u{FEFF}{
            // the servers of this workspace
            \"inputs\": [{ \"type\": \"promptString\", \"id\": \"key\" }],
            \"servers\": {
                \"a\": { \"type\": \"http\", \"url\": \"https://${HOST}/mcp\", \"headers\": { \"Authorization\": \"Bearer ${input:key}\" }, },
                \"b\": { \"type\": \"sse\", \"url\": \"HTTP://localhost:8000/sse\" },
                \"c\": { \"type\": \"streamable-http\", \"url\": \"http://[::1]/\" },
                \"d\": { \"url\": \"https://example.com\" }, /* any */
                \"e\": { \"type\": \"stdio\", \"command\": \"x\", \"url\": \"https://example.com\" },
            },
        }",
    )
    .unwrap();
    let a = resolve(&config, "a").unwrap();
    assert_eq!(http(&a).url(), "https://example.com/mcp");
    assert_eq!(http(&a).kind(), HttpKind::Streamable);
    let headers: Vec<_> = http(&a).headers().map(|(name, value)| (name, value.reveal())).collect();
    assert_eq!(headers, [("Authorization", "Bearer s3cret")]);
    for (name, kind) in [("b", HttpKind::Sse), ("c", HttpKind::Streamable), ("d", HttpKind::Auto)] {
        assert_eq!(http(&resolve(&config, name).unwrap()).kind(), kind, "{name}");
    }
    assert_eq!(stdio(&resolve(&config, "e").unwrap()).program(), "x");
}

#[test]
fn resolves_other_entries_when_one_is_invalid() {
    let config =
        Config::parse(r#"{"mcpServers":{"bad":{"command":"${NOPE}"},"worse":7,"good":{"command":"x"}}}"#).unwrap();
    let error = resolve(&config, "bad").unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Variable);
    assert_eq!((error.file(), error.server(), error.key()), (None, Some("bad"), Some("command")));
    assert_eq!(
        error.to_string(),
        "the configuration: server `bad`: `command` needs the variable `NOPE`, which is not set; \
         set it, or write `${NOPE:-default}`"
    );
    assert!(resolve(&config, "worse").is_err());
    assert!(resolve(&config, "good").is_ok());
    assert!(config.get("none").is_none());
}

#[test]
fn errors_name_key_and_remedy_and_do_not_quote_values() {
    for (entry, expected) in [
        (r"{}", "server `s` has neither a `command` nor a `url`; add"),
        (r#"{"command":"s3cret","url":"https://s3cret"}"#, "has both a `command` and a `url`; remove one"),
        (r#"{"type":"s3cret","command":"x"}"#, "`type` has an unknown value; write \"stdio\""),
        (r#"{"type":5,"command":"x"}"#, "`type` has an unknown value"),
        (r#"{"type":"stdio","url":"https://x"}"#, "`command` is missing; set the program"),
        (r#"{"type":"http","command":"x"}"#, "`url` is missing; set the URL"),
        (r#"{"command":" "}"#, "`command` is empty"),
        (r#"{"command":"x","args":"s3cret"}"#, "`args` is not an array; write [\"first\""),
        (r#"{"command":"x","args":["a",["s3cret"]]}"#, "`args[1]` is not a string; put it in quotes"),
        (r#"{"command":"x","env":["s3cret"]}"#, "`env` is not an object"),
        (r#"{"command":"x","env":{"A":{"s3cret":1}}}"#, "`env.A` is not a string"),
        (r#"{"command":"x","env":{"A=B":"s3cret"}}"#, "`env.A=B` is not a valid variable name"),
        (r#"{"command":"x","env":{"A":"s3cret\u0000"}}"#, "`env.A` contains a NUL character"),
        (r#"{"command":"x","env":{"A":"s3cret ${B}"}}"#, "`env.A` needs the variable `B`, which is not set"),
        (r#"{"command":"x","disabled":"s3cret"}"#, "`disabled` is not a boolean"),
        (r#"{"url":"s3cret.com"}"#, "`url` does not begin with `http://` or `https://`"),
        (r#"{"url":"${NO:-ftp}://s3cret"}"#, "`url` does not begin with"),
        (r#"{"url":"https://x","headers":{"a b":"s3cret"}}"#, "`headers.a b` is not a valid header name"),
        (
            r#"{"url":"https://x","headers":{"X":"${LINES}"}}"#,
            "`headers.X` has characters that are invalid in a header",
        ),
        (r#"["s3cret"]"#, "server `s` is not an object; write"),
    ] {
        let error = error(entry);
        assert!(error.contains(expected), "{entry}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn reports_error_kind_when_file_is_invalid() {
    let kind = |text: &str| Config::parse(text).unwrap_err().kind();
    for (text, expected) in [
        ("{", "is not JSON: EOF while parsing"),
        ("{\"mcpServers\": {\n\"a\": {\"command\": s3cret}}}", "at line 2 column"),
        ("{}", "has no servers; write {\"mcpServers\""),
        ("[]", "has no servers"),
        (r#"{"mcpServers":["s3cret"]}"#, "`mcpServers` is not an object; write one member"),
        (
            r#"{"servers":{"a":{"command":"s3cret"},"a":{}}}"#,
            "`servers` has a duplicate server name: duplicate field `a`; rename",
        ),
    ] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
    assert_eq!(kind("{"), ConfigErrorKind::Syntax);
    assert_eq!(kind("{}"), ConfigErrorKind::Invalid);
    assert_eq!(kind(&" ".repeat(MAX_FILE + 1)), ConfigErrorKind::Syntax);
    assert_eq!(kind(&"[".repeat(MAX_FILE)), ConfigErrorKind::Syntax);
    assert_eq!(Config::parse(r#"{"mcpServers":{}}"#).unwrap().entries().len(), 0);
}

#[test]
fn errors_name_the_file() {
    let path = std::env::temp_dir().join(format!("ferromcp-config-{}.json", std::process::id()));
    let error = Config::read(&path).unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Unreadable);
    assert!(error.to_string().starts_with(&*path.to_string_lossy()), "{error}");
    std::fs::write(&path, r#"{"mcpServers":{"a":{"url":"x"}}}"#).unwrap();
    let config = Config::read(&path);
    std::fs::write(&path, " ".repeat(MAX_FILE + 1)).unwrap();
    let large = Config::read(&path).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    let error = config.unwrap().get("a").unwrap().resolve().unwrap_err();
    assert_eq!(error.file(), Some(&*path.to_string_lossy()));
    assert!(large.to_string().contains("larger than"), "{large}");
}

#[test]
fn debug_redacts_secrets() {
    let config = Config::parse(
        r#"{"servers":{
            "a":{"command":"x","args":["--key=s3cret"],"env":{"K":"s3cret"},"other":"s3cret"},
            "b":{"url":"https://me:s3cret@h.com:8/p/q?k=s3cret#s3cret","headers":{"X":"s3cret"}},
            "c":{"url":"http:///me:s3cret@h.com/"}
        }}"#,
    )
    .unwrap();
    let [a, b, c] = ["a", "b", "c"].map(|name| resolve(&config, name).unwrap());
    let shown = format!("{config:?} {a:?} {b:?} {c:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
    for part in ["[1 hidden]", "(\"K\", Some([hidden]))", "url: https://h.com:8/p/q,", "(\"X\", [hidden])", "\"other\""]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn debug_omits_values_of_variables() {
    let config = Config::parse(
        r#"{"servers":{
            "a":{"command":"/opt/${TOKEN}/bin","cwd":"/srv/${TOKEN}","args":["${TOKEN}"],"env":{"K":"${TOKEN}"}},
            "b":{"url":"https://${HOST}/${env:TOKEN}/mcp?k=${TOKEN}","headers":{"X":"${TOKEN}"}}
        }}"#,
    )
    .unwrap();
    let (a, b) = (resolve(&config, "a").unwrap(), resolve(&config, "b").unwrap());
    assert_eq!((stdio(&a).program(), stdio(&a).cwd()), ("/opt/s3cret/bin", Some(Path::new("/srv/s3cret"))));
    assert_eq!(http(&b).url(), "https://example.com/s3cret/mcp?k=s3cret");
    let shown = format!("{a:?} {b:?} {a:#?} {b:#?}");
    assert!(!shown.contains("s3cret") && !shown.contains("example.com"), "{shown}");
    for part in
        ["command: \"/opt/${TOKEN}/bin\"", "cwd: Some(\"/srv/${TOKEN}\")", "url: https://${HOST}/${env:TOKEN}/mcp,"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[tokio::test]
async fn connect_errors_omit_values_of_variables() {
    let config = Config::parse(
        r#"{"servers":{
            "a":{"command":"/no/such/${TOKEN}/bin","cwd":"/no/${TOKEN}"},
            "b":{"url":"http://127.0.0.1:9/${TOKEN}/mcp?k=${TOKEN}"},
            "c":{"url":"http://:${TOKEN}@/${TOKEN}"}
        }}"#,
    )
    .unwrap();
    for name in ["a", "b", "c"] {
        let server = resolve(&config, name).unwrap();
        let error = crate::script::soon(crate::script::builder().connect(server)).await.unwrap_err();
        let mut next: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = next {
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
            next = error.source();
        }
    }
    let server = resolve(&config, "a").unwrap();
    let error = crate::script::soon(crate::script::builder().connect(server)).await.unwrap_err();
    assert!(error.to_string().contains("cannot start `/no/such/${TOKEN}/bin`"), "{error}");
}

#[test]
fn program_inherits_environment_only_when_configured() {
    // C16
    let config = Config::parse(
        r#"{"servers":{
            "a":{"command":"x","env":{"K":"v","HOME":null}},
            "b":{"command":"x","env":{"K":"v","HOME":null},"inheritEnv":true},
            "c":{"command":"x","inheritEnv":null}
        }}"#,
    )
    .unwrap();
    let envs = |name: &str| -> Vec<(String, Option<String>)> {
        let command = stdio(&resolve(&config, name).unwrap()).command();
        let text = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
        command.get_envs().map(|(name, value)| (text(name), value.map(text))).collect()
    };
    assert_eq!(envs("b"), [("HOME".to_owned(), None), ("K".to_owned(), Some("v".to_owned()))]);
    assert!(stdio(&resolve(&config, "b").unwrap()).inherits_env());
    let a = envs("a");
    assert!(a.contains(&("K".to_owned(), Some("v".to_owned()))), "{a:?}");
    assert!(a.iter().any(|(name, _)| name == "PATH") && a.iter().all(|(name, _)| name != "HOME"), "{a:?}");
    assert!(!stdio(&resolve(&config, "c").unwrap()).inherits_env());
    assert!(error(r#"{"command":"x","inheritEnv":"yes"}"#).contains("`inheritEnv` is not a boolean"));
}

proptest! {
    #[test]
    fn does_not_panic_on_any_entry(entry in r#"\{("(command|url|args|env|type|disabled)":("[$\{\}a:/]{0,6}"|\[\]|\{\}|1|null),?){0,4}\}"#) {
        if let Ok(config) = Config::parse(&format!(r#"{{"mcpServers":{{"s":{entry}}}}}"#)) {
            let _ = format!("{config:?} {:?}", config.get("s").unwrap().resolve_with(vars));
        }
    }
}
