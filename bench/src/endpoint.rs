//! The endpoint of the server, parsed from its arguments.

use anyhow::{Context, bail};

/// The endpoint of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// Standard input and output.
    Stdio,
    /// Streamable HTTP at `/mcp` on localhost.
    Http {
        /// The port; 0 selects a free port.
        port: u16,
        /// Whether legacy revisions are served without sessions.
        stateless: bool,
    },
}

impl Endpoint {
    /// Parses `stdio`, `http PORT` or `http-stateless PORT`.
    ///
    /// # Errors
    /// When the arguments have another form.
    pub fn parse(args: impl IntoIterator<Item = String>) -> anyhow::Result<Self> {
        const USAGE: &str = "usage: bench-server stdio | http PORT | http-stateless PORT";
        let args: Vec<String> = args.into_iter().collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (port, stateless) = match args[..] {
            ["stdio"] => return Ok(Self::Stdio),
            ["http", port] => (port, false),
            ["http-stateless", port] => (port, true),
            _ => bail!(USAGE),
        };
        Ok(Self::Http { port: port.parse().context(USAGE)?, stateless })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &str) -> Option<Endpoint> {
        Endpoint::parse(args.split_whitespace().map(str::to_owned)).ok()
    }

    #[test]
    fn parses_arguments() {
        assert_eq!(parse("stdio"), Some(Endpoint::Stdio));
        assert_eq!(parse("http 80"), Some(Endpoint::Http { port: 80, stateless: false }));
        assert_eq!(parse("http-stateless 0"), Some(Endpoint::Http { port: 0, stateless: true }));
        for wrong in ["", "http", "http 99999", "stdio 1", "tcp 80"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
