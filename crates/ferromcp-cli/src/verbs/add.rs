//! `mcp add`: saves a target under a name.

use ferromcp_core::text::excerpt;

use crate::cli::Add;
use crate::exit::Failure;
use crate::secret::{header, variable};
use crate::target::saved::{self, Saved};
use crate::target::{Source, reject_extra};
use crate::terminal::message;

/// Saves a target. It is not started or contacted.
pub(crate) fn run(args: &Add) -> Result<(), Failure> {
    let Some((name, rest)) = args.words.split_first() else {
        return Err(Failure::usage("the name is missing; write `mcp add NAME TARGET` or `mcp add NAME -- COMMAND…`"));
    };
    saved::check_name(name)?;
    let (source, extra) = match rest.split_first() {
        _ if !args.command.is_empty() => (Source::Command(&args.command), rest),
        Some((target, extra)) => (Source::Word(target), extra),
        None => return Err(Failure::usage("the target is missing; name a URL or a file, or a command after `--`")),
    };
    reject_extra(extra)?;
    // Secrets are read when the name is used, but mistakes in the notation are reported now.
    for written in &args.connection.headers {
        check_notation(&written.0, header)?;
    }
    for written in &args.connection.env {
        check_notation(&written.0, variable)?;
    }
    let mut targets = saved::load()?;
    if targets.contains_key(name) && !args.force {
        return Err(Failure::usage(format!("the name `{}` exists; replace it with `--force`", excerpt(name))));
    }
    // A saved name is copied, so that it can be removed later.
    let copied = match source {
        Source::Word(word) => targets.get(word).cloned(),
        Source::Command(_) => None,
    };
    let entry = match copied {
        Some(entry) => entry,
        None => Saved::new(source, &args.connection)?,
    };
    targets.insert(name.clone(), entry);
    saved::store(&targets)?;
    message(format_args!("saved `{name}`"));
    Ok(())
}

/// Checks a header or a variable. A secret that cannot be read now may exist when the name is used.
fn check_notation<T>(written: &str, read: fn(&str) -> Result<T, Failure>) -> Result<(), Failure> {
    let value = written.split_once([':', '=']).map_or(written, |(_, value)| value);
    if value.contains("env:") || value.contains("file:") {
        return Ok(());
    }
    read(written).map(drop)
}
