//! Where the server is served, as its arguments say.

use anyhow::{Context, bail};

/// Where the server is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On standard input and output.
    Stdio,
    /// At `/mcp` of a port of this machine.
    Http {
        /// The port; 0 takes any that is free.
        port: u16,
        /// Whether clients of older revisions are served without sessions.
        stateless: bool,
    },
}

impl Place {
    /// Reads `stdio`, `http PORT` or `http-stateless PORT`.
    ///
    /// # Errors
    /// When the arguments are anything else.
    pub fn read(args: impl IntoIterator<Item = String>) -> anyhow::Result<Self> {
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

    fn read(args: &str) -> Option<Place> {
        Place::read(args.split_whitespace().map(str::to_owned)).ok()
    }

    #[test]
    fn places_are_read() {
        assert_eq!(read("stdio"), Some(Place::Stdio));
        assert_eq!(read("http 80"), Some(Place::Http { port: 80, stateless: false }));
        assert_eq!(read("http-stateless 0"), Some(Place::Http { port: 0, stateless: true }));
        for wrong in ["", "http", "http 99999", "stdio 1", "tcp 80"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
