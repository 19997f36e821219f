//! Arguments of the verb that creates a project.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `mcp new`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp new [OPTIONS] NAME\n       mcp new --list")]
#[command(after_help = "\
The project is created in a new or empty folder, and is not added to Git. It depends on the
version of this command; with a checkout of the library, use --library-path.")]
pub(crate) struct New {
    /// Name of the Cargo package
    #[arg(required_unless_present = "list")]
    pub(crate) name: Option<String>,
    /// Kind of server
    #[arg(short, long, value_name = "TEMPLATE", default_value = "minimal")]
    pub(crate) template: TemplateName,
    /// Folder of the project [default: NAME]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) path: Option<PathBuf>,
    /// Use the library in this folder, which is `crates/ferromcp` of a checkout
    #[arg(long, value_name = "FOLDER")]
    pub(crate) library_path: Option<PathBuf>,
    /// List the templates
    #[arg(long, conflicts_with_all = ["name", "path", "library_path"])]
    pub(crate) list: bool,
}

/// Templates, as values of `--template`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TemplateName {
    /// One typed tool, on stdio
    Minimal,
    /// Resources, a resource template with completion, and a prompt, on stdio
    Resources,
    /// A tool that asks the user, on stdio
    Elicitation,
    /// Tools that require a login at an identity provider, over HTTP
    Oauth,
    /// A tool over Streamable HTTP, with files for a container, systemd and nginx
    Http,
}
