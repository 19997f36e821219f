//! Exact comparison of JSON numbers, without rounding to a float.
//!
//! In JSON Schema, `5`, `5.0` and `0.5e1` are the same integer, and 2⁵³ + 1 differs from 2⁵³.

use std::cmp::Ordering;

/// A number parsed from its JSON text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal {
    integer: Option<Integer>,
    /// The nearest float; infinite if the number is out of range.
    float: f64,
}

/// An integral number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Integer {
    Known {
        negative: bool,
        size: u128,
    },
    /// Exceeds every Rust integer type.
    OutOfRange,
}

impl Decimal {
    /// Parses valid JSON; `None` if it is not a number.
    pub(super) fn parse(json: &str) -> Option<Self> {
        let text = json.trim();
        if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return None;
        }
        Some(Self { integer: parse_integer(text), float: text.parse().ok()? })
    }

    /// Returns the number as an integer, if it has no fraction.
    pub(super) fn integer(&self) -> Option<Integer> {
        self.integer
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.integer, other.integer) {
            (Some(Integer::Known { negative, size }), Some(Integer::Known { negative: other, size: bound })) => {
                Some(match (negative, other) {
                    (false, false) => size.cmp(&bound),
                    (true, true) => bound.cmp(&size),
                    (false, true) => Ordering::Greater,
                    (true, false) => Ordering::Less,
                })
            }
            _ => self.float.partial_cmp(&other.float),
        }
    }
}

impl Integer {
    /// Converts to an integer type, if the value fits.
    pub(super) fn to<T: TryFrom<i128> + TryFrom<u128>>(self) -> Option<T> {
        match self {
            Self::Known { negative: false, size } => T::try_from(size).ok(),
            Self::Known { negative: true, size } => T::try_from(0_i128.checked_sub_unsigned(size)?).ok(),
            Self::OutOfRange => None,
        }
    }
}

fn parse_integer(text: &str) -> Option<Integer> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let after = after.trim_end_matches('0');
    let digits = format!("{before}{after}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some(Integer::Known { negative: false, size: 0 });
    }
    let Ok(exponent) = exponent.parse::<i64>() else {
        return (!exponent.starts_with('-')).then_some(Integer::OutOfRange);
    };
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    let zeros = exponent.saturating_add(length(digits) - length(significant)).saturating_sub(length(after));
    let Ok(zeros) = u32::try_from(zeros) else {
        return (zeros > 0).then_some(Integer::OutOfRange);
    };
    let size = significant
        .parse()
        .ok()
        .zip(10_u128.checked_pow(zeros))
        .and_then(|(significant, ten): (u128, _)| significant.checked_mul(ten));
    Some(size.map_or(Integer::OutOfRange, |size| Integer::Known { negative, size }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Decimal, Integer};

    fn integer<T: TryFrom<i128> + TryFrom<u128>>(text: &str) -> Option<T> {
        Decimal::parse(text)?.integer()?.to()
    }

    #[test]
    fn integers_are_parsed_in_every_notation() {
        for text in ["50", "50.0", "5e1", "5E+1", "0.5e2", "500e-1", "50.000e0", " 50 "] {
            assert_eq!(integer::<u8>(text), Some(50), "{text}");
        }
        for text in ["0", "-0", "0.0", "0e99999999999999999999", "-0.000e-5"] {
            assert_eq!(integer::<i8>(text), Some(0), "{text}");
        }
        for text in ["0.5", "5e-1", "55e-1", "1e-99999999999999999999", "1.000001", "-1e-9223372036854775808"] {
            assert_eq!(Decimal::parse(text).unwrap().integer(), None, "{text}");
        }
        for text in
            ["1e39", "1e99999999999999999999", "1e9223372036854775807", "999999999999999999999999999999999999999"]
        {
            assert_eq!(Decimal::parse(text).unwrap().integer(), Some(Integer::OutOfRange), "{text}");
        }
    }

    #[test]
    fn parse_returns_none_when_json_is_not_a_number() {
        for json in ["\"5\"", "true", "null", "[5]", "{}"] {
            assert!(Decimal::parse(json).is_none(), "{json}");
        }
    }

    #[test]
    fn comparison_is_exact_when_floats_would_be_equal() {
        let number = |text| Decimal::parse(text).unwrap();
        assert!(number("9007199254740993") > number("9007199254740992"));
        assert!(number("-9007199254740993") < number("-9007199254740992"));
        assert!(number("1e999") > number("1e38"));
        assert!(number("0.1") < number("1"));
        assert!(number("-1") < number("0"));
    }

    proptest! {
        #[test]
        fn integers_round_trip(number: i128, other: u128) {
            prop_assert_eq!(integer::<i128>(&number.to_string()), Some(number));
            prop_assert_eq!(integer::<u128>(&other.to_string()), Some(other));
            prop_assert_eq!(integer::<i64>(&format!("{number}.00")), i64::try_from(number).ok());
        }

        #[test]
        fn parse_does_not_panic_on_arbitrary_text(text: String) {
            let _ = Decimal::parse(&text);
        }
    }
}
