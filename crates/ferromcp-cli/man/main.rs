//! Writes the man pages of `mcp` to a folder: `cli-man FOLDER`. `cargo xtask man` runs it.
//!
//! The pages are generated from the command line of the program. They are not a verb of `mcp`, because the generator would
//! increase its size.

use std::path::PathBuf;

use clap::CommandFactory;

#[allow(dead_code, unreachable_pub, unused_imports, reason = "only the description of the command line is used")]
#[path = "../src"]
mod source {
    pub(crate) mod cli;
}

fn main() -> std::io::Result<()> {
    let mut args = std::env::args_os().skip(1);
    let (Some(folder), None) = (args.next(), args.next()) else {
        return Err(std::io::Error::other("usage: cli-man FOLDER"));
    };
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder)?;
    clap_mangen::generate_to(source::cli::Cli::command(), folder)
}
