//! Any schema and any value: compilation and validation return within the limits, and do not panic.
//!
//! `cargo +nightly fuzz run json_schema`. The input is a schema and a value, separated by a NUL byte.
#![no_main]

use ferromcp_json_schema::{SchemaLimits, Validator};
use libfuzzer_sys::fuzz_target;

const MAX_REASONS: usize = 5;
const MAX_REASONS_LENGTH: usize = 16 << 10;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (schema, value) = text.split_once('\0').unwrap_or((text, text));
    let limits = SchemaLimits::new().steps(100_000);
    let Ok(validator) = Validator::compile_with_limits(schema, limits) else { return };
    if let Err(error) = validator.validate(value) {
        assert!(!error.reasons().is_empty() && error.reasons().len() <= MAX_REASONS);
        assert!(error.to_string().len() <= MAX_REASONS_LENGTH);
    }
});
