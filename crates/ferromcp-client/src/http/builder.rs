//! HTTP options of the client builder.

use super::credentials::Credentials;
use super::options::HttpOptions;
use crate::builder::ClientBuilder;

impl ClientBuilder {
    /// Sets the HTTP options: headers, credentials, proxy and limits. Replaces options set before.
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

    /// Adds a header to every HTTP request. Its value is treated as a secret. An invalid header makes
    /// [`connect`](Self::connect) fail.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.connect_options.http = self.connect_options.http.header(name, value);
        self
    }

    /// Sets the provider of credentials for HTTP requests.
    pub fn credentials(mut self, credentials: impl Credentials) -> Self {
        self.connect_options.http = self.connect_options.http.credentials(credentials);
        self
    }
}
