//! A number as JSON writes it, without the losses of a float.
//!
//! `5`, `5.0` and `0.5e1` are the same whole number to JSON Schema, and 2⁵³ + 1 is another than 2⁵³.

use std::cmp::Ordering;

/// A number, told from its text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal {
    whole: Option<Whole>,
    /// Nearest to the number; infinite if the number is out of reach.
    float: f64,
}

/// A number without a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    Known {
        negative: bool,
        size: u128,
    },
    /// Greater than any integer of Rust.
    Huge,
}

impl Decimal {
    /// Reads a JSON value that is known to be valid; `None` if it is no number.
    pub(super) fn parse(json: &str) -> Option<Self> {
        let text = json.trim();
        if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return None;
        }
        Some(Self { whole: whole(text), float: text.parse().ok()? })
    }

    /// The number, if it has no fraction.
    pub(super) fn whole(&self) -> Option<Whole> {
        self.whole
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.whole, other.whole) {
            (Some(Whole::Known { negative, size }), Some(Whole::Known { negative: other, size: bound })) => {
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

impl Whole {
    /// The number as an integer, if it fits.
    pub(super) fn to<T: TryFrom<i128> + TryFrom<u128>>(self) -> Option<T> {
        match self {
            Self::Known { negative: false, size } => T::try_from(size).ok(),
            Self::Known { negative: true, size } => T::try_from(0_i128.checked_sub_unsigned(size)?).ok(),
            Self::Huge => None,
        }
    }
}

fn whole(text: &str) -> Option<Whole> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let after = after.trim_end_matches('0');
    let digits = format!("{before}{after}");
    let digits = digits.trim_start_matches('0');
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() {
        return Some(Whole::Known { negative: false, size: 0 });
    }
    let Ok(exponent) = exponent.parse::<i64>() else {
        return (!exponent.starts_with('-')).then_some(Whole::Huge);
    };
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    let zeros = exponent.saturating_add(length(digits) - length(kept)).saturating_sub(length(after));
    let Ok(zeros) = u32::try_from(zeros) else {
        return (zeros > 0).then_some(Whole::Huge);
    };
    let size =
        kept.parse().ok().zip(10_u128.checked_pow(zeros)).and_then(|(kept, ten): (u128, _)| kept.checked_mul(ten));
    Some(size.map_or(Whole::Huge, |size| Whole::Known { negative, size }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Decimal, Whole};

    fn whole<T: TryFrom<i128> + TryFrom<u128>>(text: &str) -> Option<T> {
        Decimal::parse(text)?.whole()?.to()
    }

    #[test]
    fn whole_numbers_are_told_however_they_are_written() {
        for text in ["50", "50.0", "5e1", "5E+1", "0.5e2", "500e-1", "50.000e0", " 50 "] {
            assert_eq!(whole::<u8>(text), Some(50), "{text}");
        }
        for text in ["0", "-0", "0.0", "0e99999999999999999999", "-0.000e-5"] {
            assert_eq!(whole::<i8>(text), Some(0), "{text}");
        }
        for text in ["0.5", "5e-1", "55e-1", "1e-99999999999999999999", "1.000001", "-1e-9223372036854775808"] {
            assert_eq!(Decimal::parse(text).unwrap().whole(), None, "{text}");
        }
        for text in
            ["1e39", "1e99999999999999999999", "1e9223372036854775807", "999999999999999999999999999999999999999"]
        {
            assert_eq!(Decimal::parse(text).unwrap().whole(), Some(Whole::Huge), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for json in ["\"5\"", "true", "null", "[5]", "{}"] {
            assert!(Decimal::parse(json).is_none(), "{json}");
        }
    }

    #[test]
    fn numbers_that_floats_confuse_are_told_apart() {
        let number = |text| Decimal::parse(text).unwrap();
        assert!(number("9007199254740993") > number("9007199254740992"));
        assert!(number("-9007199254740993") < number("-9007199254740992"));
        assert!(number("1e999") > number("1e38"));
        assert!(number("0.1") < number("1"));
        assert!(number("-1") < number("0"));
    }

    proptest! {
        #[test]
        fn integers_survive(number: i128, other: u128) {
            prop_assert_eq!(whole::<i128>(&number.to_string()), Some(number));
            prop_assert_eq!(whole::<u128>(&other.to_string()), Some(other));
            prop_assert_eq!(whole::<i64>(&format!("{number}.00")), i64::try_from(number).ok());
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = Decimal::parse(&text);
        }
    }
}
