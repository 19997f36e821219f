//! Numbers in a form: each answer as the exact Rust type, or a mistake in words.

use ferromcp_core::RawJson;
use ferromcp_core::model::{FieldType, PrimitiveSchema};
use serde_json::Number;

use super::decimal::Decimal;
use super::field_type::FormField;

/// A field that holds a number, which may be held within a range.
#[diagnostic::on_unimplemented(
    message = "`range` is for numbers, and `{Self}` is none",
    label = "not a number",
    note = "write `length(…)` for a text and `items(…)` for a list of choices"
)]
pub trait NumberField: FormField {
    /// The number itself, without an `Option`.
    type Number: Clone;

    /// A limit as clients are told it; `None` if JSON has no such number.
    #[doc(hidden)]
    fn limit(number: &Self::Number) -> Option<Number>;

    /// The greatest number below, since a form has no limit that is outside.
    #[doc(hidden)]
    fn before(number: &Self::Number) -> Self::Number;

    /// The least number above.
    #[doc(hidden)]
    fn after(number: &Self::Number) -> Self::Number;
}

impl<T: NumberField> NumberField for Option<T> {
    type Number = T::Number;

    fn limit(number: &T::Number) -> Option<Number> {
        T::limit(number)
    }

    fn before(number: &T::Number) -> T::Number {
        T::before(number)
    }

    fn after(number: &T::Number) -> T::Number {
        T::after(number)
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
                    .and_then(|number| number.whole()?.to())
                    .ok_or_else(|| format!("a whole number from {} to {}", <$int>::MIN, <$int>::MAX))
            }

            fn to_answer(&self) -> RawJson {
                RawJson::new(self).unwrap_or_else(|_| RawJson::null()) // an integer always serialises
            }
        }

        impl NumberField for $int {
            type Number = $int;

            fn limit(number: &$int) -> Option<Number> {
                number.to_string().parse().ok()
            }

            fn before(number: &$int) -> $int {
                number.saturating_sub(1)
            }

            fn after(number: &$int) -> $int {
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
                // Read from the text, since by way of an `f64` an `f32` would be rounded twice.
                let number = Decimal::parse(answer.as_str()).and_then(|_| answer.as_str().trim().parse::<$float>().ok());
                number
                    .filter(|number| number.is_finite())
                    .ok_or_else(|| format!("a number from {:e} to {:e}", <$float>::MIN, <$float>::MAX))
            }

            fn to_answer(&self) -> RawJson {
                RawJson::new(self).unwrap_or_else(|_| RawJson::null()) // what is no number is written as `null`
            }
        }

        impl NumberField for $float {
            type Number = $float;

            // By way of the text: 0.1 is to be told as 0.1, whatever its precision.
            fn limit(number: &$float) -> Option<Number> {
                Number::from_f64(number.to_string().parse().ok()?)
            }

            fn before(number: &$float) -> $float {
                -Self::after(&-number)
            }

            fn after(number: &$float) -> $float {
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

    /// Whether a field of these limits takes a number.
    fn takes<T: NumberField>(field: &Field<T>, number: &str) -> bool {
        let mut schema = FormSchema::new(Vec::new());
        field.add_to(&mut schema);
        let content: RawMap = serde_json::from_str(&format!(r#"{{"n":{number}}}"#)).unwrap();
        check(&schema, &content).is_ok()
    }

    #[test]
    fn a_limit_outside_a_range_becomes_the_next_number_inside() {
        let whole = Field::<Option<i8>>::new("n").range(-3..3);
        assert!(takes(&whole, "-3") && takes(&whole, "2") && !takes(&whole, "3") && !takes(&whole, "-4"));
        for (least, below, above) in [(0.0, "-1e-9", "1e-9"), (1.5, "1.4", "1.6"), (-1.5, "-1.6", "-1.4")] {
            let field = Field::<f64>::new("n").range(..least);
            assert!(takes(&field, below) && !takes(&field, above) && !takes(&field, &format!("{least:?}")), "{least}");
        }
        let single = Field::<f32>::new("n").range(0.1..0.3);
        assert!(takes(&single, "0.1") && takes(&single, "0.2999") && !takes(&single, "0.3"));
    }

    #[test]
    fn what_json_cannot_say_is_no_limit() {
        assert!(takes(&Field::<f64>::new("n").range(f64::NEG_INFINITY..=f64::INFINITY), "1e308"));
        assert_eq!(f64::limit(&f64::NAN), None);
        assert_eq!(f32::limit(&0.1), serde_json::Number::from_f64(0.1));
        assert_eq!(u64::limit(&u64::MAX), Some(u64::MAX.into()));
    }
}
