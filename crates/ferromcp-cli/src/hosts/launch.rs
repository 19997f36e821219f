//! Prepares the server of an entry: absolute paths, variables and a name.
//!
//! Hosts start servers in another working directory, and often with another `PATH`.

use std::path::{Path, PathBuf};

use url::Url;

use super::machine::{Machine, System};

/// Maximum length of a name.
const MAX_NAME: usize = 64;
/// Maximum size of a file with variables, in bytes.
const MAX_ENV_FILE: u64 = 1024 * 1024;
/// Programs that run the server which their first argument names.
const RUNNERS: [&str; 12] =
    ["npx", "bunx", "uvx", "uv", "node", "bun", "deno", "python", "python3", "pipx", "docker", "mcp"];
/// Arguments of runners before the name of the server.
const RUNNER_VERBS: [&str; 6] = ["run", "exec", "x", "tool", "python", "python3"];

/// Returns the absolute path of a program, searched in `PATH` if it is a name.
///
/// Symbolic links are not resolved: environments of Python and version managers depend on them.
pub(crate) fn absolute_program(program: &str, machine: &Machine) -> Result<String, String> {
    let extensions: Vec<&str> = match machine.system {
        System::Windows => {
            std::iter::once("").chain(machine.var("PATHEXT").unwrap_or(".EXE;.CMD;.BAT").split(';')).collect()
        }
        System::MacOs | System::Linux => vec![""],
    };
    let existing = |base: PathBuf| {
        let with = |extension: &&str| PathBuf::from(format!("{}{extension}", base.display()));
        extensions.iter().map(with).find(|path| is_executable(path))
    };
    let is_path = program.contains('/') || (machine.system == System::Windows && program.contains('\\'));
    let found = if is_path {
        existing(machine.project.join(program))
    } else {
        let folders = machine.var("PATH").unwrap_or_default();
        std::env::split_paths(folders).filter(|folder| folder.is_absolute()).find_map(|f| existing(f.join(program)))
    };
    let found = found.ok_or_else(|| {
        let (cause, remedy) = if is_path {
            ("the file does not exist or is not executable", "check the path")
        } else {
            ("it is not in PATH", "install it, or write its path")
        };
        format!("cannot find the program `{program}`: {cause}; {remedy}")
    })?;
    Ok(clean(&found))
}

/// Returns an argument with an absolute path if it is the relative path of an existing file, or of a folder with `.` or `/`.
pub(crate) fn absolute_argument(argument: &str, machine: &Machine) -> String {
    let path = Path::new(argument);
    let path_like = argument.starts_with('.') || argument.contains('/');
    if argument.is_empty() || argument.len() > 4096 || argument.starts_with('-') || path.is_absolute() {
        return argument.to_owned();
    }
    let full = machine.project.join(path);
    if full.is_file() || (path_like && full.is_dir()) { clean(&full) } else { argument.to_owned() }
}

/// Removes `.` from a path.
fn clean(path: &Path) -> String {
    std::path::absolute(path)
        .unwrap_or_else(|_| path.to_owned())
        .components()
        .collect::<PathBuf>()
        .display()
        .to_string()
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// Returns a name for a command: that of the program, or of the package that a runner starts.
pub(crate) fn name_of_command(program: &str, args: &[String]) -> String {
    let stem = |word: &str| {
        let file = word.rsplit(['/', '\\']).next().unwrap_or(word);
        let file = file.split('@').next().filter(|name| !name.is_empty()).unwrap_or(file);
        let known = [".exe", ".cmd", ".bat", ".py", ".js", ".mjs", ".ts", ".jar"];
        known.iter().find_map(|end| file.strip_suffix(end)).unwrap_or(file).to_owned()
    };
    let program = stem(program);
    if !RUNNERS.contains(&program.as_str()) {
        return sanitize(&program);
    }
    let words = args.iter().filter(|arg| !arg.starts_with('-') && !RUNNER_VERBS.contains(&arg.as_str()));
    let name = words.map(|word| stem(word)).find(|name| !name.is_empty());
    sanitize(&name.unwrap_or(program))
}

/// Returns a name for a URL: the first label of its domain that is not generic; `server` if it has none.
pub(crate) fn name_of_url(url: &str) -> String {
    let url = Url::parse(url).ok();
    let domain = url.as_ref().and_then(Url::domain).unwrap_or_default();
    sanitize(domain.split('.').find(|label| !["www", "mcp", "api"].contains(label)).unwrap_or_default())
}

/// Replaces characters that hosts reject in names.
pub(crate) fn sanitize(name: &str) -> String {
    let valid = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '-' };
    let name: String = name.chars().take(MAX_NAME).map(valid).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "server".to_owned() } else { name.to_owned() }
}

/// Fails if a name is not valid in all hosts.
pub(crate) fn validate_name(name: &str) -> Result<(), String> {
    let is_valid = !name.is_empty()
        && name.len() <= MAX_NAME
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_valid {
        return Ok(());
    }
    Err(format!(
        "cannot use the name `{name}`: hosts accept up to {MAX_NAME} letters, digits, `-` and `_`; change `--name`"
    ))
}

