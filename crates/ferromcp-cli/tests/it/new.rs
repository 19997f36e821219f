//! `mcp new`: each template, and the errors.
//!
//! One template is built and tested in each run, because that takes long: another one each day, or the one in the
//! variable `FERROMCP_TEMPLATE`; `all` selects all of them (`cargo xtask new`).

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use crate::process::{Run, command, free_port, mcp, run, wait_until};

const TEMPLATES: [&str; 5] = ["minimal", "resources", "elicitation", "oauth", "http"];

/// The variable that selects the template to build.
const VARIABLE: &str = "FERROMCP_TEMPLATE";

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Creates a project with the library of this checkout. Its name is `template-NAME`.
fn create(folder: &Path, template: &str) -> PathBuf {
    let path = folder.join(template);
    let library = crates().join("ferromcp").display().to_string();
    let name = format!("template-{template}");
    let args = ["new", &name, "--template", template, "--library-path", &library, "--path"];
    let created = run(command(&args).arg(&path));
    assert_eq!((created.code, created.stdout.as_str()), (0, ""), "{created:?}");
    assert!(created.stderr.starts_with(&format!("created `{name}` in ")), "{created:?}");
    assert!(created.stderr.contains("next steps:\n  cd "), "{created:?}");
    path
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn files_are_complete_and_formatted_in_each_template() {
    let folder = tempfile::tempdir().unwrap();
    for template in TEMPLATES {
        let project = create(folder.path(), template);
        let mut paths = Vec::new();
        files(&project, &mut paths);
        for path in &paths {
            let text = std::fs::read_to_string(path).unwrap();
            assert!(!text.contains("{{") && text.ends_with('\n'), "{}:\n{text}", path.display());
        }
        for file in ["Cargo.toml", "README.md", ".gitignore", "src/main.rs"] {
            assert!(paths.contains(&project.join(file)), "{template}: {file}");
        }
        let manifest = std::fs::read_to_string(project.join("Cargo.toml")).unwrap();
        let manifest: toml_edit::DocumentMut = manifest.parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str().unwrap(), format!("template-{template}"));
        let mut rustfmt = Command::new("rustfmt");
        let formatted = run(rustfmt.args(["--edition", "2024", "--check"]).arg(project.join("src/main.rs")));
        assert_eq!(formatted.code, 0, "{template}: {formatted:?}");
    }
    let deploy = folder.path().join("http/deploy");
    let unit = std::fs::read_to_string(deploy.join("template-http.service")).unwrap();
    assert!(unit.contains("ExecStart=/usr/local/bin/template-http\n"), "{unit}");
}

#[test]
fn templates_are_listed_with_descriptions() {
    let list = mcp(&["new", "--list"]);
    assert_eq!((list.code, list.stdout.lines().count()), (0, TEMPLATES.len()), "{list:?}");
    for (line, template) in list.stdout.lines().zip(TEMPLATES) {
        assert!(line.starts_with(&format!("{template} ")) && line.len() > 25, "{line}");
    }
}

