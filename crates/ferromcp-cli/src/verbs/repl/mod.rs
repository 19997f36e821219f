//! `mcp repl`: runs several commands on one connection.

mod changes;
mod input;
mod words;

use clap::{CommandFactory, Parser};
use ferromcp_client::Client;
use ferromcp_core::text::excerpt;

use super::{call, complete, discover, list, ping, prompt, read, watch};
use crate::cli::{Command, Line, Repl};
use crate::connect::{until_interrupted, with_session};
use crate::exit::{Exit, Failure};
use crate::lock::Guard;
use crate::suggestion::closest;
use crate::target::{Source, reject_extra, split};
use crate::terminal::{clear_bar, message};
use changes::Changes;
use input::{Input, Lines};

/// Connects, and runs the lines of stdin.
///
/// # Errors
/// Fails if the target cannot be found or reached. In a script, also with the exit code of the first line that failed.
pub(crate) async fn run(args: Repl) -> Result<(), Failure> {
    let (source, extra) = split(&args.words)?;
    reject_extra(extra)?;
    let guard = call::guard(None, source)?;
    with_session(source, &args.connection, async |client| {
        let changes = until_interrupted(async { Ok(Changes::subscribe(client).await) }).await?;
        let guard = guard.as_ref();
        let mut session = Session { client, source, guard, lines: Lines::stdin(), changes, exit: Exit::Ok };
        if session.lines.is_terminal() {
            greet(client);
        }
        session.run().await
    })
    .await
}

fn greet(client: &Client) {
    let info = client.server_info();
    let name =
        info.map_or("the server".to_owned(), |info| format!("{} {}", excerpt(&info.name), excerpt(&info.version)));
    message(format_args!(
        "connected to {name} ({}); `help` lists the commands, Ctrl-D ends the session",
        client.revision()
    ));
}

/// Whether a session continues after a line.
enum Next {
    Line,
    End,
}

struct Session<'a> {
    client: &'a Client,
    source: Source<'a>,
    /// Rejects tools that differ from the lock file of the current folder.
    guard: Option<&'a Guard>,
    lines: Lines,
    changes: Changes,
    /// The exit code of the first line of a script that failed.
    exit: Exit,
}

impl Session<'_> {
    /// Runs lines until the end of the input.
    async fn run(&mut self) -> Result<(), Failure> {
        loop {
            self.changes.announce().await;
            let line = match self.lines.next().await? {
                Input::Line(line) => line,
                Input::End => break,
                Input::Interrupted if self.lines.is_terminal() => {
                    message("\n(`exit` or Ctrl-D ends the session)");
                    continue;
                }
                Input::Interrupted => return Err(Failure::silent(Exit::Interrupted)),
            };
            self.changes.announce().await;
            let result = self.execute(&line).await;
            drop(clear_bar());
            match result {
                Ok(Next::Line) => {}
                Ok(Next::End) => break,
                Err(failure) => self.report(failure)?,
            }
        }
        if self.exit == Exit::Ok { Ok(()) } else { Err(Failure::silent(self.exit)) }
    }

    /// Prints the error of a line.
    ///
    /// # Errors
    /// Returns errors that end the session: stdout is closed, or Ctrl-C in a script.
    fn report(&mut self, failure: Failure) -> Result<(), Failure> {
        let is_script = !self.lines.is_terminal();
        if failure.exit == Exit::Ok || (is_script && failure.exit == Exit::Interrupted) {
            return Err(failure);
        }
        if is_script && self.exit == Exit::Ok {
            self.exit = failure.exit;
        }
        let failure = match self.source {
            Source::Word(word) if failure.exit == Exit::Login => {
                failure.with_remedy(format_args!("run `mcp login {}`", excerpt(word)))
            }
            _ if failure.exit == Exit::Interrupted => {
                message("\ninterrupted");
                return Ok(());
            }
            _ => failure,
        };
        failure.report();
        Ok(())
    }

    /// Runs one line.
    async fn execute(&mut self, line: &str) -> Result<Next, Failure> {
        let words = words::split(line).map_err(|open| {
            let cause =
                if open == '\\' { "it ends with a backslash".to_owned() } else { format!("{open} is not closed") };
            Failure::usage(format!("cannot read the line: {cause}"))
        })?;
        let Some(first) = words.first() else { return Ok(Next::Line) };
        check_name(first)?;
        let command = match Line::try_parse_from(&words) {
            Ok(line) => line.command,
            // Help goes to stdout, errors to stderr.
            Err(error) => {
                let is_error = error.use_stderr();
                error.print()?;
                return if is_error { Err(Failure::silent(Exit::Usage)) } else { Ok(Next::Line) };
            }
        };
        if matches!(command, Command::Exit) {
            return Ok(Next::End);
        }
        let is_watch = matches!(command, Command::Watch(_));
        let result = until_interrupted(send(self.client, &command, self.guard)).await;
        if is_watch {
            // The command printed them.
            self.changes.take().await;
        }
        result.map(|()| Next::Line)
    }
}

/// Runs a command on the connection.
async fn send(client: &Client, command: &Command, guard: Option<&Guard>) -> Result<(), Failure> {
    match command {
        Command::List(line) => list::Request::new(&line.options, &line.words)?.send(client).await,
        Command::Call(line) => call::Request::new(&line.options, &line.words)?.locked(guard).send(client).await,
        Command::Read(line) => read::Request::new(&line.options, &line.words)?.send(client).await,
        Command::Prompt(line) => prompt::Request::new(&line.options, &line.words)?.send(client).await,
        Command::Complete(line) => complete::Request::new(&line.options, &line.words)?.send(client).await,
        Command::Watch(line) => watch::watch(client, &line.words, line.options.json).await,
        Command::Discover(line) => {
            reject_extra(&line.words)?;
            discover::print(client, line.options.json)
        }
        Command::Ping => ping::ping(client).await,
        Command::Exit => Ok(()),
    }
}

/// Fails if a word is not the name of a command.
fn check_name(name: &str) -> Result<(), Failure> {
    let line = Line::command();
    let names =
        line.get_subcommands().flat_map(|command| std::iter::once(command.get_name()).chain(command.get_all_aliases()));
    let names: Vec<&str> = names.chain(["help"]).collect();
    if names.contains(&name) {
        return Ok(());
    }
    let remedy = match closest(name, names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`help` lists the commands".to_owned(),
    };
    Err(Failure::usage(format!("unknown command `{}`; {remedy}", excerpt(name))))
}
