//! The string formats of form fields.
//!
//! The checks are syntactic and lenient: they reject only text that is certainly invalid.

/// The format of a string field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// An email address.
    Email,
    /// A URI (RFC 3986).
    Uri,
    /// A calendar date, such as `2024-02-29`.
    Date,
    /// A timestamp (RFC 3339), such as `2024-02-29T12:00:00Z`.
    DateTime,
}

impl Format {
    const ALL: [Self; 4] = [Self::Email, Self::Uri, Self::Date, Self::DateTime];

    /// Returns the name of the format in a schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Uri => "uri",
            Self::Date => "date",
            Self::DateTime => "date-time",
        }
    }

    /// Returns the format with this name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Email => "an email address",
            Self::Uri => "a URI",
            Self::Date => "a date",
            Self::DateTime => "a date and time",
        }
    }

    /// Returns an example for formats whose name does not define the notation.
    pub(super) fn example(self) -> Option<&'static str> {
        match self {
            Self::Email => None,
            Self::Uri => Some("https://example.org/page"),
            Self::Date => Some("2024-02-29"),
            Self::DateTime => Some("2024-02-29T12:00:00Z"),
        }
    }

    /// Returns whether `text` has this format.
    ///
    /// ```
    /// use ferromcp_server::form::Format;
    /// assert!(Format::Date.matches("2024-02-29"));
    /// assert!(!Format::Date.matches("2025-02-29")); // not a leap year
    /// ```
    pub fn matches(self, text: &str) -> bool {
        match self {
            Self::Email => is_email(text),
            Self::Uri => is_uri(text),
            Self::Date => is_date(text),
            Self::DateTime => is_date_time(text),
        }
    }
}

/// Maximum length of an SMTP address in octets, and of its local part.
const MAX_EMAIL: usize = 254;
const MAX_LOCAL: usize = 64;
/// Maximum length of a domain label in octets.
const MAX_LABEL: usize = 63;

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let is_atom = |atom: &str| {
        let fits = |char: char| char.is_alphanumeric() || (!char.is_ascii() && !is_blank(char)) || ATEXT.contains(char);
        !atom.is_empty() && atom.chars().all(fits)
    };
    let is_label = |label: &str| {
        let fits = |char: char| char.is_alphanumeric() || char == '-' || (!char.is_ascii() && !is_blank(char));
        (1..=MAX_LABEL).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(fits)
    };
    text.len() <= MAX_EMAIL
        && local.len() <= MAX_LOCAL
        && local.split('.').all(is_atom)
        && domain.split('.').all(is_label)
}

/// The special characters that RFC 5322 allows in the local part, besides letters and digits.
const ATEXT: &str = "!#$%&'*+-/=?^_`{|}~";

fn is_blank(char: char) -> bool {
    char.is_whitespace() || char.is_control()
}

fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let web = ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
    let host = |rest: &str| {
        rest.strip_prefix("//").is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':']))
    };
    is_scheme && !rest.is_empty() && rest.matches('#').count() <= 1 && has_uri_characters(rest) && (!web || host(rest))
}

/// Returns whether all characters are valid in a URI, and two hex digits follow each `%`.
fn has_uri_characters(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
        let fits = if byte == b'%' { hex(bytes.next()) && hex(bytes.next()) } else { allowed(byte) };
        if !fits {
            return false;
        }
    }
    true
}

fn is_date(text: &str) -> bool {
    let [year, month, day] = match text.split('-').collect::<Vec<_>>().as_slice() {
        [year, month, day] => [digits(year, 4), digits(month, 2), digits(day, 2)],
        _ => return false,
    };
    let (Some(year), Some(month), Some(day)) = (year, month, day) else {
        return false;
    };
    (1..=days_in_month(year, month)).contains(&day)
}

/// Returns the number of days of a month; 0 if the month is invalid.
fn days_in_month(year: u32, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once(['T', 't']) else {
        return false;
    };
    let Some((clock, offset)) = split_offset(time) else {
        return false;
    };
    let (seconds, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let Some([hour, minute, second]) = parse_time(seconds) else {
        return false;
    };
    let Some(offset) = parse_offset(offset) else {
        return false;
    };
    let in_utc = (i64::from(hour) * 60 + i64::from(minute) - offset).rem_euclid(MINUTES_PER_DAY);
    // A leap second is the last second of a UTC day.
    let max = if in_utc == MINUTES_PER_DAY - 1 { 60 } else { 59 };
    is_date(date)
        && hour < 24
        && minute < 60
        && second <= max
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

/// Minutes per day.
const MINUTES_PER_DAY: i64 = 24 * 60;

/// Splits a time into the time of day and the UTC offset.
fn split_offset(time: &str) -> Option<(&str, &str)> {
    let at = time.find(['Z', 'z', '+', '-'])?;
    Some(time.split_at(at))
}

fn parse_time(text: &str) -> Option<[u32; 3]> {
    match text.split(':').collect::<Vec<_>>().as_slice() {
        [hour, minute, second] => Some([digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?]),
        _ => None,
    }
}

fn parse_offset(offset: &str) -> Option<i64> {
    if offset.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match offset.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, offset.strip_prefix('+')?),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours < 24 && minutes < 60).then(|| sign * (i64::from(hours) * 60 + i64::from(minutes)))
}

/// Parses a number with exactly `count` digits.
fn digits(text: &str, count: usize) -> Option<u32> {
    let plain = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