#[test]
fn nothing_is_written_when_arguments_are_invalid() {
    let folder = tempfile::tempdir().unwrap();
    let at = |args: &[&str]| -> Run { run(command(args).current_dir(folder.path())) };
    for (args, expected) in [
        (&["new"][..], "--help"),
        (&["new", "my server"], "use for example `my-server`"),
        (&["new", "../up"], "it contains `.`"),
        (&["new", "x", "--template", "big"], "possible values: minimal, resources"),
        (&["new", "x", "--library-path", "missing"], "name the folder `crates/ferromcp` of a checkout"),
    ] {
        let failed = at(args);
        assert!(failed.code == 2 && failed.stderr.contains(expected), "{args:?}: {failed:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(at(&["new", "x"]).code, 0);
    let main = folder.path().join("x/src/main.rs");
    std::fs::write(&main, "changed").unwrap();
    let again = at(&["new", "x"]);
    assert!(again.code == 2 && again.stderr.contains("cannot create `x`: the folder is not empty"), "{again:?}");
    assert_eq!(std::fs::read_to_string(main).unwrap(), "changed");
}

#[test]
fn workspace_is_named_when_the_project_is_inside_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    let created = run(command(&["new", "x"]).current_dir(folder.path()));
    assert!(created.stderr.contains("add it to `members` of `"), "{created:?}");
}

/// Returns the templates to build.
fn selected() -> Vec<&'static str> {
    let variable = std::env::var(VARIABLE).unwrap_or_default();
    if variable == "all" {
        return TEMPLATES.to_vec();
    }
    if !variable.is_empty() {
        let found = TEMPLATES.into_iter().find(|template| *template == variable);
        return vec![found.unwrap_or_else(|| panic!("{VARIABLE}: unknown template `{variable}`"))];
    }
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let day = usize::try_from(seconds / SECONDS_PER_DAY).unwrap();
    vec![TEMPLATES[day % TEMPLATES.len()]]
}

/// The target folder of the workspace, so that dependencies are not compiled again.
fn target_folder() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_mcp")).ancestors().nth(2).unwrap().to_owned()
}

fn cargo(project: &Path, args: &[&str]) {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(project).env("CARGO_TARGET_DIR", target_folder());
    if std::env::var_os("CARGO_PROFILE_DEV_DEBUG").is_none() {
        // The setting of the workspace; with another one, all dependencies are compiled again.
        command.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    }
    let result = run(&mut command);
    assert_eq!(result.code, 0, "cargo {args:?}; crates are not downloaded here, `cargo fetch` does that: {result:?}");
}

/// A process that is killed when it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn project_builds_and_starts() {
    for template in selected() {
        eprintln!("template: {template}; set {VARIABLE} to select another one");
        let folder = tempfile::tempdir().unwrap();
        let project = create(folder.path(), template);
        std::fs::copy(crates().join("../Cargo.lock"), project.join("Cargo.lock")).unwrap();
        cargo(&project, &["clippy", "--offline", "--quiet", "--all-targets", "--", "-D", "warnings"]);
        cargo(&project, &["test", "--offline", "--quiet"]);
        cargo(&project, &["build", "--offline", "--quiet"]);
        let name = format!("template-{template}");
        match template {
            "oauth" | "http" => assert_http(template, &target_folder().join("debug").join(name)),
            _ => assert_stdio(template, &project, &name),
        }
    }
}

fn assert_stdio(template: &str, project: &Path, name: &str) {
    let list = run(command(&["list", name])
        .current_dir(project)
        .env("CARGO_TARGET_DIR", target_folder())
        .env("CARGO_NET_OFFLINE", "true"));
    let expected = match template {
        "minimal" => "add(a: integer, b: integer)",
        "resources" => "recipes://recipe/{name} (recipe)",
        _ => "book_table(day: string)",
    };
    assert!(list.code == 0 && list.stdout.contains(expected), "{list:?}");
}

fn assert_http(template: &str, program: &Path) {
    let address = format!("127.0.0.1:{}", free_port());
    let url = format!("http://{address}/mcp");
    let mut command = Command::new(program);
    command.env("MCP_ADDRESS", &address).env("MCP_URL", &url).env("MCP_ISSUER", "https://login.example.com");
    let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("cannot start the server");
    let _server = Server(child);
    wait_until("the server listens", || std::net::TcpStream::connect(&address).is_ok());
    let list = mcp(&["list", &url]);
    if template == "oauth" {
        assert!(list.code == 4 && list.stderr.contains("mcp login"), "{list:?}");
        return;
    }
    assert!(list.code == 0 && list.stdout.contains("add(a: integer, b: integer)"), "{list:?}");
    let check = |address: &str| run(Command::new(program).arg("--check-health").env("MCP_ADDRESS", address));
    assert_eq!(check(&address).code, 0);
    assert_ne!(check(&format!("127.0.0.1:{}", free_port())).code, 0);
}
