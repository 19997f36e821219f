//! The address and path on which a server of the conformance suite listens.

/// The address and path to listen on: `--port N` and `--path /mcp`.
#[derive(Debug, PartialEq, Eq)]
pub struct Endpoint {
    port: u16,
    path: String,
}

impl Endpoint {
    /// Reads the program arguments without the program name.
    ///
    /// # Errors
    /// When an argument is unknown or invalid.
    pub fn read(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut endpoint = Self { port: 3000, path: "/mcp".to_owned() };
        while let Some(option) = args.next() {
            let value = args.next().ok_or_else(|| format!("{option} requires a value"))?;
            match option.as_str() {
                "--port" => endpoint.port = value.parse().map_err(|_| format!("{value:?} is not a port"))?,
                "--path" => endpoint.path = value,
                _ => return Err(format!("unknown option {option}")),
            }
        }
        Ok(endpoint)
    }

    /// Returns the address to bind.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Returns the path of the MCP endpoint.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the origin of all URLs, without a trailing slash.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Returns the URL of the MCP endpoint.
    pub fn url(&self) -> String {
        format!("{}{}", self.origin(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<Endpoint, String> {
        Endpoint::read(args.iter().map(|&arg| arg.to_owned()))
    }

    #[test]
    fn reads_port_and_path() {
        assert_eq!(read(&[]).expect("defaults").url(), "http://127.0.0.1:3000/mcp");
        assert_eq!(read(&["--port", "8000", "--path", "/x"]).expect("options").url(), "http://127.0.0.1:8000/x");
    }

    #[test]
    fn rejects_unknown_and_invalid_options() {
        for args in [&["--port"][..], &["--port", "x"], &["--host", "x"]] {
            assert!(read(args).is_err(), "{args:?}");
        }
    }
}
