//! Converts a target to the server of an entry.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use ferromcp_client::config::{ServerConfig, TransportConfig};

use crate::cli::{Connection, Hidden, ServerOptions, Words};
use crate::exit::Failure;
use crate::hosts::entry::Server;
use crate::hosts::launch;
use crate::hosts::machine::Machine;
use crate::secret;
use crate::target::{self, Kind, Source};
use crate::terminal;

/// Returns the server of a target, and a name for it.
///
/// # Errors
/// Fails if the target, its program or a variable cannot be found.
pub(super) async fn resolve(
    words: &Words,
    options: &ServerOptions,
    machine: &Machine,
) -> Result<(Server, String), Failure> {
    let (source, extra) = target::split(words)?;
    target::reject_extra(extra)?;
    let connection = Connection {
        env: options.variables.clone(),
        headers: options.headers.clone(),
        python: options.python.clone(),
        ..Connection::default()
    };
    let target = target::resolve(source, &connection)?;
    let mut extra = Extra {
        variables: variables(&options.env_file, &target.connection.env)?,
        headers: headers(&target.connection.headers)?,
        packages: options.with.clone(),
    };
    let derived = name_of_word(source);
    match target.kind {
        Kind::Url(url) => {
            let name = derived.unwrap_or_else(|| launch::name_of_url(&url));
            Ok((extra.http(url, Vec::new())?, name))
        }
        Kind::Command(command) => {
            extra.add_declared(target::declared_packages(&command).await);
            let command = Parts::of(&command);
            let name = derived.unwrap_or_else(|| launch::name_of_command(&command.program, &command.args));
            Ok((extra.stdio(command, machine)?, name))
        }
        Kind::Config(config) => {
            let name = launch::sanitize(config.name());
            Ok((extra.config(&config, machine)?, name))
        }
    }
}

/// Returns the server of an entry of a configuration file.
///
/// # Errors
/// Fails if its program cannot be found.
pub(super) fn from_config(config: &ServerConfig, machine: &Machine) -> Result<Server, Failure> {
    Extra { variables: Vec::new(), headers: Vec::new(), packages: Vec::new() }.config(config, machine)
}

/// Returns the name of a target that is a word: a saved name, a Cargo target or a Python file.
fn name_of_word(source: Source<'_>) -> Option<String> {
    let Source::Word(word) = source else { return None };
    if word.contains("://") {
        return None;
    }
    let file = word.rsplit_once(".py:").map_or(word, |(file, _)| file);
    let stem = Path::new(file).file_name()?.to_string_lossy().into_owned();
    Some(launch::sanitize(stem.strip_suffix(".py").unwrap_or(&stem)))
}

/// Options that are added to a server.
struct Extra {
    variables: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    packages: Vec<String>,
}

impl Extra {
    /// Adds packages that a Python file declares. Those of `--with` replace them.
    fn add_declared(&mut self, declared: Vec<String>) {
        let names: Vec<String> = self.packages.iter().map(|package| target::package_name(package)).collect();
        let new = declared.into_iter().filter(|package| !names.contains(&target::package_name(package)));
        let new: Vec<String> = new.collect();
        if !new.is_empty() {
            terminal::message(format_args!("adding the packages of the file: {}", new.join(", ")));
        }
        self.packages.extend(new);
    }

    fn http(self, url: String, mut headers: Vec<(String, String)>) -> Result<Server, Failure> {
        if !self.variables.is_empty() || !self.packages.is_empty() {
            let message =
                "variables (`-v`, `-f`) and packages (`--with`) apply to servers that are started, not to URLs";
            return Err(Failure::usage(message).with_remedy("remove them"));
        }
        merge(&mut headers, self.headers);
        Ok(Server::Http { url, headers })
    }

