//! `mcp remove`: removes a saved name.

use ferromcp_core::text::excerpt;

use crate::cli::Remove;
use crate::exit::Failure;
use crate::suggestion::closest;
use crate::target::saved;
use crate::terminal::message;

/// Removes a saved name. A stored login remains; `mcp logout` removes it.
pub(crate) fn run(args: &Remove) -> Result<(), Failure> {
    let mut targets = saved::load()?;
    if targets.remove(&args.name).is_none() {
        let similar = closest(&args.name, targets.keys().map(String::as_str));
        let remedy = match similar {
            Some(name) => format!("did you mean `{name}`?"),
            None => "`mcp names` lists the saved names".to_owned(),
        };
        return Err(Failure::usage(format!("no saved name `{}`; {remedy}", excerpt(&args.name))));
    }
    saved::store(&targets)?;
    message(format_args!("removed `{}`", args.name));
    Ok(())
}
