//! The whole numbers a header can carry: what JavaScript counts exactly.
//!
//! JSON may write the same number as `1000`, `1e3` or `1000.0`. They are compared as numbers, without
//! a detour over floating point.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#schema-extension>.

/// The greatest magnitude a mirrored integer may have: 2^53 - 1.
pub(super) const MAX: u64 = (1 << 53) - 1;

/// Why a text is not such a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotInteger {
    /// It is not a number as JSON writes them.
    NotNumber,
    /// It has a fraction.
    Fraction,
    /// It lies outside ±(2^53 - 1).
    Range,
}

/// Reads a JSON number whose value is whole.
pub(super) fn parse(text: &str) -> Result<i64, NotInteger> {
    let number = Number::split(text).ok_or(NotInteger::NotNumber)?;
    let digits = [number.whole, number.fraction].concat();
    let significant = digits.trim_end_matches('0');
    let zeros = digits.len() - significant.len();
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    // The value is significant × 10^power. Lengths of texts in memory fit an i64.
    let length = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let power = number.exponent.saturating_add(length(zeros)).saturating_sub(length(number.fraction.len()));
    let power = u64::try_from(power).map_err(|_| NotInteger::Fraction)?;
    let magnitude = magnitude(significant, power).ok_or(NotInteger::Range)?;
    Ok(if number.negative { -magnitude } else { magnitude })
}

/// `significant` × 10^`power`, where that is at most [`MAX`].
fn magnitude(significant: &str, power: u64) -> Option<i64> {
    let scale = 10_u64.checked_pow(u32::try_from(power).ok()?)?;
    let value = significant.parse::<u64>().ok()?.checked_mul(scale)?;
    if value > MAX { None } else { i64::try_from(value).ok() }
}

/// The parts of a number in JSON's grammar.
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
        let magnitude = digits.parse().unwrap_or(i64::MAX); // beyond counting is out of range either way
        Some(if negative { -magnitude } else { magnitude })
    }
}
