//! Entries of URLs in hosts whose files have none: the host starts `mcp run`, which connects to the URL.

use crate::exit::Failure;
use crate::hosts::entry::Server;
use crate::hosts::installation::Installation;
use crate::terminal;

/// Variable with the folder of the stored logins, if it is not the default one.
const HOME: &str = "MCP_HOME";

/// Returns the entries in a form that the file of the host can contain.
///
/// # Errors
/// Fails if the path of this program is unknown.
pub(super) fn entries(
    installation: &Installation,
    entries: &[(String, Server)],
) -> Result<Vec<(String, Server)>, Failure> {
    let adapt = |(name, server): &(String, Server)| {
        let server = match server {
            Server::Http { url, headers } if !installation.supports(server) => {
                let host = &installation.host.name;
                terminal::message(format_args!(
                    "{host}: its file has no entries for URLs; it starts `mcp run`, which connects to the URL"
                ));
                bridge(url, headers)?
            }
            _ => server.clone(),
        };
        Ok((name.clone(), server))
    };
    entries.iter().map(adapt).collect()
}

/// Returns the server that serves a URL on stdio. The values of headers are variables, which other processes cannot read.
fn bridge(url: &str, headers: &[(String, String)]) -> Result<Server, Failure> {
    let program = std::env::current_exe().map_err(|error| {
        Failure::usage(format!("cannot find the path of this program: {error}; start it by its path"))
    })?;
    let mut args = vec!["run".to_owned()];
    let mut env = Vec::new();
    for (index, (name, value)) in headers.iter().enumerate() {
        let variable = format!("MCP_HEADER_{}", index + 1);
        args.extend(["-H".to_owned(), format!("{name}: env:{variable}")]);
        env.push((variable, value.clone()));
    }
    args.push(url.to_owned());
    env.extend(std::env::var(HOME).ok().map(|folder| (HOME.to_owned(), folder)));
    Ok(Server::Stdio { command: program.display().to_string(), args, env })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_values_are_variables_when_a_url_is_bridged() {
        let headers = [("Authorization".to_owned(), "Bearer s3cret".to_owned()), ("X-Team".to_owned(), "a".to_owned())];
        let Ok(Server::Stdio { command, args, env }) = bridge("https://a/mcp", &headers) else { panic!("no process") };
        assert!(std::path::Path::new(&command).is_absolute(), "{command}");
        let expected =
            ["run", "-H", "Authorization: env:MCP_HEADER_1", "-H", "X-Team: env:MCP_HEADER_2", "https://a/mcp"];
        assert_eq!(args, expected);
        assert_eq!(env[0], ("MCP_HEADER_1".to_owned(), "Bearer s3cret".to_owned()));
        assert_eq!(env[1], ("MCP_HEADER_2".to_owned(), "a".to_owned()));
    }
}
