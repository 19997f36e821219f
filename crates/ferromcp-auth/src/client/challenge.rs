//! Parses `WWW-Authenticate` headers: several headers, several challenges in one header, quoted values.
//!
//! Spec: RFC 9110, section 11.6.1. A malformed rest of a header is ignored; the challenges before it are returned.

use std::fmt;

use http::HeaderValue;

/// Maximum number of challenges of a response.
const MAX_CHALLENGES: usize = 16;
/// Maximum number of parameters of a challenge.
const MAX_PARAMETERS: usize = 32;
/// Maximum length of a header, in bytes. Longer headers are ignored.
const MAX_HEADER: usize = 16 * 1024;

/// A challenge, such as `Bearer scope="files:read"`. `Debug` omits the values, such as nonces.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct AuthChallenge {
    /// In lower case.
    pub(super) scheme: String,
    /// Names in lower case, and values.
    pub(super) parameters: Vec<(String, String)>,
}

impl AuthChallenge {
    pub(crate) fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// Returns the value of a parameter. Of a duplicate parameter, the first value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for AuthChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.parameters.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("AuthChallenge")
            .field("scheme", &self.scheme)
            .field("parameters", &names)
            .finish_non_exhaustive()
    }
}

/// Parses the challenges of a response.
pub(crate) fn parse<'a>(headers: impl Iterator<Item = &'a HeaderValue>) -> Vec<AuthChallenge> {
    let mut challenges = Vec::new();
    for header in headers {
        if header.len() <= MAX_HEADER {
            // Descriptions may contain characters that are not ASCII.
            let text = String::from_utf8_lossy(header.as_bytes());
            Parser { rest: &text }.challenges(&mut challenges);
        }
    }
    challenges.truncate(MAX_CHALLENGES);
    challenges
}

