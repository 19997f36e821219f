//! Integers in header values, limited to the range that JavaScript represents exactly.
//!
//! JSON can represent the same number as `1000`, `1e3` or `1000.0`. They are compared by value,
//! without conversion to floating point.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#schema-extension>.

/// The maximum magnitude of an integer in a header: 2^53 - 1.
pub(super) const MAX: u64 = (1 << 53) - 1;

/// The reason why a text is not a valid integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotInteger {
    /// Not a JSON number.
    NotNumber,
    /// The number has a fraction.
    Fraction,
    /// The number is outside ±(2^53 - 1).
    Range,
}

/// Parses a JSON number with an integral value.
pub(super) fn parse(text: &str) -> Result<i64, NotInteger> {
    let number = Number::split(text).ok_or(NotInteger::NotNumber)?;
    let digits = [number.whole, number.fraction].concat();
    let significant = digits.trim_end_matches('0');
    let zeros = digits.len() - significant.len();
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    // The value is significant × 10^power. The length of a text in memory fits an i64.
    let length = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let power = number.exponent.saturating_add(length(zeros)).saturating_sub(length(number.fraction.len()));
    let power = u64::try_from(power).map_err(|_| NotInteger::Fraction)?;
    let magnitude = magnitude(significant, power).ok_or(NotInteger::Range)?;
    Ok(if number.negative { -magnitude } else { magnitude })
}

/// Returns `significant` × 10^`power`, or `None` if the value exceeds [`MAX`].
fn magnitude(significant: &str, power: u64) -> Option<i64> {
    let scale = 10_u64.checked_pow(u32::try_from(power).ok()?)?;
    let value = significant.parse::<u64>().ok()?.checked_mul(scale)?;
    if value > MAX { None } else { i64::try_from(value).ok() }
}

/// The parts of a number in the JSON grammar.
struct Number<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl<'a> Number<'a> {
    fn split(text: &'a str) -> Option<Self> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Self::exponent(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        let valid = !whole.is_empty() && !leading_zero && is_digits(whole) && is_digits(fraction);
        valid.then_some(Self { negative, whole, fraction, exponent })
    }

    fn exponent(text: &str) -> Option<i64> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let magnitude = digits.parse().unwrap_or(i64::MAX); // an exponent that overflows is out of range anyway
        Some(if negative { -magnitude } else { magnitude })
    }
}
