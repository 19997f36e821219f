//! The `mcp` command. Parses the arguments and runs a verb.
//!
//! | module | content |
//! |---|---|
//! | `cli` | the command line |
//! | `exit` | exit codes and errors |
//! | `verbs` | one module for each verb |
//! | `target` | targets: URLs, commands and other ways to start a server |
//! | `bridge` | a server that forwards requests to other servers, for `mcp run` |
//! | `connect` | connects to a target, and runs a verb until it is interrupted |
//! | `credentials`, `config_folder`, `secret` | stored logins, the folder of settings, secrets on the command line |
//! | `arguments`, `definition`, `schema`, `signature`, `suggestion` | arguments of tools, and errors about them |
//! | `surface` | the definitions of a server: tools, resources, templates and prompts |
//! | `dev`, `inspector` | hot reload and the web inspector of `mcp dev` |
//! | `record` | records the messages of connections, for `mcp dev` |
//! | `diff`, `lock` | compares definitions, and records them in a lock file |
//! | `doctor` | the checks of `mcp doctor` |
//! | `lint` | the checks of `mcp lint` |
//! | `output`, `content`, `terminal_image` | results on stdout, in files and as images |
//! | `project` | projects of `mcp new`, from templates |
//! | `bundle` | bundles of `mcp pack` |
//! | `hosts` | configuration files of hosts |
//! | `terminal`, `questions`, `progress`, `logs` | messages, questions, progress and logs on stderr |

mod arguments;
mod bridge;
mod bundle;
mod cli;
mod config_folder;
mod connect;
mod content;
mod credentials;
mod definition;
mod dev;
mod diff;
mod doctor;
mod exit;
mod hosts;
mod inspector;
mod lint;
mod lock;
mod logs;
mod output;
mod progress;
mod project;
mod questions;
mod record;
mod schema;
mod secret;
mod signature;
mod suggestion;
mod surface;
mod target;
mod terminal;
mod terminal_image;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;
use exit::{Exit, Failure};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => Exit::Ok.into(),
        Err(failure) => {
            failure.report();
            failure.exit.into()
        }
    }
}

/// Runs the verb on a runtime of this thread.
fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(verbs::run(cli.verb));
    // A browser in the terminal may still run in a thread.
    runtime.shutdown_background();
    result
}