/// Returns the challenge of OAuth, of which a gateway may have added a second one without parameters.
pub(crate) fn bearer(challenges: &[AuthChallenge]) -> Option<&AuthChallenge> {
    let of = |scheme| {
        let all = || challenges.iter().filter(move |challenge| challenge.is(scheme));
        let with = |name| all().find(|challenge| challenge.get(name).is_some());
        with("resource_metadata").or_else(|| with("error")).or_else(|| with("scope")).or_else(|| all().next())
    };
    of("DPoP").filter(|challenge| challenge.get("error") == Some("use_dpop_nonce")).or(of("Bearer")).or(of("DPoP"))
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn challenges(&mut self, challenges: &mut Vec<AuthChallenge>) {
        loop {
            self.skip(|c| c == ',' || is_space(c));
            let Some(word) = self.token() else { return };
            self.skip(is_space);
            // `name=value` continues the challenge before it; another word starts a challenge.
            if let Some(value) = self.value() {
                let challenge = challenges.last_mut().filter(|challenge| challenge.parameters.len() < MAX_PARAMETERS);
                if let Some(challenge) = challenge {
                    challenge.parameters.push((word.to_ascii_lowercase(), value));
                }
            } else if challenges.len() < MAX_CHALLENGES {
                challenges.push(AuthChallenge { scheme: word.to_ascii_lowercase(), parameters: Vec::new() });
                self.skip_token68();
            } else {
                return;
            }
        }
    }

    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        self.rest = self.rest.trim_start_matches(skipped);
    }

    fn token(&mut self) -> Option<&'a str> {
        let end = self.rest.find(|c: char| !is_token_char(c)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!token.is_empty()).then_some(token)
    }

    /// Parses `= value`, where the value is a token or quoted.
    fn value(&mut self) -> Option<String> {
        let rest = self.rest.strip_prefix('=')?;
        self.rest = rest.trim_start_matches(is_space);
        if self.rest.starts_with('"') {
            return Some(self.quoted());
        }
        // Servers send URLs and scopes without quotes, which are not tokens.
        let end = self.rest.find(|c| c == ',' || is_space(c)).unwrap_or(self.rest.len());
        let (value, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(value.to_owned())
    }

    /// Parses a quoted value. A missing end quote is tolerated.
    fn quoted(&mut self) -> String {
        let mut value = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((i, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[i + 1..];
                    return value;
                }
                '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
                _ => value.push(c),
            }
        }
        self.rest = "";
        value
    }

    /// Skips the token of schemes such as `Negotiate`, which ends with `=` or at a comma.
    fn skip_token68(&mut self) {
        let end = self.rest.find(|c: char| c == ',' || is_space(c)).unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        if word.trim_end_matches('=').chars().all(|c| c != '=' && c != '"') && !self.is_parameter(end) {
            self.rest = &self.rest[end..];
        }
    }

    /// Returns whether the word that ends here is the name of a parameter.
    fn is_parameter(&self, end: usize) -> bool {
        let after = self.rest[end..].trim_start_matches(is_space);
        after.starts_with('=') || self.rest[..end].trim_end_matches('=').len() + 1 == end && after.starts_with('"')
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse_all(headers: &[&'static str]) -> Vec<AuthChallenge> {
        let headers: Vec<HeaderValue> = headers.iter().map(|header| HeaderValue::from_static(header)).collect();
        parse(headers.iter())
    }

    #[test]
    fn parses_several_challenges_in_one_header() {
        // A-016
        let challenges = parse_all(&[concat!(
            r#"Basic realm="a, b", bearer ERROR = "invalid_token", scope="a b",resource_metadata="#,
            r#""https://h/.well-known/x?a=1,2""#,
        )]);
        assert_eq!(challenges.len(), 2);
        assert_eq!(challenges[0].get("realm"), Some("a, b"));
        assert!(challenges[1].is("Bearer"));
        assert_eq!(challenges[1].get("error"), Some("invalid_token"));
        assert_eq!(challenges[1].get("scope"), Some("a b"));
        assert_eq!(challenges[1].get("resource_metadata"), Some("https://h/.well-known/x?a=1,2"));
    }

    #[test]
    fn parses_unquoted_escaped_and_unterminated_values() {
        let challenges = parse_all(&["Bearer resource_metadata=https://h:1/x, error=invalid_token"]);
        assert_eq!(challenges[0].get("resource_metadata"), Some("https://h:1/x"));
        assert_eq!(challenges[0].get("error"), Some("invalid_token"));
        let challenges = parse_all(&[r#"Bearer scope="a \"b\"", x="unterminated"#]);
        assert_eq!(challenges[0].get("scope"), Some(r#"a "b""#));
        assert_eq!(challenges[0].get("x"), Some("unterminated"));
    }

    #[test]
    fn parses_several_headers_and_token68() {
        let challenges = parse_all(&["Negotiate YWJj==", "Bearer", "Digest realm=x"]);
        let schemes: Vec<_> = challenges.iter().map(|challenge| challenge.scheme.as_str()).collect();
        assert_eq!(schemes, ["negotiate", "bearer", "digest"]);
        assert_eq!(challenges[2].get("realm"), Some("x"));
        assert_eq!(format!("{:?}", challenges[2]), r#"AuthChallenge { scheme: "digest", parameters: ["realm"], .. }"#);
        let challenges = parse_all(&["Negotiate YWJj, Bearer scope=x"]);
        assert_eq!(challenges[1].get("scope"), Some("x"));
    }

    #[test]
    fn parses_values_with_characters_that_are_not_ascii() {
        let header = "Bearer error_description=\"ung\u{fc}ltig\", resource_metadata=\"https://h/x\"";
        let headers = [
            HeaderValue::from_bytes(header.as_bytes()).unwrap(),
            HeaderValue::from_bytes(b"Basic x=\"\xff\"").unwrap(),
        ];
        let challenges = parse(headers.iter());
        assert_eq!(challenges[0].get("resource_metadata"), Some("https://h/x"));
        assert!(challenges[1].is("Basic"));
    }

    #[test]
    fn challenge_with_the_metadata_is_chosen() {
        let chosen = |headers: &[&'static str]| bearer(&parse_all(headers)).map(|it| format!("{:?}", it.parameters));
        let expected = chosen(&["Bearer resource_metadata=x"]);
        assert!(expected.is_some());
        for headers in [
            &["Bearer", "Bearer resource_metadata=x"][..],
            &["Bearer realm=\"api\", Bearer resource_metadata=x, Basic realm=y"],
            &["DPoP algs=\"ES256\", Bearer error=z, Bearer resource_metadata=x"],
            &["Basic realm=y, DPoP resource_metadata=x"],
        ] {
            assert_eq!(chosen(headers), expected, "{headers:?}");
        }
        assert_eq!(chosen(&["Basic realm=y"]), None);
        assert_eq!(chosen(&["Bearer scope=a", "Bearer error=b"]), chosen(&["Bearer error=b"]));
    }

    #[test]
    fn ignores_malformed_and_excessive_input() {
        for header in ["", ",,", "=x", "\"", "Bearer \"x", "@", "Bearer =", "Bearer x=\"\\"] {
            let _ = parse_all(&[header]);
        }
        let many = "Bearer a=b, ".repeat(1000);
        let header = HeaderValue::from_str(&many).unwrap();
        assert!(parse([&header].into_iter()).len() <= MAX_CHALLENGES);
    }

    /// Texts that a header can contain: visible ASCII, spaces and tabs.
    const VALUE: &str = "[\t -~]{0,20}";

    /// A challenge with unique names of parameters, and whether each value is quoted. A value without quotes is a token.
    fn challenge() -> impl Strategy<Value = (AuthChallenge, Vec<bool>)> {
        let parameter = (any::<bool>(), "[a-z][a-z0-9_-]{0,7}", VALUE, "[A-Za-z0-9!#$%&'*+.^_`|~:/-]{1,12}");
        ("[a-z][a-z0-9+.-]{0,7}", prop::collection::vec(parameter, 0..6)).prop_map(|(scheme, parameters)| {
            let quoted = parameters.iter().map(|(is_quoted, ..)| *is_quoted).collect();
            let value = |is_quoted, quoted, token| if is_quoted { quoted } else { token };
            let parameters = parameters
                .into_iter()
                .map(|(is_quoted, name, quoted, token)| (name, value(is_quoted, quoted, token)))
                .collect();
            (AuthChallenge { scheme, parameters }, quoted)
        })
    }

    /// Writes a challenge. Spaces are added where `spaces` allows them.
    fn written((challenge, quoted): &(AuthChallenge, Vec<bool>), spaces: &str) -> String {
        let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"");
        let parameters: Vec<String> = challenge
            .parameters
            .iter()
            .zip(quoted)
            .map(|((name, value), is_quoted)| match is_quoted {
                true => format!("{}{spaces}={spaces}\"{}\"", name.to_ascii_uppercase(), escaped(value)),
                false => format!("{name}={value}"),
            })
            .collect();
        format!("{} {spaces}{}", challenge.scheme.to_ascii_uppercase(), parameters.join(&format!("{spaces},{spaces}")))
    }

    proptest! {
        // A-016
        #[test]
        fn challenges_round_trip_when_they_are_written_in_one_or_several_headers(
            challenges in prop::collection::vec(challenge(), 0..5),
            spaces in "[ \t]{0,2}",
            separator in "[ ,]{0,2},[ ,]{0,2}",
        ) {
            let texts: Vec<String> = challenges.iter().map(|challenge| written(challenge, &spaces)).collect();
            let expected: Vec<AuthChallenge> = challenges.iter().map(|(challenge, _)| challenge.clone()).collect();
            let parse_texts = |texts: &[String]| {
                let headers: Vec<_> = texts.iter().map(|text| HeaderValue::from_str(text).unwrap()).collect();
                parse(headers.iter())
            };
            prop_assert_eq!(&parse_texts(&texts), &expected);
            let joined = texts.join(&separator);
            prop_assert_eq!(&parse_texts(&[joined]), &expected);
        }

        #[test]
        fn arbitrary_headers_are_parsed_within_the_limits(texts in prop::collection::vec("[ -~]{0,80}", 0..4)) {
            let headers: Vec<_> = texts.iter().map(|text| HeaderValue::from_str(text).unwrap()).collect();
            let challenges = parse(headers.iter());
            prop_assert!(challenges.len() <= MAX_CHALLENGES);
            prop_assert!(challenges.iter().all(|challenge| challenge.parameters.len() <= MAX_PARAMETERS));
        }
    }
}