/// Reads a file with lines `NAME=value`, with comments (`#`), quotes and `export`.
pub(crate) fn read_env_file(path: &Path) -> Result<Vec<(String, String)>, String> {
    let failed = |cause: String| format!("cannot read `{}`: {cause}", path.display());
    let size = std::fs::metadata(path).map_err(|error| failed(format!("{error}; check the path")))?.len();
    if size > MAX_ENV_FILE {
        return Err(failed(format!("it has {size} bytes; the limit is {MAX_ENV_FILE} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    parse_env(&text).map_err(|line| failed(format!("line {line} is not `NAME=value`; fix or remove it")))
}

/// Parses the lines of a file with variables. Returns the number of an invalid line.
fn parse_env(text: &str) -> Result<Vec<(String, String)>, usize> {
    let mut found = Vec::new();
    for (index, line) in text.strip_prefix('\u{FEFF}').unwrap_or(text).lines().enumerate() {
        let line = line.trim();
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or(index + 1)?;
        let (name, value) = (name.trim_end(), value.trim_start());
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '-';
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(index + 1);
        }
        found.push((name.to_owned(), unquote(value).ok_or(index + 1)?));
    }
    Ok(found)
}

/// Removes quotes, or a comment after a value without quotes. `None` if a quote is not closed.
fn unquote(value: &str) -> Option<String> {
    if let Some(inner) = value.strip_prefix('\'') {
        return inner.split_once('\'').map(|(value, _)| value.to_owned());
    }
    let Some(inner) = value.strip_prefix('"') else {
        let end = value.find(" #").unwrap_or(value.len());
        return Some(value[..end].trim_end().to_owned());
    };
    let mut out = String::new();
    let mut chars = inner.chars();
    loop {
        match chars.next()? {
            '"' => return Some(out),
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn machine(project: &Path, system: System, path: &Path) -> Machine {
        let env = BTreeMap::from([("PATH".to_owned(), path.display().to_string())]);
        Machine { system, home: project.to_owned(), env, project: project.to_owned() }
    }

    #[cfg(unix)]
    #[test]
    fn paths_are_absolute_when_relative_in_the_command() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, mode: u32| {
            std::fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
            std::fs::write(folder.path().join(name), "").unwrap();
            std::fs::set_permissions(folder.path().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        file("bin/demo", 0o755);
        file("bin/data", 0o644);
        file("win/npx.CMD", 0o755);
        file("src/server.js", 0o644);
        let linux = machine(folder.path(), System::Linux, &folder.path().join("bin"));
        let full = |name: &str| folder.path().join(name).display().to_string();
        assert_eq!(absolute_program("demo", &linux), Ok(full("bin/demo")));
        assert_eq!(absolute_program("./bin/demo", &linux), Ok(full("bin/demo")));
        assert!(absolute_program("data", &linux).unwrap_err().contains("it is not in PATH; install it"));
        assert!(absolute_program("./bin/data", &linux).unwrap_err().contains("is not executable"));
        let mut windows = machine(folder.path(), System::Windows, &folder.path().join("win"));
        windows.env.insert("PATHEXT".into(), ".EXE;.CMD".into());
        assert_eq!(absolute_program("npx", &windows), Ok(full("win/npx.CMD")));
        assert_eq!(absolute_argument("src/server.js", &linux), full("src/server.js"));
        assert_eq!(absolute_argument("./src", &linux), full("src"));
        assert_eq!(absolute_argument(".", &linux), folder.path().display().to_string());
        for unchanged in ["src", "--data", "missing.js", "/etc", "", "@scope/pkg"] {
            assert_eq!(absolute_argument(unchanged, &linux), unchanged);
        }
    }

    #[test]
    fn name_is_derived_when_not_given() {
        let command = |program: &str, args: &[&str]| {
            name_of_command(program, &args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(command("/usr/bin/demo", &["--data"]), "demo");
        assert_eq!(command("npx", &["-y", "@modelcontextprotocol/server-everything@2"]), "server-everything");
        assert_eq!(command("uvx", &["mcp-server-git@latest"]), "mcp-server-git");
        assert_eq!(command("/opt/node", &["/a/index.mjs"]), "index");
        assert_eq!(command(r"C:\bin\my server.exe", &[]), "my-server");
        assert_eq!(command("uv", &["run", "--quiet"]), "uv");
        assert_eq!(name_of_url("https://mcp.example.com/mcp"), "example");
        assert_eq!(name_of_url("http://127.0.0.1:8000/mcp"), "server");
        assert_eq!(name_of_url("http://u:p@localhost:1/"), "localhost");
        assert_eq!(name_of_url("http://[::1]:8000/mcp"), "server");
        assert_eq!(name_of_url("https://mcp/"), "server");
        assert!(validate_name("my-server_1").is_ok());
        for invalid in ["", "a b", "ü", "a.b", &"x".repeat(65)] {
            assert!(validate_name(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn env_file_is_parsed_with_quotes_and_comments() {
        let text = "\u{FEFF}# c\nA=1 # one\r\nexport B = \"x # \\\"y\\\" \\n\" # c\nC='a\\n'\n\nD=\nE=a#b\n";
        let expected = [("A", "1"), ("B", "x # \"y\" \n"), ("C", "a\\n"), ("D", ""), ("E", "a#b")];
        let expected: Vec<_> = expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(parse_env(text), Ok(expected));
        assert_eq!(parse_env("A=1\nsecret"), Err(2));
        assert_eq!(parse_env("A=\"open"), Err(1));
        assert_eq!(parse_env("=x"), Err(1));
    }
}
