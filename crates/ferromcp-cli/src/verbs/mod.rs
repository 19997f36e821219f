//! The verbs of the command, one module each.

mod add;
mod bridged;
mod call;
mod complete;
mod completions;
mod dev;
mod diff;
mod discover;
mod doctor;
mod host_options;
mod inspect;
mod install;
mod install_target;
mod lint;
mod list;
mod lock;
mod login;
mod logout;
mod names;
mod new;
mod pack;
mod ping;
mod prompt;
mod read;
mod remove;
mod repl;
mod revisions;
mod run;
mod run_process;
mod snapshot;
mod status;
mod sync;
mod uninstall;
mod version;
mod watch;
mod whoami;

use std::io;

use crate::cli::Verb;
use crate::exit::Failure;

/// Runs a verb.
pub(crate) async fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::New(args) => new::run(&args),
        Verb::Pack(args) => Box::pin(pack::run(args)).await,
        Verb::Run(args) => Box::pin(run::run(args)).await,
        Verb::Dev(args) => Box::pin(dev::run(args)).await,
        Verb::List(args) => list::run(args).await,
        Verb::Call(args) => call::run(args).await,
        Verb::Read(args) => read::run(args).await,
        Verb::Prompt(args) => prompt::run(args).await,
        Verb::Complete(args) => complete::run(args).await,
        Verb::Watch(args) => watch::run(args).await,
        Verb::Discover(args) => discover::run(args).await,
        Verb::Inspect(args) => inspect::run(args).await,
        Verb::Snapshot(args) => snapshot::run(args).await,
        Verb::Diff(args) => Box::pin(diff::run(args)).await,
        Verb::Lock(args) => lock::run(args).await,
        Verb::Ping(args) => ping::run(args).await,
        Verb::Repl(args) => Box::pin(repl::run(args)).await,
        Verb::Doctor(args) => Box::pin(doctor::run(args)).await,
        Verb::Lint(args) => Box::pin(lint::run(args)).await,
        Verb::Add(args) => add::run(&args),
        Verb::Remove(args) => remove::run(&args),
        Verb::Names(args) => names::run(&args),
        Verb::Install(args) => install::run(args).await,
        Verb::Uninstall(args) => uninstall::run(&args).await,
        Verb::Status(args) => status::run(&args),
        Verb::Sync(args) => sync::run(args).await,
        Verb::Login(args) => Box::pin(login::run(args)).await, // boxed, because the future is large
        Verb::Logout(args) => logout::run(args).await,
        Verb::Whoami(args) => whoami::run(args).await,
        Verb::Completions(args) => completions::run(&args),
        Verb::Version => version::run(),
        Verb::Revisions => Ok(revisions::write(&mut io::stdout().lock())?),
    }
}