    fn stdio(self, parts: Parts, machine: &Machine) -> Result<Server, Failure> {
        let Parts { program, mut args, mut env, folder } = parts;
        if !self.headers.is_empty() {
            let failure = Failure::usage("headers (`-H`) apply to URLs, not to servers that are started");
            return Err(failure.with_remedy("remove them"));
        }
        let machine = Machine { project: folder.unwrap_or_else(|| machine.project.clone()), ..machine.clone() };
        let command = launch::absolute_program(&program, &machine).map_err(Failure::usage)?;
        add_packages(&command, &mut args, &self.packages)?;
        let args = args.iter().map(|arg| launch::absolute_argument(arg, &machine)).collect();
        merge(&mut env, self.variables);
        Ok(Server::Stdio { command, args, env })
    }

    fn config(self, config: &ServerConfig, machine: &Machine) -> Result<Server, Failure> {
        match config.transport() {
            TransportConfig::Http(http) => {
                let headers =
                    http.headers().map(|(name, value)| (name.to_owned(), value.reveal().to_owned())).collect();
                self.http(http.url().to_owned(), headers)
            }
            TransportConfig::Stdio(stdio) => {
                let env = stdio.env().filter_map(|(name, value)| Some((name.to_owned(), value?.reveal().to_owned())));
                let folder = stdio.cwd().map(|cwd| machine.project.join(cwd));
                if folder.is_some() {
                    terminal::message(format_args!(
                        "warning: `{}` has a working directory, which most hosts do not support; relative paths of its \
                         arguments become absolute",
                        config.name()
                    ));
                }
                let args = stdio.args().map(str::to_owned).collect();
                let parts = Parts { program: stdio.program().to_owned(), args, env: env.collect(), folder };
                self.stdio(parts, machine)
            }
            _ => Err(Failure::usage(format!("the transport of `{}` is not supported", config.name()))),
        }
    }
}

/// Adds packages to `uv run`.
fn add_packages(command: &str, args: &mut Vec<String>, packages: &[String]) -> Result<(), Failure> {
    if packages.is_empty() {
        return Ok(());
    }
    let is_uv = Path::new(command).file_stem().is_some_and(|stem| stem == "uv");
    if !is_uv || args.first().is_none_or(|verb| verb != "run") {
        let failure = Failure::usage("cannot add packages (`--with`): the server is not started by `uv run`");
        return Err(failure.with_remedy("install uv and name a Python file, or install the packages"));
    }
    let options = packages.iter().flat_map(|package| ["--with".to_owned(), package.clone()]);
    args.splice(1..1, options);
    Ok(())
}

/// Replaces values with the same name, and appends the others.
fn merge(pairs: &mut Vec<(String, String)>, others: Vec<(String, String)>) {
    for (name, value) in others {
        match pairs.iter_mut().find(|(existing, _)| *existing == name) {
            Some(pair) => pair.1 = value,
            None => pairs.push((name, value)),
        }
    }
}

fn variables(files: &[PathBuf], written: &[Hidden]) -> Result<Vec<(String, String)>, Failure> {
    let mut found = Vec::new();
    for file in files {
        merge(&mut found, launch::read_env_file(file).map_err(Failure::usage)?);
    }
    for written in written {
        let variable = secret::variable(&written.0)?;
        merge(&mut found, vec![(variable.name, variable.value)]);
    }
    Ok(found)
}

fn headers(written: &[Hidden]) -> Result<Vec<(String, String)>, Failure> {
    written.iter().map(|written| secret::header(&written.0).map(|header| (header.name, header.value))).collect()
}

/// The parts of a command.
struct Parts {
    program: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    /// The working directory.
    folder: Option<PathBuf>,
}

impl Parts {
    fn of(command: &Command) -> Self {
        let text = |text: &OsStr| text.to_string_lossy().into_owned();
        Self {
            program: text(command.get_program()),
            args: command.get_args().map(text).collect(),
            env: command.get_envs().filter_map(|(name, value)| Some((text(name), text(value?)))).collect(),
            folder: command.get_current_dir().map(Path::to_owned),
        }
    }
}
