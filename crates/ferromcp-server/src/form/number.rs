//! Number fields.

use ferromcp_core::RawJson;
use ferromcp_core::model::{FieldType, PrimitiveSchema};
use serde_json::Number;

use super::decimal::Decimal;
use super::field_type::FormField;

/// A number field, whose value can be limited to a range.
#[diagnostic::on_unimplemented(
    message = "`range` requires a number, and `{Self}` is not one",
    label = "not a number",
    note = "use `length(…)` for a string and `items(…)` for a list of choices"
)]
pub trait NumberField: FormField {
    /// The number type, without `Option`.
    type Number: Clone;

    /// Converts a limit to JSON; `None` if JSON cannot represent it.
    #[doc(hidden)]
    fn limit(number: &Self::Number) -> Option<Number>;

    /// Returns the next smaller number. Form schemas have no exclusive limits.
    #[doc(hidden)]
    fn largest_below(number: &Self::Number) -> Self::Number;

    /// Returns the next larger number.
    #[doc(hidden)]
    fn smallest_above(number: &Self::Number) -> Self::Number;
}

impl<T: NumberField> NumberField for Option<T> {
    type Number = T::Number;

    fn limit(number: &T::Number) -> Option<Number> {
        T::limit(number)
    }

    fn largest_below(number: &T::Number) -> T::Number {
        T::largest_below(number)
    }

    fn smallest_above(number: &T::Number) -> T::Number {
        T::smallest_above(number)
    }
}

macro_rules! integers {
    ($($int:ident)*) => {$(
        impl FormField for $int {
            fn field() -> PrimitiveSchema {
                PrimitiveSchema::new(FieldType::Integer)
            }

            fn from_answer(answer: &RawJson) -> Result<Self, String> {
                let number = Decimal::parse(answer.as_str());
                number
                    .and_then(|number| number.integer()?.to())
                    .ok_or_else(|| format!("a whole number from {} to {}", <$int>::MIN, <$int>::MAX))
            }

            fn to_answer(&self) -> RawJson {
                RawJson::new(self).unwrap_or_else(|_| RawJson::null()) // integers always serialize
            }
        }

        impl NumberField for $int {
            type Number = $int;

            fn limit(number: &$int) -> Option<Number> {
                number.to_string().parse().ok()
            }

            fn largest_below(number: &$int) -> $int {
                number.saturating_sub(1)
            }

            fn smallest_above(number: &$int) -> $int {
                number.saturating_add(1)
            }
        }
    )*};
}

integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

macro_rules! floats {
    ($($float:ident)*) => {$(
        impl FormField for $float {
            fn field() -> PrimitiveSchema {
                PrimitiveSchema::new(FieldType::Number)
            }

            fn from_answer(answer: &RawJson) -> Result<Self, String> {
                // Parsed from the text, because an `f32` parsed as `f64` first would be rounded twice.
                let number = Decimal::parse(answer.as_str()).and_then(|_| answer.as_str().trim().parse::<$float>().ok());
                number
                    .filter(|number| number.is_finite())
                    .ok_or_else(|| format!("a number from {:e} to {:e}", <$float>::MIN, <$float>::MAX))
            }

            fn to_answer(&self) -> RawJson {
                RawJson::new(self).unwrap_or_else(|_| RawJson::null()) // NaN and infinities serialize as `null`
            }
        }

        impl NumberField for $float {
            type Number = $float;

            // Converted by its text, so that an `f32` 0.1 is sent as 0.1.
            fn limit(number: &$float) -> Option<Number> {
                Number::from_f64(number.to_string().parse().ok()?)
            }

            fn largest_below(number: &$float) -> $float {
                -Self::smallest_above(&-number)
            }

            fn smallest_above(number: &$float) -> $float {
                let bits = number.to_bits();
                match *number {
                    zero if zero == 0.0 => <$float>::from_bits(1),
                    positive if positive > 0.0 && positive.is_finite() => <$float>::from_bits(bits + 1),
                    negative if negative < 0.0 => <$float>::from_bits(bits - 1),
                    other => other,
                }
            }
        }
    )*};
}

floats!(f32 f64);

#[cfg(test)]
mod tests {
    use ferromcp_core::{RawMap, model::FormSchema};

    use super::NumberField;
    use crate::form::{Field, check};

    /// Returns whether a field with these limits accepts a number.
    fn accepts<T: NumberField>(field: &Field<T>, number: &str) -> bool {
        let mut schema = FormSchema::new(Vec::new());
        field.add_to(&mut schema);
        let content: RawMap = serde_json::from_str(&format!(r#"{{"n":{number}}}"#)).unwrap();
        check(&schema, &content).is_ok()
    }

    #[test]
    fn exclusive_limit_becomes_the_next_number_inside_the_range() {
        let field = Field::<Option<i8>>::new("n").range(-3..3);
        assert!(accepts(&field, "-3") && accepts(&field, "2") && !accepts(&field, "3") && !accepts(&field, "-4"));
        for (min, below, above) in [(0.0, "-1e-9", "1e-9"), (1.5, "1.4", "1.6"), (-1.5, "-1.6", "-1.4")] {
            let field = Field::<f64>::new("n").range(..min);
            assert!(
                accepts(&field, below) && !accepts(&field, above) && !accepts(&field, &format!("{min:?}")),
                "{min}"
            );
        }
        let single = Field::<f32>::new("n").range(0.1..0.3);
        assert!(accepts(&single, "0.1") && accepts(&single, "0.2999") && !accepts(&single, "0.3"));
    }

    #[test]
    fn limit_is_omitted_when_json_cannot_represent_it() {
        assert!(accepts(&Field::<f64>::new("n").range(f64::NEG_INFINITY..=f64::INFINITY), "1e308"));
        assert_eq!(f64::limit(&f64::NAN), None);
        assert_eq!(f32::limit(&0.1), serde_json::Number::from_f64(0.1));
        assert_eq!(u64::limit(&u64::MAX), Some(u64::MAX.into()));
    }
}
