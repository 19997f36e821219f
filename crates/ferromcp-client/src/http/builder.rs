//! What a client's builder says of HTTP.

use super::credentials::Credentials;
use super::options::HttpOptions;
use crate::builder::ClientBuilder;

impl ClientBuilder {
    /// How servers are reached over HTTP: headers, credentials, proxies, limits. Takes the place of what was said of
    /// them before.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), ferromcp_client::ClientError> {
    /// use ferromcp_client::{Client, http::HttpOptions};
    /// let options = HttpOptions::new().header("X-Api-Key", "KEY").no_proxy();
    /// let client = Client::builder("demo", "1.0.0").http(options).connect("https://example.com/mcp").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn http(mut self, options: HttpOptions) -> Self {
        self.connect_options.http = options;
        self
    }

    /// Adds a header to every HTTP request. Its value is kept secret; [`connect`](Self::connect) says so if it cannot
    /// be sent.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.connect_options.http = self.connect_options.http.header(name, value);
        self
    }

    /// Takes credentials for HTTP from here.
    pub fn credentials(mut self, credentials: impl Credentials) -> Self {
        self.connect_options.http = self.connect_options.http.credentials(credentials);
        self
    }
}
