//! Parameters of requests: the query, or a form in the body. A parameter without a value is treated as absent, and a
//! repeated one is an error (RFC 6749, section 3.1).

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use url::form_urlencoded;

use super::error::OAuthError;

/// Maximum number of parameters of a request.
const MAX_PARAMETERS: usize = 64;
/// Maximum length of the `state` and of other parameters of an authorization request that are stored, in bytes.
const MAX_STORED_BYTES: usize = 8 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";

/// The parameters of a request. It has no `Debug`, because it can contain secrets.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Parses a query or a form.
    ///
    /// # Errors
    /// `invalid_request` if there are too many parameters.
    pub(super) fn parse(encoded: &[u8]) -> Result<Self, OAuthError> {
        let mut parameters = Vec::new();
        for (name, value) in form_urlencoded::parse(encoded) {
            if parameters.len() == MAX_PARAMETERS {
                return Err(OAuthError::invalid_request(format!("more than {MAX_PARAMETERS} parameters")));
            }
            if !value.is_empty() {
                parameters.push((name.into_owned(), value.into_owned()));
            }
        }
        Ok(Self(parameters))
    }

    /// Parses the form in a body.
    ///
    /// # Errors
    /// `invalid_request` if the body is not a form.
    pub(super) fn of_form(headers: &HeaderMap, body: &Bytes) -> Result<Self, OAuthError> {
        if !has_media_type(headers, FORM) {
            return Err(OAuthError::invalid_request(format!("the content type is not supported; use {FORM}")));
        }
        Self::parse(body)
    }

    /// Returns a parameter.
    ///
    /// # Errors
    /// `invalid_request` if it is repeated; `invalid_target` for `resource`, which may be repeated (RFC 8707), but only
    /// one resource is supported.
    pub(super) fn get(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        let mut values = self.0.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_none() {
            return Ok(first);
        }
        Err(match name {
            "resource" => OAuthError::invalid_target("only one `resource` is supported"),
            _ => OAuthError::invalid_request(format!("the parameter `{name}` is repeated")),
        })
    }

    /// Returns a parameter.
    ///
    /// # Errors
    /// `invalid_request` if it is missing or repeated.
    pub(super) fn required(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name)?.ok_or_else(|| OAuthError::invalid_request(format!("the parameter `{name}` is missing")))
    }

    /// Fails if a parameter is repeated.
    pub(super) fn check_repetition(&self) -> Result<(), OAuthError> {
        for (i, (name, _)) in self.0.iter().enumerate() {
            if self.0.iter().skip(i + 1).any(|(other, _)| other == name) {
                self.get(name)?;
            }
        }
        Ok(())
    }

    /// Fails if a parameter is too long to be stored with the authorization.
    pub(super) fn check_lengths(&self) -> Result<(), OAuthError> {
        match self.0.iter().find(|(_, value)| value.len() > MAX_STORED_BYTES) {
            Some(_) => Err(OAuthError::invalid_request(format!("a parameter exceeds {MAX_STORED_BYTES} bytes"))),
            None => Ok(()),
        }
    }
}

/// Returns whether the body has a media type, with any parameters.
pub(super) fn has_media_type(headers: &HeaderMap, expected: &str) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(expected))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Parameters {
        Parameters::parse(text.as_bytes()).ok().unwrap()
    }

    #[test]
    fn trap_duplicated_parameters() {
        let parameters = parse("a=1&b=2&a=3&resource=x&resource=y&c=&c=4");
        assert_eq!(parameters.get("a").unwrap_err().code(), "invalid_request");
        assert_eq!(parameters.get("resource").unwrap_err().code(), "invalid_target");
        assert_eq!(parameters.get("b").unwrap(), Some("2"));
        // An empty value is an absent one.
        assert_eq!(parameters.get("c").unwrap(), Some("4"));
        assert!(parameters.check_repetition().is_err());
        assert!(parse("a=1&b=1").check_repetition().is_ok());
    }

    #[test]
    fn missing_parameters_are_named() {
        assert!(parse("a=").required("a").unwrap_err().description().contains("`a`"));
        assert_eq!(parse("a=b%20c+d").required("a").unwrap(), "b c d");
    }

    #[test]
    fn number_and_length_are_bounded() {
        let many: Vec<String> = (0..=MAX_PARAMETERS).map(|i| format!("p{i}=1")).collect();
        assert!(Parameters::parse(many.join("&").as_bytes()).is_err());
        assert!(parse(&format!("state={}", "x".repeat(MAX_STORED_BYTES))).check_lengths().is_ok());
        assert!(parse(&format!("state={}", "x".repeat(MAX_STORED_BYTES + 1))).check_lengths().is_err());
    }

    #[test]
    fn forms_have_the_media_type_of_forms() {
        let headers = |value| HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]);
        let body = Bytes::from_static(b"a=1");
        assert!(Parameters::of_form(&headers("Application/x-www-form-urlencoded; charset=UTF-8"), &body).is_ok());
        for other in ["application/json", "text/plain", ""] {
            assert!(Parameters::of_form(&headers(other), &body).is_err(), "{other}");
        }
        assert!(Parameters::of_form(&HeaderMap::new(), &body).is_err());
    }

    proptest! {
        #[test]
        fn forms_round_trip_when_names_are_unique(
            fields in prop::collection::btree_map("\\PC{1,8}", "\\PC{0,12}", 0..12),
        ) {
            let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
            let parameters = Parameters::parse(encoded.as_bytes()).ok().unwrap();
            prop_assert!(parameters.check_repetition().is_ok());
            for (name, value) in &fields {
                prop_assert_eq!(parameters.get(name).unwrap(), Some(value.as_str()).filter(|value| !value.is_empty()));
            }
        }

        #[test]
        fn arbitrary_bytes_are_parsed_within_the_limits(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(parameters) = Parameters::parse(&bytes) {
                prop_assert!(parameters.0.len() <= MAX_PARAMETERS);
                prop_assert!(parameters.0.iter().all(|(_, value)| !value.is_empty()));
                let is_repeated = |name: &str| parameters.0.iter().filter(|(other, _)| other == name).count() > 1;
                let has_repetition = parameters.0.iter().any(|(name, _)| is_repeated(name));
                prop_assert_eq!(parameters.check_repetition().is_err(), has_repetition);
            }
        }
    }
}
